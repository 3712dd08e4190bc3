"""The harness of locality: what single-codon mutations change in three codes of equal networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import evogen
from evogen.cli import app
from evogen.grammar import CODONS, derive, parse
from evogen.keys import Key
from evogen.studies import Findings, Options, locality
from evogen.studies.locality import Effort
from evogen.studies.locality.codes import Flat, Genes, Place, cut, unread
from evogen.studies.locality.evolve import evolve, output
from evogen.studies.locality.measure import Mutation, differing, mutations, redrawn, shares, through_mod
from evogen.studies.locality.nets import CLASSIC, CODES, CONTEXT, GRAMMAR, network

ROOT = Path(__file__).parents[2]
TINY = Effort(
    seeds=2, sizes=(2, 10), networks=3, mutations=10, population=6, generations=2, genomes=20
)  # fmt: skip


def mutated(code: str, size: int, count: int) -> list[Mutation]:
    rng = np.random.default_rng(size)
    networks = [network(size, rng)[code] for _ in range(count // 20)]
    return [each for lists in networks for each in mutations(CODES[code], lists, rng, 20)]


def test_the_studys_grammar_is_the_shipped_one() -> None:
    shipped = (ROOT / "grammars/mge_classic.bnf").read_text().splitlines()
    assert [line for line in shipped if line and not line.startswith("#")] == GRAMMAR.splitlines()


@pytest.mark.parametrize("size", [1, 2, 7])
def test_three_codes_hold_equal_networks(size: int) -> None:
    found = network(size, np.random.default_rng(size))
    genes, structured, flat = (code.cells(found[name]) for name, code in CODES.items())
    assert structured == flat
    assert [cell[2:] for cell in flat] == list(genes)  # behind at:cell and its module
    assert len(genes) == size
    for name, code in CODES.items():
        assert unread(code, found[name]) == pytest.approx(0.5, abs=0.001)


def test_no_mutation_of_a_gene_changes_another_neuron() -> None:
    found = [each for size in (2, 5, 10, 20) for each in mutated("genes", size, 260)]
    assert len(found) >= 1_000
    assert max(each.changed for each in found) == 1
    assert shares(found).local == 1


@pytest.mark.parametrize("code", ["flat", "structured"])
def test_structural_codons_of_one_sentence_rewrite_half_the_network(code: str) -> None:
    found = mutated(code, 10, 600)
    structural = shares([each for each in found if each.kind in ("<sum>", "<net>")])
    others = shares([each for each in found if each.kind not in ("<sum>", "<net>")])
    assert structural.local < 0.25
    assert 3.5 < structural.changed < 6.5
    assert (others.local, others.changed) == (1, 1)
    assert 0.6 < shares(found).local < 0.95


def test_only_a_mod_makes_mutations_of_an_alternative_silent() -> None:
    assert shares(mutated("structured", 10, 300)).silent == 0
    for code in ("genes", "flat"):
        sums = shares([each for each in mutated(code, 10, 600) if each.kind == "<sum>"])
        assert 0.35 < sums.silent < 0.65  # one of two alternatives


def test_through_a_mod_the_rare_outcome_counts_less() -> None:
    two, many = Mutation("<sum>", 2, 3, 5), Mutation("[weight]", CODONS, 1, 5)
    assert through_mod([two, many]) == pytest.approx(1 / 1.5, abs=1e-4)
    assert shares([two, many, many, Mutation("<act>", 4, 0, 5)]) == pytest.approx((2 / 3, 5 / 3, 1 / 4))
    assert np.isnan(shares([]).local)


def test_a_redrawn_codon_has_any_other_value() -> None:
    lists = ((3, 1), (2,))
    place = Place(0, 1, "<x>", 4, 4)
    drawn = {redrawn(lists, place, np.random.default_rng(seed)) for seed in range(40)}
    assert drawn == {((3, value), (2,)) for value in (0, 2, 3)}


def test_groups_are_compared_by_index() -> None:
    grammar = parse("<a> ::= at:cell x | at:cell y <a>")
    x, y, *_ = cut(tuple(derive(grammar, "a", [1, 0]).leaves()))
    assert differing((x, y), (x, y)) == 0
    assert differing((x, y, x), (y, x)) == 3
    assert differing((x,), (x, y, y)) == 2


def test_codons_that_decide_nothing_are_no_places() -> None:
    lists = network(2, np.random.default_rng(0))["flat"]
    kinds = [place.kind for place in CODES["flat"].places(lists)]
    assert "(modules)" not in kinds
    assert kinds.count("<net>") == 2
    several = Flat(CLASSIC, "net", {**CONTEXT, "modules": 3})
    assert [place.kind for place in several.places(lists)].count("(modules)") == 2


def test_a_link_changes_with_the_gene_that_it_links_to() -> None:
    lists = (*network(2, np.random.default_rng(0))["genes"], ())
    code = Genes(CLASSIC, "neuron", (CONTEXT,), (0, 1, 0))
    assert {place.list for place in code.places(lists)} == {0, 1}
    changed = {each.changed for each in mutations(code, lists, np.random.default_rng(1), 200)}
    assert changed == {0, 1, 2}


def test_a_networks_output_is_that_of_its_sentence() -> None:
    grammar = parse(GRAMMAR.replace("[weight,float,1,-3,3]", "[weight,int,1,-3,3]"))
    low, high = 0, CODONS - 1
    one = tuple(derive(grammar, "neuron", [1, 1, 2, high, 0, 5, low, high], CONTEXT).leaves())
    two = tuple(derive(grammar, "neuron", [0, 0, 0, high, low], CONTEXT).leaves())
    x = np.random.default_rng(0).normal(size=(9, 16))
    expected = 3 * np.maximum(3 * x[:, 2] - 3 * x[:, 5], 0) - 3 * np.tanh(3 * x[:, 0])
    np.testing.assert_allclose(output([one, two], x), expected)


@pytest.mark.parametrize("code", CODES)
def test_selection_improves_a_code_and_is_a_function_of_its_key(code: str) -> None:
    found = evolve(code, Key(3), population=12, generations=8)
    assert found.last > found.first
    assert len(found.genomes) == 12
    again = evolve(code, Key(3), population=12, generations=8)
    assert again == found
    assert evolve("flat", Key(3), population=12, generations=0).first == found.first


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Findings]:
    out = tmp_path_factory.mktemp("locality")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locality, "QUICK", TINY)
        return out, locality.run(Options(quick=True, out=out), lambda _: None)


def test_the_table_is_narrow_and_the_record_whole(finished: tuple[Path, Findings]) -> None:
    out, found = finished
    assert max(len(line) for line in found.text.splitlines()) <= 80
    assert "genes             0 of 240" in found.text
    whole = json.loads((out / "table.json").read_text())
    rows = {(row["population"], row["code"], row["size"]): row for row in whole["rows"]}
    assert len(rows) == 2 * 3 + 2 * 3
    assert rows["random", "genes", 10]["local"] == {"mean": 1, "low": 1, "high": 1}
    assert rows["random", "flat", 10]["mutations"] == 60
    assert {row["first"] for row in whole["contrasts"]} >= {"genes", "flat: evolved"}
    assert all(row["valid"] == row["genomes"] for row in whole["sizes"])
    assert {row["population"] for row in whole["kinds"]} == {"random", "evolved", "matched"}
    assert " ns" in found.text  # two seeds show no difference


def call(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "80"}).invoke(app, ("study", "locality", *arguments))


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--tasks", "iris"], "--tasks: this study has none"),
        (["--arms", "flat"], "--arms: this study has none"),
        (["--workers", "2"], "--workers 2: this study runs in one process"),
        (["--run", "nowhere"], "nowhere"),
    ],
)
def test_wrong_options_end_with_2(arguments: list[str], text: str, tmp_path: Path) -> None:
    result = call("--quick", "--out", str(tmp_path / "out"), *arguments)
    assert result.exit_code == 2, result.output
    assert text in result.output
    assert not (tmp_path / "out").exists()


SEARCH = """\
name: small
seed: 1
task: {kind: cartpole, episodes: 1}
birth: {agents: 1}
wiring: {kind: direct}
learner: {kind: none}
architecture: {grammar: g.bnf, start: START, SETTINGS}
strategy: {kind: random}
search: {cohorts: 2, cohort_size: 3}
"""


@pytest.mark.parametrize(
    ("start", "settings"),
    [
        ("neuron", "max_modules: 6, initial_modules: 5, weights: evolved"),
        ("net", "mapping: flat, weights: evolved"),
        ("net", "mapping: structured, weights: evolved"),
    ],
)
def test_a_runs_last_cohorts_are_measured(tmp_path: Path, start: str, settings: str) -> None:
    (tmp_path / "g.bnf").write_text(GRAMMAR)
    (tmp_path / "e.yaml").write_text(SEARCH.replace("START", start).replace("SETTINGS", settings))
    with evogen.run(evogen.load(tmp_path / "e.yaml"), out=tmp_path / "run"):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locality, "QUICK", TINY)
        options = Options(quick=True, out=tmp_path / "out", run=tmp_path / "run")
        found = locality.run(options, lambda _: None)
    rows = {row["population"]: row for row in found.record["rows"]}
    assert rows["evolved"]["mutations"] == rows["new"]["mutations"] == 6 * TINY.mutations
    assert "6 of cohorts 0 to 1 of" in found.text
    assert max(len(line) for line in found.text.replace(str(tmp_path), "").splitlines()) <= 80
    if start == "neuron":
        assert rows["evolved"]["local"]["mean"] == 1

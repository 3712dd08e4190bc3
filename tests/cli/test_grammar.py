from __future__ import annotations

from pathlib import Path

import pytest

from .calls import call

GRAMMARS = Path(__file__).parents[2] / "grammars"
TINY = str(GRAMMARS / "tiny.bnf")
MODULES = str(GRAMMARS / "modules.bnf")


@pytest.fixture(autouse=True)
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GRAMMARS.parent)


def test_says_what_a_grammar_holds_in_80_columns() -> None:
    result = call("grammar", "grammars/modules.bnf", "--start", "hebbian", "--depth", "12")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:2] == [
        "grammars/modules.bnf: 20 rules",
        "starts: <module>, <reflex>, <spiking>, <hebbian>",
    ]
    (row,) = (line for line in lines if line.startswith("<hebbian-layers> "))
    assert row.split() == ["<hebbian-layers>", "2", "3", "recursive"]
    assert "    4  1,824" in lines
    assert lines[-1].split()[0] == "12"


def test_counts_what_dynamic_rules_pick_from() -> None:
    result = call("grammar", TINY, "--count", "sources=2")
    assert result.stdout.splitlines()[-1] == "    4  40"
    assert "    4  84" in call("grammar", TINY).stdout


def test_lists_every_sentence_once_up_to_a_limit() -> None:
    lines = call("grammar", TINY, "--list", "--count", "sources=1").stdout.splitlines()
    assert len(set(lines)) == len(lines) == 12
    lines = call("grammar", TINY, "--list", "--limit", "3").stdout.splitlines()
    assert len(lines) == 4
    assert lines[-1] == "... and more; --limit N lists more than 3"
    result = call("grammar", MODULES, "--list")
    assert result.exit_code == 2
    assert "<module> has derivations of any depth: their list has no end" in result.stderr
    assert call("grammar", MODULES, "--list", "--depth", "9", "--limit", "2").exit_code == 0


def test_samples_are_a_function_of_the_seed() -> None:
    one, again, other = (call("grammar", MODULES, "--sample", "3", "--seed", seed).stdout for seed in "112")
    assert one == again != other
    assert len(one.splitlines()) == 3
    assert all(line.startswith("layer:dense [width=") for line in one.splitlines())
    more = call("grammar", MODULES, "--sample", "5", "--seed", "1").stdout
    assert more.splitlines()[:3] == one.splitlines()


def test_numbers_too_large_to_print_end_the_table(tmp_path: Path) -> None:
    path = tmp_path / "wide.bnf"
    rules = [
        "<a> ::= x | y | <a> <a> <a> | <a>",
        "<unused-with-a-name-too-long-for-the-table-of-rules> ::= x",
    ]
    path.write_text("\n".join(rules))
    result = call("grammar", str(path), "--depth", "100")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert any(line.split()[1:2] == ["about"] for line in lines)
    assert "  ...  too many to go on" in lines
    assert "may be mistakes:" in lines


def test_floats_are_said_to_count_once() -> None:
    assert "each float and log number counts as one" in call("grammar", MODULES).stdout
    assert "each float" not in call("grammar", TINY).stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["none.bnf"], "none.bnf: a grammar file was wanted"),
        ([TINY, "--start", "nueron"], "unknown start symbol 'nueron'; did you mean 'neuron'?"),
        ([TINY, "--count", "source=2"], "'source' is counted nowhere; did you mean 'sources'?"),
        ([TINY, "--count", "sources"], "wanted NAME=N with a whole number N, found ''"),
        ([MODULES, "--count", "sources=2"], "'sources' is counted nowhere; <module> has no dynamic rule"),
        ([TINY, "--depth", "0"], "--depth"),
        ([TINY, "--depth", "101"], "--depth"),
    ],
)
def test_refusals_exit_with_2(arguments: list[str], what: str) -> None:
    result = call("grammar", *arguments)
    assert result.exit_code == 2
    assert what in result.stderr

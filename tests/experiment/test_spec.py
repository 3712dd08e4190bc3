from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import experiment_files
import pytest
from experiment_files import EXPERIMENT, GRAMMAR

import evogen
from evogen.errors import GrammarError, SpecError
from evogen.experiment import document
from evogen.experiment.launch import problem
from evogen.schema import Inheritance, Racing
from evogen.space import Log, Uniform

ROOT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return experiment_files.write(tmp_path)


def test_the_file_says_what_may_vary(file: Path) -> None:
    experiment = evogen.load(file)
    assert experiment.name == "small"
    assert experiment.seed == 0
    assert experiment.inheritance is Inheritance.LAMARCKIAN
    assert experiment.space.plasticity == {"rule.abcd.eta": Log(1e-3, 0.5), "rule.abcd.A": Uniform(-1.0, 1.0)}
    assert experiment.rules["abcd"].decay == 0.1
    assert experiment.space.rules is not None
    assert experiment.space.rules.genes == 4
    assert experiment.space.architecture.grammar.text == GRAMMAR


def test_a_learner_range_becomes_a_gene(file: Path) -> None:
    learner = "{kind: ppo, learning_rate: {log: [0.003, 0.1]}, gamma: {uniform: [0.9, 1]}}"
    genes = evogen.load(file, [f"learner={learner}", "plasticity={}"]).space.plasticity
    assert genes == {"learner.learning_rate": Log(0.003, 0.1), "learner.gamma": Uniform(0.9, 1.0)}


def test_a_wiring_without_genetic_rules_has_no_rules_space(file: Path) -> None:
    file.write_text(EXPERIMENT.replace("synaptogen", "direct").replace("rules: {genes", "# rules: {genes"))
    assert evogen.load(file).space.rules is None


def test_the_canonical_file_reads_back_to_an_equal_experiment(file: Path, tmp_path: Path) -> None:
    experiment = evogen.load(file, ["learner={kind: ppo, learning_rate: {log: [0.003, 0.1]}}", "name=no"])
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "experiment.yaml").write_text(experiment.yaml)
    (folder / "grammar.bnf").write_text(experiment.grammar)
    again = evogen.load(folder / "experiment.yaml")
    assert again == experiment
    for field in dataclasses.fields(experiment):
        assert getattr(again, field.name) == getattr(experiment, field.name), field.name


def test_the_canonical_file_says_every_setting(file: Path, tmp_path: Path) -> None:
    (tmp_path / "full.yaml").write_text(evogen.load(file).yaml)
    data, _ = document.read(tmp_path / "full.yaml")
    search = {"cohorts": 3, "cohort_size": 4, "lookahead": 2, "lives": 1, "snapshot_every": 10}
    search |= {"objectives": {"fitness": "maximise"}, "constraints": {}}
    search |= {"candidates": None, "steps": None, "hours": None}
    assert data["search"] == search
    settings = {"episodes": 1, "report_episodes": 1, "normalised": True, "horizon": 500}
    assert data["task"] == {"kind": "cartpole", **settings}
    assert data["architecture"]["grammar"] == "grammar.bnf"
    assert data["plasticity"]["abcd"]["eta"] == {"log": [0.001, 0.5]}
    assert data["compute"] == {"dtype": "float32", "threads": 1, "timeout": None, "seconds": None}


def test_the_canonical_file_says_which_pairs_have_rules(file: Path, tmp_path: Path) -> None:
    for rules, wanted in (
        ("{genes: 8, mask: random, density: 0.3}", {"mask": "random", "density": 0.3}),
        ("{genes: 39, max_genes: 39, mask: adhesion}", {"mask": "adhesion", "density": 1.0}),
        ("{genes: 8}", {"mask": "none", "density": 1.0}),
    ):
        experiment = evogen.load(file, [f"rules={rules}"])
        (tmp_path / "full.yaml").write_text(experiment.yaml)
        (tmp_path / "grammar.bnf").write_text(experiment.grammar)
        data, _ = document.read(tmp_path / "full.yaml")
        assert {name: data["rules"][name] for name in wanted} == wanted
        assert evogen.load(tmp_path / "full.yaml", ["name=small"]).space == experiment.space


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("search.cohorts=40", lambda e: e.search.cohorts == 40),
        ("search.lookahead=1", lambda e: e.search.lookahead == 1),
        ("seed=7", lambda e: e.seed == 7),
        ("wiring.scale=2", lambda e: e.wiring.scale == 2.0),
        ("task={kind: cartpole, episodes: 3}", lambda e: e.task.episodes == 3),
        ("birth.degree=1e3", lambda e: e.birth.degree == 1000.0),
        ("plasticity.abcd.eta=0.2", lambda e: "rule.abcd.eta" not in e.space.plasticity),
        ("compute.dtype=float64", lambda e: e.compute.dtype == "float64"),
    ],
)
def test_an_override_changes_one_setting(file: Path, override: str, changed: Any) -> None:
    assert not changed(evogen.load(file))
    assert changed(evogen.load(file, [override]))


def test_the_last_of_two_overrides_counts(file: Path) -> None:
    assert evogen.load(file, ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("search.cohorts", "wanted --set PATH=VALUE, as in --set search.cohorts=40"),
        ("=3", "wanted --set PATH=VALUE"),
        ("search..cohorts=3", "wanted --set PATH=VALUE"),
        ("search.cohorts=", "wanted --set PATH=VALUE"),
        ("search.cohorts=[1", "--set search.cohorts=[1: not YAML"),
        ("search.cohort=3", "search.cohort: unknown key; did you mean 'cohorts'?"),
        ("serch.cohorts=3", "serch: unknown key; did you mean 'search'?"),
        ("task.episods=3", "task.episods: unknown key; did you mean 'episodes'?"),
        ("plasticity.abc.eta=1", "plasticity.abc: unknown rule; did you mean 'abcd'?"),
        ("seed.x=1", "seed: wanted a valid integer"),
        ("search.cohorts.x=1", "search.cohorts: 3 is one value, it has no settings below it"),
        ("search.lives=2", "search.lives: several lives tune several expressions: wanted 1, or inheritance"),
        ("search.objectives={speed: maximise}", "search.objectives.speed: unknown measure"),
        ("search.objectives={fitness: up}", "search.objectives: wanted 'maximise' or 'minimise'"),
        (
            "search.constraints={synapses: {at_most: .inf}}",
            "synapses.at_most: wanted a number that is finite",
        ),
        ("search.objectives={}", "search.objectives: wanted at least one measure"),
        (
            "search.objectives={fitness: maximise, steps: minimise}",
            "search.objectives: wanted one measure, because this strategy uses no more "
            "(strategies of several: nsga2); found fitness, steps",
        ),
        ("search.constraints={synapse: {at_most: 3}}", "unknown measure; did you mean 'synapses'?"),
        ("search.lives=0", "search.lives: wanted a number in [1, 1000], found 0"),
        ("search.cohorts=0", "--set search.cohorts=0: search.cohorts: wanted a number >= 1, found 0"),
        ("search.cohort_size=1.5", "search.cohort_size: wanted a valid integer, found 1.5"),
        ("task=cartpol", "unknown task 'cartpol'; did you mean 'cartpole'? ('evogen list tasks' shows all)"),
        ("strategy.kind=x", "('evogen list strategies' shows all)"),
        ("task={episodes: 3}", "task.kind: wanted the name of a task, found null"),
        ("learner=supervised", "fits tasks of kind classification; this task is of kind control"),
        ("wiring=direct", "rules: this wiring has no genetic rules"),
        ("rules.genes=9", "rules.max_genes: wanted a number >= genes (9), found 8"),
        ("rules.temperature=0", "rules.temperature: wanted a number in [0.001, 1000], found 0"),
        ("rules.density=0.5", "rules: density 0.5: wanted only with mask: random, found mask: none"),
        ("rules={mask: random, density: 0}", "rules.density: wanted a number in [1e-06, 1], found 0"),
        ("rules={mask: random, density: 1.1}", "rules.density: wanted a number in [1e-06, 1], found 1.1"),
        ("rules.mask=adhesion", "rules: genes 4: wanted 39 with mask: adhesion"),
        ("rules.mask=forbid", "rules.mask: wanted 'none', 'random' or 'adhesion', found"),
        ("rules={mask: adhesion, genes: 39}", "rules.max_genes: wanted a number >= genes (39), found 32"),
        ("rules.transmitters=0", "rules.transmitters: wanted a number in [1, 64], found 0"),
        ("rules.temperature=.inf", "rules.temperature: wanted a number in [0.001, 1000], found"),
        ("strategy.plasticity_sigma=.inf", "strategy.plasticity_sigma: wanted a number"),
        ("search.cohort_size=100000", "search.cohort_size: wanted a number in [1, 65536]"),
        ("architecture.max_modules=0", "architecture.max_modules: wanted a number in [1, 1024], found 0"),
        ("architecture.grammar=x.bnf", "architecture.grammar: there is no grammar file"),
        ("architecture.grammar=3", "architecture.grammar: wanted a grammar file's path"),
        ("architecture={}", "architecture.grammar: wanted a grammar file's path"),
        ("birth.agents={uniform: [1, 2]}", "this setting is one for the whole experiment"),
        ("name=a/b", "name: wanted letters, digits, '_', '-' and '.'"),
        ("name=..", "name: wanted letters"),
        ("inheritance=x", "inheritance: wanted 'baldwinian' or 'lamarckian'"),
        ("seed=-1", "seed: wanted a number >= 0, found -1"),
    ],
)
def test_a_wrong_override_is_named(file: Path, override: str, text: str) -> None:
    with pytest.raises(SpecError) as raised:
        evogen.load(file, [override])
    assert text in str(raised.value)


def test_several_objectives_go_with_a_strategy_that_uses_them(file: Path) -> None:
    aims = {"fitness": "maximise", "synapses": "minimise"}
    experiment = evogen.load(file, ["strategy=nsga2", f"search.objectives={aims}"])
    assert experiment.strategy.many
    assert experiment.search.objectives == aims


def test_a_file_whose_stem_is_no_name_needs_one(file: Path) -> None:
    spaced = file.rename(file.with_name("my search.yaml"))
    with pytest.raises(SpecError, match=r"name: wanted letters, .*, found \"my search\""):
        evogen.load(spaced)
    assert evogen.load(spaced, ["name=mine"]).name == "mine"


def test_a_start_that_the_grammar_lacks_is_named(file: Path) -> None:
    with pytest.raises(GrammarError, match="unknown start symbol 'reflx'; did you mean 'reflex'"):
        evogen.load(file, ["architecture.start=reflx"])


@pytest.mark.parametrize(
    ("word", "text"),
    [("plastic:abce", "unknown rule 'abce'; did you mean 'abcd'"), ("neuron:rat", "unknown neuron 'rat'")],
)
def test_a_grammar_word_that_names_no_part_is_shown_in_its_file(tmp_path: Path, word: str, text: str) -> None:
    file = experiment_files.write(tmp_path, grammar=GRAMMAR.replace("act:tanh", f"act:tanh {word}"))
    with pytest.raises(GrammarError, match=rf"small.bnf:1:\d+: {text}"):
        evogen.load(file)


def test_settings_of_a_rule_that_no_module_has_are_refused(tmp_path: Path) -> None:
    file = experiment_files.write(tmp_path, grammar=GRAMMAR.replace(" | plastic:abcd", ""))
    with pytest.raises(SpecError, match=r"plasticity\.abcd: no module of <reflex> has plastic:abcd"):
        evogen.load(file)


@pytest.mark.parametrize("given", ["2", "{log: [0.1, 1]}"])
def test_a_coefficient_that_no_term_of_the_rule_uses_is_refused(given: str) -> None:
    with pytest.raises(SpecError, match=r"plasticity\.local\.kappa: no part of this rule uses it"):
        evogen.load(ROOT / "searchspaces/plasticity.yaml", [f"plasticity.local.kappa={given}"])


def test_a_rule_that_follows_errors_wants_a_teacher() -> None:
    given = ["plasticity.local={terms: [A], factors: error}"]
    with pytest.raises(SpecError, match=r"plasticity\.local: .* wants a task whose lessons have a teacher"):
        evogen.load(ROOT / "searchspaces/plasticity.yaml", given)


@pytest.mark.parametrize("path", sorted((ROOT / "searchspaces").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_experiment_loads(path: Path) -> None:
    experiment = evogen.load(path)
    assert experiment.name == path.stem


DENSE = "layer:dense [width,int,1,2,4]"


@pytest.mark.parametrize(
    ("module", "said"),
    [
        ("readout:sum", "can give what is no module"),
        ("layer:dense [wdth,int,1,2,4] readout:sum", "can give what is no module"),
        (f"{DENSE} readout:sum plastic:abcd [bond,float,1,2,3]", "takes no number 'bond'"),
        (f"{DENSE} readout:sum plastic:abcd [eta,float,1,50,100]", "'eta' in [0, 10], found"),
        (f"{DENSE} neuron:leaky [tau,float,1,-5,-1] readout:sum", "'tau' in [1, 1000], found"),
    ],
)
def test_a_grammar_whose_modules_cannot_be_developed_is_refused(
    module: str, said: str, tmp_path: Path
) -> None:
    path = experiment_files.write(tmp_path, grammar=f"<reflex> @type(module) ::= {module}\n")
    plain = re.sub(r"plasticity:\n.*\n", "", path.read_text())
    path.write_text(plain)
    with pytest.raises(SpecError) as caught:
        evogen.load(path)
    assert "architecture.grammar" in str(caught.value)
    assert said in str(caught.value)


RACED = ["learner={kind: ppo, iterations: 8}", "plasticity={}"]


def test_a_race_is_a_section_that_the_canonical_file_keeps(file: Path) -> None:
    assert evogen.load(file, RACED).racing is None
    assert "racing" not in evogen.load(file, RACED).yaml
    raced = evogen.load(file, [*RACED, "racing={rungs: 2}"])
    assert raced.racing == Racing(rungs=2, keep=0.5, width=64)
    assert "racing:\n  rungs: 2\n  keep: 0.5\n  width: 64\n" in raced.yaml
    assert problem(raced, "cpu").racing == raced.racing


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["learner=none", "racing={}"], "racing: wanted a learner that can be stopped on its way"),
        ([*RACED, "racing={rungs: 5}"], "racing: wanted rungs that end one after another"),
        ([*RACED, "racing={keep: 2}"], "racing.keep: wanted a number in"),
        ([*RACED, "racing={rung: 2}"], "racing.rung: unknown key; did you mean 'rungs'"),
    ],
)
def test_a_race_that_cannot_be_run_is_refused(file: Path, overrides: list[str], said: str) -> None:
    with pytest.raises(SpecError, match=re.escape(said)):
        evogen.load(file, overrides)

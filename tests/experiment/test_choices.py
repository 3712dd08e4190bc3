"""What a grammar's words ask of the rest of the file, and the constraints that its networks keep."""

from __future__ import annotations

import re
from pathlib import Path

import experiment_files
import pytest

import evogen
from evogen.cohort import Outcome, Ref
from evogen.condition import lines
from evogen.errors import GrammarError, SpecError
from evogen.grammar.constraints.most_layers import MostLayers
from evogen.grammar.constraints.something_learns import SomethingLearns
from evogen.report import write
from evogen.summary import candidate, candidate_lines

DEEP = """\
<reflex> @type(module) ::= <layer> <layer> <layer> readout:sum <rule> <learn>
<layer> ::= layer:dense [width,int,1,2,4] act:tanh
<rule> ::= plastic:none | plastic:abcd
<learn> ::= learn:none {5} | learn:scaled [rate,log,1,0.01,10]
"""
LEARNT = ["learner={kind: ppo, iterations: 1, horizon: 4, environments: 4}"]


def written(folder: Path, sections: str) -> Path:
    """An experiment whose only layer has these sections."""
    module = f"layer:dense [width,int,1,2,4] {sections} readout:sum"
    path = experiment_files.write(folder, grammar=f"<reflex> @type(module) ::= {module}\n")
    path.write_text(re.sub(r"plasticity:\n.*\n", "", path.read_text()))
    return path


def test_constraints_are_parts_that_the_canonical_file_keeps(tmp_path: Path) -> None:
    file = experiment_files.write(tmp_path, grammar=DEEP)
    override = "architecture.constraints=[something-learns, {kind: most-layers, limit: 2}]"
    experiment = evogen.load(file, [override])
    assert experiment.space.architecture.constraints == (SomethingLearns(), MostLayers(2))
    again = tmp_path / "again.yaml"
    again.write_text(experiment.yaml)
    (tmp_path / "grammar.bnf").write_text(experiment.grammar)
    assert evogen.load(again) == experiment
    assert evogen.load(file).space.architecture.constraints == ()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("something-learns", "architecture.constraints: wanted a list, as in [something-learns], found"),
        ("[some-learns]", "architecture.constraints.0: unknown constraint 'some-learns'; did you mean"),
        ("[{kind: most-layers, limit: 0}]", "constraints.0.limit: wanted a number in [1, 1000], found 0"),
        ("[{kind: most-layers, limt: 3}]", "constraints.0.limt: unknown key; did you mean 'limit'"),
    ],
)
def test_a_wrong_constraint_is_named(tmp_path: Path, value: str, said: str) -> None:
    file = experiment_files.write(tmp_path, grammar=DEEP)
    with pytest.raises(SpecError) as raised:
        evogen.load(file, [f"architecture.constraints={value}"])
    assert said in str(raised.value)


def test_repairs_are_counted_and_shown_and_no_genome_changes(tmp_path: Path) -> None:
    file = experiment_files.write(tmp_path, grammar=DEEP)
    chosen = [*LEARNT, "search.cohorts=1", "architecture.constraints=[{kind: most-layers, limit: 1}]"]
    plain = evogen.run(evogen.load(file, [*LEARNT, "search.cohorts=1"]), out=tmp_path / "plain")
    found = evogen.run(evogen.load(file, chosen), out=tmp_path / "run")
    rows, others = list(found.rows()), list(plain.rows())
    assert [row.outcome for row in rows] == [Outcome.OK] * 4
    assert [row.metrics["repairs"] for row in rows] == [2 * row.metrics["modules"] for row in rows]
    assert {row.metrics["depth"] for row in rows} == {2.0}
    assert [row.genome for row in rows] == [row.genome for row in others]
    assert not any("repairs" in row.metrics for row in others)
    total = int(sum(row.metrics["repairs"] for row in rows))
    assert f"repairs   {total} in 4 of the candidates, to keep the constraints" in list(lines(found))
    assert not any(line.startswith("repairs") for line in lines(plain))
    page = write([found], tmp_path / "page.html").read_text()
    assert f"{total} repairs kept the constraints, in 4 candidates." in page
    for run in (plain, found):
        run.close()


def test_a_candidate_is_shown_with_its_choices(tmp_path: Path) -> None:
    layer = "layer:recurrent [width,int,1,5,5] act:tanh conn:local [radius,float,1,0.25,0.25]"
    grammar = f"<reflex> @type(module) ::= {layer} readout:sum learn:none\n"
    path = experiment_files.write(tmp_path, grammar=grammar)
    path.write_text(re.sub(r"plasticity:\n.*\n", "", path.read_text()))
    experiment = evogen.load(path, ["search.cohorts=1"])
    run = evogen.run(experiment, out=tmp_path / "run")
    shown = list(candidate_lines(candidate(run, Ref(0, 0), experiment)))
    run.close()
    (line,) = (line for line in shown if line.startswith("module"))
    assert line.endswith(": in -(local radius=0.25)-> 5 tanh rate recurrent -> out (frozen)")


@pytest.mark.parametrize(
    ("learner", "sections", "said"),
    [
        ("dqn", "layer:recurrent [width,int,1,2,3]", "wanted networks without memory, found layer:recurrent"),
        (
            "snes",
            "learn:sgd [rate,float,1,1,2] [momentum,float,1,0,0.9]",
            "follows no gradient, found learn:sgd",
        ),
        ("snes", "learn:adam [rate,float,1,1,2]", "follows no gradient, found learn:adam"),
    ],
)
def test_words_that_a_learner_cannot_follow_are_shown(
    tmp_path: Path, learner: str, sections: str, said: str
) -> None:
    with pytest.raises(GrammarError, match=said):
        evogen.load(written(tmp_path, sections), [f"learner={learner}"])


@pytest.mark.parametrize(
    ("sections", "error", "said"),
    [
        ("conn:locl", GrammarError, r"unknown prior 'locl'; did you mean 'local'"),
        ("conn:shuffled-locl", GrammarError, r"unknown prior 'locl'"),
        ("conn:spars [density,float,1,0.2,1]", GrammarError, r"did you mean 'sparse'"),
        ("conn:local [radius,float,1,2,3]", SpecError, r"prior 'local' takes 'radius' in \[0, 1\], found"),
        ("conn:shuffled-local [raduis,float,1,0,1]", SpecError, r"takes no number 'raduis'"),
        ("act:mix [thanh,float,1,0,1]", SpecError, r"act:mix takes shares of .* found 'thanh'"),
        ("act:mix [tanh,float,1,1,2] neuron:lif", SpecError, r"leave out its act:mix"),
    ],
)
def test_words_that_name_nothing_are_refused(
    tmp_path: Path, sections: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        evogen.load(written(tmp_path, sections))

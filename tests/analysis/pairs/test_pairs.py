"""Two stored candidates: kinship, and what a reader is told before he believes the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import experiment_files
import pytest

import evogen
from evogen.analysis import pairs
from evogen.analysis.pairs import Pair, descent, relation
from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.evaluators import Result
from evogen.experiment import Experiment
from evogen.keys import Key
from evogen.runs import Run
from evogen.variation.sample import sample

PARENTS: dict[Ref, tuple[tuple[Ref, ...], str]] = {
    Ref(1, 0): ((Ref(0, 0),), "rules.gaussian"),
    Ref(1, 1): ((Ref(0, 1), Ref(0, 0)), "crossover"),
    Ref(2, 0): ((Ref(1, 0), Ref(1, 1)), "crossover+rules.gaussian"),
    Ref(3, 0): ((Ref(2, 0),), "rules.delete"),
}


def made(folder: Path, text: str = experiment_files.EXPERIMENT, **settings: Any) -> tuple[Run, Experiment]:
    """Return a run of four cohorts of four with a known family."""
    folder.mkdir()
    experiment = evogen.load(experiment_files.write(folder, experiment=text, **settings))
    files = {"grammar.bnf": experiment.grammar.encode()}
    environment = {"device": "cpu"}
    run = Run.create(folder / "run", experiment=experiment.yaml, files=files, environment=environment)
    for cohort in range(4):
        refs = [Ref(cohort, row) for row in range(4)]
        individuals = tuple(
            Individual(sample(experiment.space, Key(experiment.seed), ref), *PARENTS.get(ref, ()))
            for ref in refs
        )
        ends = tuple(
            Evaluation(Outcome.INVALID, message="no")
            if ref == Ref(0, 3)
            else Evaluation(Outcome.OK, fitness=float(sum(ref)), scores=(float(sum(ref)),))
            for ref in refs
        )
        run.commit(Cohort(cohort, individuals), Result(cohort, ends, 1.0, "here"))
    return run, experiment


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Run]]:
    base = tmp_path_factory.mktemp("pairs")
    text = experiment_files.EXPERIMENT
    kinds = {
        "one": text,
        "seed": f"seed: 9\n{text}",
        "task": text.replace("episodes: 1,", "episodes: 2,"),
        "birth": text.replace("agents: 2", "agents: 3"),
    }
    with ExitStack() as stack:
        yield {name: stack.enter_context(made(base / name, kind)[0]) for name, kind in kinds.items()}


def pair(first: Run, second: Run, one: str = "0:0", other: str = "0:1", **how: Any) -> Pair:
    how = {"agents": 2} | how
    return pairs.pair(pairs.candidate(first, one), pairs.candidate(second, other), **how)


def related(run: Run, one: str, other: str) -> str:
    return relation(pairs.candidate(run, one), pairs.candidate(run, other))


def test_descent_is_the_shortest_line_up_to_an_ancestor(folders: dict[str, Run]) -> None:
    run = folders["one"]
    line = descent(run, Ref(3, 0), Ref(0, 0))
    assert line is not None
    assert [kin.ref for kin in reversed(line)] == [Ref(3, 0), Ref(2, 0), Ref(1, 0)]
    assert descent(run, Ref(3, 0), Ref(0, 2)) is None
    assert descent(run, Ref(0, 0), Ref(3, 0)) is None


def test_kinship_is_said_with_its_operators(folders: dict[str, Run]) -> None:
    run = folders["one"]
    assert related(run, "0:1", "2:0") == (
        "the second descends from the first, 2 generations apart: crossover x2, rules.gaussian"
    )
    assert (
        related(run, "3:0", "2:0") == "the first descends from the second, 1 generation apart: rules.delete"
    )
    assert related(run, "0:1", "0:2") == "neither descends from the other"
    assert related(run, "0:1", "0:1") == "they are the same candidate"
    assert relation(pairs.candidate(run, "0:1"), pairs.candidate(folders["seed"], "0:1")) == ""


def test_effects_are_found_within_a_run(folders: dict[str, Run]) -> None:
    found = pair(folders["one"], folders["one"])
    assert found.notes == ()
    assert found.found.agents == 2
    assert found.first.name == f"{folders['one'].path}@0:0"
    assert any(part.effect is not None for part in found.found.parts)


def test_two_searches_are_no_family(folders: dict[str, Run]) -> None:
    (note,) = pair(folders["one"], folders["seed"], agents=0).notes
    assert "equal gene numbers are no common descent" in note


def test_other_tasks_leave_the_list_without_effects(folders: dict[str, Run]) -> None:
    found = pair(folders["one"], folders["task"])
    assert any("the tasks differ" in note for note in found.notes)
    assert found.found.agents == 0
    assert found.found.parts
    assert all(part.effect is None for part in found.found.parts)


def test_other_settings_are_named(folders: dict[str, Run]) -> None:
    notes = pair(folders["one"], folders["birth"], agents=0).notes
    assert any("the runs differ in birth" in note for note in notes)


def test_candidates_that_failed_are_compared_as_they_were_born(folders: dict[str, Run]) -> None:
    (note,) = pair(folders["one"], folders["one"], "0:3", "0:1", agents=0).notes
    assert note.endswith("0:3 ended invalid: its genome is the one that it was born with")
    assert "untrained" in " ".join(pair(folders["one"], folders["one"], born=True).notes)


def test_a_candidate_equals_itself(folders: dict[str, Run]) -> None:
    found = pair(folders["one"], folders["one"], "0:1", "0:1")
    assert (found.found.parts, found.found.agents, found.relation) == ((), 0, "they are the same candidate")


def test_a_circle_of_parents_ends(folders: dict[str, Run]) -> None:
    class Circle:
        path = Path("x")

        def kin(self, refs: Any) -> dict[Ref, Any]:
            real = folders["one"].kin([Ref(1, 0)])[Ref(1, 0)]
            return {ref: real._replace(ref=ref, parents=(ref, Ref(9, 9))) for ref in refs}

    assert descent(Circle(), Ref(1, 0), Ref(0, 0)) is None  # type: ignore[arg-type]

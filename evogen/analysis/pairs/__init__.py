"""Pairs: two stored candidates, how they are related, and what lies between their genomes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from evogen.analysis.lineage import operators
from evogen.analysis.pairs import effects
from evogen.analysis.pairs.effects import Comparison
from evogen.analysis.screen import fold_of
from evogen.cohort import Outcome, Ref
from evogen.experiment import Experiment, experiment_of
from evogen.experiment.document import parsed
from evogen.experiment.launch import device_of, problem, usable
from evogen.genome import Genome
from evogen.runs import Run
from evogen.runs.records import Kin, Row
from evogen.tasks import Fold, TaskKind

AGENTS = 16


class Candidate(NamedTuple):
    """A stored candidate: its run, open, and what the run says of it."""

    run: Run
    row: Row

    @property
    def name(self) -> str:
        """`RUN@COHORT:ROW`."""
        return f"{self.run.path}@{self.row.ref}"


@dataclass(frozen=True)
class Pair:
    """Two candidates and what lies between them.

    Attributes:
        first, second: the candidates.
        born: whether their genomes are compared as they were born, not as their lives tuned them.
        relation: one sentence on their kinship; empty: nothing is known.
        notes: what a reader has to know before he believes the rest.
        scored_on: what a score is measured on.
        found: the differences, with effects if they were asked for and can be found.
    """

    first: Candidate
    second: Candidate
    born: bool
    relation: str
    notes: tuple[str, ...]
    scored_on: str
    found: Comparison


def candidate(run: Run, selector: str) -> Candidate:
    """Return a candidate of an open run.

    Raises:
        RunError: the selector names none.
    """
    return Candidate(run, run.row(run.resolve(selector)))


def pair(
    first: Candidate,
    second: Candidate,
    *,
    born: bool = False,
    agents: int = AGENTS,
    device: str | None = None,
) -> Pair:
    """Compare two candidates; the second one's experiment says what is built and scored.

    Args:
        first: whose genome is the beginning.
        second: whose genome is the end; each difference is undone in it.
        born: compare genomes as they were born.
        agents: born of every variant, at least 2; 0 leaves effects out.
        device: where torch computes; the second run's own by default.

    Raises:
        EvogenError: a run is damaged, or a genome has no sound identities.
    """
    one, other = experiment_of(first.run), experiment_of(second.run)
    posed = problem(other, usable(device or device_of(second.run)))
    found = effects.compared(posed, _genome(first, born=born), _genome(second, born=born))
    alike = _task(one) == _task(other)
    if agents and alike and found.parts:
        found = effects.effects(posed, found, agents=agents)
    notes = tuple(_notes(first, second, one, other, found, born=born, alike=alike))
    return Pair(first, second, born, relation(first, second), notes, _scored_on(other), found)


def relation(first: Candidate, second: Candidate) -> str:
    """Say whether one of two candidates descends from the other, and by which operators."""
    if not _same_run(first, second):
        return ""
    a, b = first.row.ref, second.row.ref
    if a == b:
        return "they are the same candidate"
    for young, old, says in (
        (b, a, "the second descends from the first"),
        (a, b, "the first descends from the second"),
    ):
        if (line := descent(first.run, young, old)) is not None:
            made = ", ".join(
                f"{name} x{count}" if count > 1 else name for name, count in operators(line).most_common(6)
            )
            return f"{says}, {len(line)} generation{'s' * (len(line) > 1)} apart: {made}"
    return "neither descends from the other"


def descent(run: Run, young: Ref, old: Ref) -> list[Kin] | None:
    """Return the shortest line from a candidate up to its ancestor, without that one; None: it is none."""
    child: dict[Ref, Kin] = {}
    generation = [young]
    while generation and old not in child:
        above = []
        for kin in run.kin(generation).values():
            for parent in kin.parents:
                if parent not in child and old.cohort <= parent.cohort < kin.ref.cohort:
                    child[parent] = kin
                    above.append(parent)
        generation = above
    if old not in child:
        return None
    line, at = list[Kin](), old
    while at != young:
        line.append(child[at])
        at = child[at].ref
    return line


def _same_run(first: Candidate, second: Candidate) -> bool:
    return first.run.path.resolve() == second.run.path.resolve()


def _genome(one: Candidate, *, born: bool) -> Genome:
    return one.run.born_genome(one.row.ref) if born else one.run.tuned_genome(one.row.ref)


def _scored_on(experiment: Experiment) -> str:
    task = experiment.task
    if task.kind is TaskKind.CLASSIFICATION:
        return f"{task.reported}, the same examples for all, so that intervals are over births"
    if fold_of(task) is Fold.REPORT:
        return task.reported
    return "fresh episodes of the search's own copy of the environment"


def _task(experiment: Experiment) -> object:
    return parsed(experiment.yaml)["task"]


def _notes(
    first: Candidate,
    second: Candidate,
    one: Experiment,
    other: Experiment,
    found: Comparison,
    *,
    born: bool,
    alike: bool,
) -> Iterator[str]:
    if not _same_run(first, second) and one.seed != other.seed:
        yield (
            "these are two searches with seeds of their own: equal gene numbers are no common descent, they "
            "only say what was drawn at the same place"
        )
    if one.grammar != other.grammar:
        yield "the grammars differ: equal codons may say different things; both are read by the second run's"
    here, there = parsed(one.yaml), parsed(other.yaml)
    if differing := [name for name in ("wiring", "birth", "architecture") if here[name] != there[name]]:
        yield f"the runs differ in {', '.join(differing)}: here the first genome is built as in the second"
    if not alike:
        yield "the tasks differ, so the effects of differences are not measured: this is the list of them"
    for each in (first, second):
        if not born and each.row.outcome is not Outcome.OK:
            yield f"{each.name} ended {each.row.outcome}: its genome is the one that it was born with"
    if found.agents:
        if born:
            yield "no agent learns: the scores are those of untrained networks"
        if any(part.group.title.startswith("learner.") for part in found.parts):
            yield (
                "settings of the learner act while a life tunes the network; in a tuned one they do nothing"
            )
        if found.alike:
            yield "all agents are born equal and are asked the same: the intervals are empty"
        elif found.level is not None:
            yield (
                f"all agents of the second score {found.level:g}: if that is the most that can be had, "
                "differences that cost less than the network has to spare are not seen"
            )
        if found.failure:
            yield found.failure

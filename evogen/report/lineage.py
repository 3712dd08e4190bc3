"""The page of a lineage: a candidate's ancestors as a drawing, where fitness rose, what made them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import takewhile

from evogen.analysis.lineage import Jump, founders, jumps, operators
from evogen.cohort import Outcome
from evogen.report.data import described
from evogen.report.markup import Child, Element, absent, cell, change, element, number, numeric, row, table
from evogen.report.search.phylogeny import MOST, Pedigree, tree
from evogen.runs import Run
from evogen.runs.records import Kin

GAINS, LISTED = 12, 600


def sections(run: Run, kin: Sequence[Kin], line: Sequence[Kin]) -> list[Element]:
    """Return the page's sections.

    Args:
        run: of the candidate.
        kin: the candidate and all its ancestors, the latest first.
        line: its main line, itself first.
    """
    one, *older = kin
    if not older:
        missing = f" Its parents {_refs(one)} are not in the run." if one.parents else ""
        said = f"No ancestors: it was made by '{one.operator}' in cohort {one.ref.cohort}.{missing}"
        return [_heading(run, kin, line), element("section", absent(said))]
    drawn = {each.ref: each for each in kin[:MOST]}
    found = Pedigree(drawn, list(takewhile(lambda each: each.ref in drawn, line)), len(drawn) == len(kin))
    gains = jumps(line)
    shown = [
        _heading(run, kin, line),
        element("section", element("h2", "Ancestors"), tree(found, str(one.ref))),
        _rises(gains),
        _operators(kin, line, gains),
        _line(line, gains),
    ]
    named = sorted({*drawn, *(each.ref for each in line[:LISTED])})
    block = described(run.path.resolve().name, [run.row(ref) for ref in named])
    return [element("div", *shown, block, data_run=1)]


def _heading(run: Run, kin: Sequence[Kin], line: Sequence[Kin]) -> Element:
    one, *older = kin
    ends = [each.told.fitness for each in (line[0], line[-1])]
    rise = None if None in ends or not older else (ends[0] or 0.0) - (ends[1] or 0.0)
    tiles = [
        ("fitness", number(one.fitness) if one.outcome is Outcome.OK else one.outcome.value),
        ("ancestors", number(len(older))),
        ("of them founders", number(len(founders(older)))),
        ("in cohorts", number(len({each.ref.cohort for each in older}))),
        ("main line, with itself", number(len(line))),
        ("rise along it", change(rise)),
    ]
    made = one.operator.replace("+", " + ")
    return element(
        "section",
        element("h1", f"Lineage of {run.path}@{one.ref}"),
        element("p", f"Genome {one.genome[:12]}, made by {made} in cohort {one.ref.cohort}.", class_="lead"),
        element(
            "dl",
            *(element("div", element("dt", name), element("dd", value)) for name, value in tiles),
            class_="tiles",
        ),
    )


def _rises(gains: Sequence[Jump]) -> Element:
    risen = sorted((jump for jump in gains if jump.gain > 0), key=lambda jump: -jump.gain)
    head = element("h2", "Where fitness rose")
    if not risen:
        return element("section", head, absent("Nowhere: no candidate of the main line beats its parent."))
    total = sum(jump.gain for jump in risen)
    rows = [
        row(
            jump.child.ref,
            [
                str(jump.child.ref),
                str(jump.parent.ref),
                numeric(jump.parent.fitness),
                numeric(jump.child.fitness),
                cell(change(jump.gain), order=jump.gain, kind="number"),
                cell(f"{jump.gain / total:.0%}", order=jump.gain / total, kind="number"),
                jump.child.operator.replace("+", " + "),
            ],
        )
        for jump in risen[:GAINS]
    ]
    named = ("candidate", "fitter parent", "parent's fitness", "its own", "gain", "of all gains", "made by")
    which = f"The {len(rows)} largest of {len(risen)}" if len(rows) < len(risen) else "All"
    note = (
        f"{which} gains along the main line. A gain may be luck: both scores are those of the search, which "
        "chose these candidates for scoring high."
    )
    return element("section", head, table(named, rows, class_="sortable"), element("p", note, class_="note"))


def _operators(kin: Sequence[Kin], line: Sequence[Kin], gains: Sequence[Jump]) -> Element:
    """Return how often each operator made an ancestor, and what its children on the main line gained."""
    made, on = operators(kin), operators(line)
    better, summed = Counter[str](), dict.fromkeys(made, 0.0)
    for jump in gains:
        for name in operators([jump.child]):
            better[name] += jump.gain > 0
            summed[name] += jump.gain
    rows: list[list[Child]] = [
        [
            name,
            numeric(count),
            numeric(on[name]),
            numeric(better[name]),
            cell(change(summed[name]), order=summed[name], kind="number"),
        ]
        for name, count in made.most_common()
    ]
    head = ("operator", "made, of all", "on the main line", "better than the parent", "sum of gains")
    note = "Of the candidate and its ancestors. A child of several operators counts for each of them."
    return element(
        "section",
        element("h2", "What made them"),
        table(head, rows, class_="sortable"),
        element("p", note, class_="note"),
    )


def _line(line: Sequence[Kin], gains: Sequence[Jump]) -> Element:
    by_child = {jump.child.ref: jump.gain for jump in gains}
    rows = [
        row(
            one.ref,
            [
                str(one.ref),
                numeric(one.fitness) if one.outcome is Outcome.OK else cell(one.outcome.value, kind="number"),
                cell(change(by_child.get(one.ref)), order=by_child.get(one.ref), kind="number"),
                _refs(one) or "–",
                one.operator.replace("+", " + "),
                one.genome[:12],
            ],
        )
        for one in line[:LISTED]
    ]
    more = len(line) - len(rows)
    note = "Each line is the fitter parent of the one above; a gain is over that parent."
    if more:
        note += f" {more} older ones are in the file of --json."
    head = ("candidate", "fitness", "gain", "parents", "made by", "genome")
    return element(
        "section",
        element("h2", "Main line"),
        table(head, rows),
        element("p", note, class_="note"),
    )


def _refs(one: Kin) -> str:
    return " ".join(map(str, one.parents))

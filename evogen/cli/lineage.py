"""The command `lineage`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evogen.cli.options import printed
from evogen.cli.outputs import PageFile, ValuesFile, refuse, write_page, write_values
from evogen.errors import RunError

if TYPE_CHECKING:
    from evogen.cohort import Ref
    from evogen.runs import Run
    from evogen.runs.records import Kin

_LINES = 20
_JUMPS = 3
_COLUMNS = "{:<11} {:>10} {:>10}  {:<16} {}"
_WIDTH = 80


def lineage(
    candidate: Annotated[
        str,
        typer.Argument(metavar="RUN@WHICH", help="WHICH: best (as RUN alone), COHORT:ROW, or a genome's id."),
    ],
    *,
    descendants: Annotated[bool, typer.Option("--descendants", help="Who descends from it.")] = False,
    lines: Annotated[int, typer.Option("-n", min=1, help="Most candidates to list.")] = _LINES,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Write its ancestry in the ALife standard; of RUN alone, all."),
    ] = None,
    out: PageFile = None,
    json: ValuesFile = None,
) -> None:
    """Say from whom a candidate descends, and where fitness rose."""
    from evogen.analysis import lineage as kinship
    from evogen.runs import Run

    refuse(page=out, values=json)
    if out is not None and descendants:
        raise RunError(f"-o {out}: the page shows ancestors; leave out --descendants or -o")
    folder, at, which = candidate.rpartition("@")
    if out is not None and export is not None and not at:
        raise RunError(f"--export of a whole run writes no page: leave out -o, or name {candidate}@best")
    with Run.open(Path(folder if at else which)) as found:
        if export is not None and not at:
            printed([_exported(found, kinship.relatives(found), export)])
            return
        ref = found.resolve(which if at else "best")
        walk = kinship.descendants if descendants else kinship.ancestors
        relatives = list(walk(found, ref))
        line = [] if descendants else kinship.main_line(found, ref)
        said = _down(found, ref, relatives, lines) if descendants else _up(found, relatives, line, lines)
        printed(said)
        if export is not None:
            printed([_exported(found, relatives, export)])
        if out is not None:
            from evogen.report import lineage as pages

            write_page(out, f"evogen: lineage of {found.path}@{ref}", pages.sections(found, relatives, line))
    if json is not None:
        write_values(json, _values(ref, relatives, line))


def _up(run: Run, kin: Sequence[Kin], line: Sequence[Kin], lines: int) -> Iterator[str]:
    from evogen.analysis import lineage as kinship

    one, *older = kin
    yield f"lineage     of {one.ref} in {run.path}, genome {one.genome[:12]}"
    if not older:
        missing = f"; its parents {_refs(one.parents)} are not in the run" if one.parents else ""
        yield f"ancestors   none: made by {one.operator} in cohort {one.ref.cohort}{missing}"
        return
    cohorts = len({ancestor.ref.cohort for ancestor in older})
    founders = f"{len(kinship.founders(older))} of them founders"
    yield f"ancestors   {len(older)} in {cohorts} cohort{'s' * (cohorts > 1)}, {founders}"
    common = kinship.operators(kin).most_common()
    yield from _wrapped("operators", (f"{name} {count}" for name, count in common))
    gains = kinship.jumps(line)
    best = sorted((jump for jump in gains if jump.gain > 0), key=lambda jump: -jump.gain)[:_JUMPS]
    yield f"jumps       {', '.join(f'{jump.gain:+.4g} at {jump.child.ref}' for jump in best) or 'none'}"
    goal, aim = next(iter(run.goals.objectives.items()))
    if goal != "fitness":
        yield f"gains       of {goal} ({aim}), the search's first objective: above 0 is better"
    yield f"main line   {len(line)} candidates, the fitter parent of each:"
    yield from _table(line[:lines], {jump.child.ref: jump.gain for jump in gains})
    if len(line) > lines:
        yield f"{len(line) - lines} older ones are not listed: -n {len(line)}"


def _down(run: Run, ref: Ref, kin: Sequence[Kin], lines: int) -> Iterator[str]:
    from evogen.analysis import lineage as kinship
    from evogen.runs.standing import rank

    yield f"descendants of {ref} in {run.path}: {len(kin) or 'none'}"
    if not kin:
        return
    children = [one for one in kin if ref in one.parents]
    yield f"children    {len(children)}; the last descendant is {kin[-1].ref}"
    common = kinship.operators(kin).most_common()
    yield from _wrapped("operators", (f"{name} {count}" for name, count in common))
    best = sorted(kin, key=lambda one: rank(one.told), reverse=True)[:lines]
    yield f"the best {len(best)}:" if len(best) < len(kin) else "all, the best first:"
    yield from _table(best, {})


def _table(kin: Sequence[Kin], gains: Mapping[Ref, float]) -> Iterator[str]:
    yield _COLUMNS.format("candidate", "fitness", "gain" if gains else "", "parents", "made by").rstrip()
    for one in kin:
        fitness = one.outcome.value if one.fitness is None else f"{one.fitness:.4g}"
        gain = f"{gains[one.ref]:+.4g}" if one.ref in gains else ""
        how = one.operator.replace("+", ", ")
        text = _COLUMNS.format(str(one.ref), fitness, gain, _refs(one.parents), how).rstrip()
        yield text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


def _wrapped(name: str, items: Iterable[str]) -> list[str]:
    return textwrap.wrap(
        ", ".join(items), _WIDTH, initial_indent=f"{name:<12}", subsequent_indent=" " * 12, max_lines=3
    )


def _exported(run: Run, kin: Any, path: Path) -> str:
    from evogen.export.phylogeny import write_phylogeny

    written = write_phylogeny(run, kin, path)
    lost = f"; {written.missing} times a parent is missing from the run" if written.missing else ""
    return f"phylogeny: {path}, {written.candidates} candidates, times in cohorts{lost}"


def _values(ref: Ref, kin: Sequence[Kin], line: Sequence[Kin]) -> dict[str, Any]:
    relatives = [
        {
            "candidate": str(one.ref),
            "genome": one.genome,
            "parents": [str(parent) for parent in one.parents],
            "operator": one.operator,
            "outcome": one.outcome.value,
            "fitness": one.fitness,
            "committed": one.committed,
        }
        for one in kin
    ]
    return {"candidate": str(ref), "main_line": [str(one.ref) for one in line], "relatives": relatives}


def _refs(refs: Sequence[Ref]) -> str:
    return " ".join(str(ref) for ref in refs)


COMMANDS = (lineage,)

"""The study of grammars: networks of evolved neuron groups beside plain classifiers, on ten sets.

Five structures x three weight modes, beside random search over the same grammar, flat grammatical evolution,
logistic regression and MLPs. MGE-style: the structures and the grammar are ours, for the paper's own (arXiv
2208.02787) are not public.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from evogen.analysis.plain import plain
from evogen.analysis.statistics import Interval
from evogen.errors import SpecError
from evogen.studies import Findings, Options, Study, refuse_run, refuse_unknown
from evogen.studies.export import write_all
from evogen.studies.grammar.arms import ARMS
from evogen.studies.grammar.cells import Cell, Effort, Result, read, work
from evogen.studies.grammar.sets import SETS, missing
from evogen.studies.grammar.table import lines
from evogen.studies.grammar.verdict import Contrast, Row, Verdict, arranged, contrasts, rows, verdict
from evogen.studies.jobs import spread
from evogen.studies.store import versions

TITLE = "Grammars of neuron groups, beside plain classifiers"
FOLDER, QUICK_FOLDER = Path("runs/study-grammar"), Path("runs/study-grammar-quick")
QUICK = Effort(seeds=3, cohorts=2, cohort_size=8, evolved=2)
QUICK_SETS = ("iris", "wine")
LONGEST = ("mnist-5k", "letter", "optdigits")

Say = Callable[[str], None]


def run(options: Options, say: Say) -> Findings:
    """Do what is missing of the study and return its table.

    Raises:
        SpecError: an option is wrong, or no set is left.
        RunError: a cell's file is damaged or was made otherwise.
        WorkerError: a worker died.
    """
    effort = QUICK if options.quick else Effort()
    if options.seeds is not None:
        effort = replace(effort, seeds=options.seeds)
    refuse_run(options)
    refuse_unknown(options, tasks=list(SETS), arms=[arm.name for arm in ARMS])
    folder = options.out or (QUICK_FOLDER if options.quick else FOLDER)
    cells = plan(options, effort, say)
    left = [cell for cell in cells if read(folder, cell) is None]
    count = len(cells) - len(left)
    if count:
        say(f"{count} of {len(cells)} cells are there already")

    def finish(cell: Cell) -> None:
        nonlocal count
        count += 1
        result = _there(folder, cell)
        say(f"{count}/{len(cells)} {cell.name}: {100 * result.test.mean():.1f} %, {result.seconds:.0f} s")

    left.sort(key=lambda cell: cell.set not in LONGEST)  # so that no worker is left alone with one at the end
    spread(left, partial(work, folder), workers=options.workers, finish=finish)
    done = [(cell, _there(folder, cell)) for cell in cells]
    table = arranged(done)
    every, differences, found = rows(done, table), contrasts(table), verdict(table)
    text = "\n".join([TITLE, "", *lines(done, every, differences, found)])
    whole = record(done, every, differences, found, options.command)
    return Findings(text, whole, write_all(folder, text, whole))


def plan(options: Options, effort: Effort, say: Say) -> list[Cell]:
    """Return the cells, but of sets whose package is not installed."""
    found = []
    for name in options.tasks or (QUICK_SETS if options.quick else SETS):
        if what := missing(name):
            say(f"left out {name}: {what}")
            continue
        arms = [arm for arm in ARMS if options.arms is None or arm.name in options.arms]
        found += [Cell(name, arm, effort) for arm in arms]
    if not found:
        raise SpecError("no set is left to study; see above what is missing")
    return found


def record(
    done: Sequence[tuple[Cell, Result]],
    every: Sequence[Row],
    differences: Sequence[Contrast],
    found: Verdict,
    command: str,
) -> dict[str, Any]:
    """Return all of the study as a JSON value; only `seconds` and `command` differ between equal runs."""
    effort = done[0][0].effort
    return {
        "study": TITLE,
        "command": command,
        "versions": versions(),
        "seeds": list(range(effort.first, effort.first + effort.seeds)),
        "settings": {cell.name: cell.settings() for cell, _ in done},
        "rows": [_named(row) for row in every],
        "contrasts": [_named(item) for item in differences],
        "sweep": [],
        "verdict": {
            "sets": [_named(line) for line in found.lines],
            "significantly below": found.below,
            "above both": found.above,
            "median share of MLP-32's trained numbers": found.ratio if found.lines else None,
            "holds": found.holds if found.lines else None,
        },
        "scores": {
            cell.name: {
                "test": result.test.tolist(),
                "validation": plain(result.validation),
                "parameters": result.parameters.tolist(),
            }
            for cell, result in done
        },
        "seconds": {cell.name: result.seconds for cell, result in done},
    }


def _named(item: object) -> dict[str, Any]:
    """Return the fields by name, an interval as its three numbers."""
    found: Mapping[str, Any] = vars(item)
    return {
        name: plain(value._asdict() if isinstance(value, Interval) else value)
        for name, value in found.items()
    }


def _there(folder: Path, cell: Cell) -> Result:
    result = read(folder, cell)
    assert result is not None
    return result


STUDY = Study("grammar", TITLE, run)

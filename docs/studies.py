"""Write docs/studies.md from the records in docs/studies/, one NAME.json a study: `python docs/studies.py`.

A record is the record.json that `evogen study NAME` leaves in its folder.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evogen.studies import TRIALS
from evogen.studies.trials.table import bracketed, found, head, implied, number, sides, summary

FOLDER = Path(__file__).parent
PAGE, RECORDS = FOLDER / "studies.md", FOLDER / "studies"
HEAD = """\
# Claims of the literature on trial

Each study puts a published claim beside controls: `evogen study NAME` is its full form, `--quick` a small
one that shows that it works. Numbers are means over training seeds with 95 % bootstrap intervals; scores
are of episodes or examples on which no rate, rule or seed of the published run was chosen. A contrast is
what the claim implies of two arms, or, where marked, a question of ours beside it. Final seeds and
contrasts were fixed before the published run; which pilots were seen before it, and what was changed after
them, is in each study's notes. A contrast is *supported* or *contradicted* if an exact rank test says so (p
< 0.05 after Holm's correction over all contrasts of the study; "as" means two one-sided tests against the
margin), and else *undecided*, which is no evidence of equality. At most one study in twenty claims a
difference, or a sameness, that is not there. A verdict is on these sizes, tasks and budgets of ours, and
its seeds are training seeds: where all of them share one data set or test fold, it says nothing of others.
A failed seed (*) ranks below all others where a measure has a better side, and is not in the mean.
This page is made by `python docs/studies.py` from the records in `docs/studies/`.
"""


def page(records: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page of records by the name of their study."""
    blocks = ["\n".join(_overview(records))] if records else []
    blocks += ["\n\n".join(_study(whole)) for whole in records.values()]
    return "\n\n".join([HEAD.rstrip(), *blocks]) + "\n"


def read(folder: Path = RECORDS) -> dict[str, Any]:
    """Return the records that are there, in the order of the studies."""
    paths = {name: folder / f"{name}.json" for name in TRIALS}
    return {name: json.loads(path.read_bytes()) for name, path in paths.items() if path.is_file()}


def _overview(records: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield "| study | claim | supported | contradicted | undecided |"
    yield "|---|---|---|---|---|"
    for name, whole in records.items():
        counts = " | ".join(str(count) for count in whole["verdict"].values())
        yield f"| [{name}](#{name}) | {_cell(whole['claim'])} | {counts} |"


def _study(whole: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {whole['study']}"
    yield f"**{whole['title']}.** On trial: {whole['claim']}"
    yield f"Source: {whole['source']}. Published: {whole['published']}"
    yield summary(whole)
    for title, items in sides(whole):
        yield "\n".join(_contrasts(title, items, whole))
    for task, says in whole["tasks"].items():
        yield f"`{task}`: {says}"
        yield "\n".join(_numbers(task, whole))
    yield "\n".join(
        [f"- `{name}`: {says}" for name, says in whole["arms"].items()]
        + [f"- {head(name, whole)}: {each['says']}{_better(each)}" for name, each in _measured(whole).items()]
        + [f"- {note}" for note in whole["notes"]]
    )
    versions = ", ".join(f"{name} {whole['versions'][name]}" for name in ("python", "torch", "numpy"))
    sizes = ", ".join(f"{name} {value:g}" for name, value in whole["sizes"].items())
    minutes = max(1, round(sum(whole["seconds"].values()) / 60))
    yield (
        f"`{whole['command']}`: seeds {whole['seeds'][0]} to {whole['seeds'][-1]}; {sizes or 'no sizes'}; "
        f"about {minutes} min of one processor core; {versions}."
    )


def _contrasts(title: str, items: Sequence[Mapping[str, Any]], whole: Mapping[str, Any]) -> Iterator[str]:
    yield f"| | {title} | |"
    yield "|---|---|---|"
    for item in items:
        yield f"| {item['verdict']} | {_cell(implied(item, whole))} | {_cell(found(item, whole))} |"


def _numbers(task: str, whole: Mapping[str, Any]) -> Iterator[str]:
    rows = {(row["arm"], row["measure"]): row for row in whole["rows"] if row["task"] == task}
    names = [name for name in whole["measures"] if any(name == measure for _, measure in rows)]
    yield "| arm | " + " | ".join(head(name, whole) for name in names) + " |"
    yield "|---|" + "---|" * len(names)
    for arm in dict.fromkeys(arm for arm, _ in rows):
        cells = [_number(rows.get((arm, name)), whole["measures"][name]) for name in names]
        yield f"| {arm} | " + " | ".join(cells) + " |"


def _number(row: Mapping[str, Any] | None, measure: Mapping[str, Any]) -> str:
    if row is None:
        return number(None, 0)
    lost = f" ({row['failed']} of {len(row['values'])} failed*)" if row["failed"] else ""
    return bracketed(row, measure["digits"]) + lost


def _measured(whole: Mapping[str, Any]) -> dict[str, Any]:
    names = {row["measure"] for row in whole["rows"]}
    return {name: each for name, each in whole["measures"].items() if name in names}


def _better(measure: Mapping[str, Any]) -> str:
    return f"; {measure['better']} is better" if measure["better"] else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(read()), encoding="utf-8")

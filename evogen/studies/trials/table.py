"""The table of a trial as text, within 80 columns: the claim, numbers by task, verdicts, what is what."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from math import comb
from typing import Any

from evogen.analysis.comparison.claims import LEVEL, Test

WIDTH = 80
RULE = (
    "Means over training seeds with 95 % bootstrap intervals. p: exact rank-sum tests, or signed-rank ones "
    "where seeds are paired or stand against a number, Holm-adjusted over all contrasts above; 'as' is two "
    "one-sided tests against its margin. Where a measure has a better side, a failed seed ranks below all "
    "others."
)
Record = Mapping[str, Any]


def lines(whole: Record) -> Iterator[str]:
    """Yield the table of a record."""
    yield from paragraph(whole["title"])
    yield ""
    yield from paragraph(f"On trial: {whole['claim']}")
    yield from paragraph(f"Source: {whole['source']}")
    yield from paragraph(f"Published: {whole['published']}")
    yield ""
    for task in whole["tasks"]:
        yield from _task(task, whole)
        yield ""
    yield from verdicts(whole)
    yield ""
    yield from _legend(whole)


def paragraph(text: str, *, first: str = "", rest: str = "  ") -> list[str]:
    """Return a text in lines of at most 80 columns."""
    return textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def _task(task: str, whole: Record) -> Iterator[str]:
    rows = {(row["arm"], row["measure"]): row for row in whole["rows"] if row["task"] == task}
    arms = [arm for arm in whole["arms"] if any(arm == one for one, _ in rows)]
    shown = [name for name in whole["measures"] if any(name == one for _, one in rows)]
    yield from paragraph(f"{task}: {whole['tasks'][task]}; {len(whole['seeds'])} seeds an arm")
    wide = max(len("arm"), *map(len, arms)) + 1
    texts = {where: _cell(row, whole["measures"][row["measure"]]) for where, row in rows.items()}
    columns = {
        name: max(len(head(name, whole)), *(len(texts.get((arm, name), "-")) for arm in arms)) + 2
        for name in shown
    }
    for block in blocks(shown, columns, WIDTH - wide):
        yield ""
        yield f"{'':{wide}}" + "".join(f"{head(name, whole):>{columns[name]}}" for name in block)
        for arm in arms:
            cells = "".join(f"{texts.get((arm, name), '-'):>{columns[name]}}" for name in block)
            yield f"{arm:{wide}}{cells}"
    lost = [f"{row['arm']} {row['measure']} {row['failed']}" for row in rows.values() if row["failed"]]
    if lost:
        yield from paragraph(f"* seeds that failed, not in the mean: {', '.join(lost)}")


def head(name: str, whole: Record) -> str:
    """Return the head of a measure's column."""
    unit = whole["measures"][name]["unit"]
    return f"{name}{f' ({unit})' if unit else ''}"


def blocks(names: Sequence[str], columns: Mapping[str, int], room: int) -> list[list[str]]:
    """Return names in groups whose columns fit side by side."""
    found: list[list[str]] = []
    left = 0
    for name in names:
        if not found or columns[name] > left:
            found.append([])
            left = room
        found[-1].append(name)
        left -= columns[name]
    return found


def _cell(row: Record, measure: Record) -> str:
    return bracketed(row, measure["digits"]) + ("*" if row["failed"] else "")


def bracketed(value: Record, digits: int, *, sign: str = "") -> str:
    """Return `mean [low, high]` of an interval by name."""
    mean, low, high = (number(value[name], digits, sign=sign) for name in ("mean", "low", "high"))
    return mean if value["low"] is None else f"{mean} [{low}, {high}]"


def number(value: float | None, digits: int, *, sign: str = "") -> str:
    """Return a number for people, `-` without one; in powers of ten where its digits would tell nothing."""
    if value is None:
        return "-"
    return f"{value:{sign},.{digits}f}" if abs(value) < 1e7 else f"{value:{sign}.2e}"


def verdicts(whole: Record) -> Iterator[str]:
    """Yield what is said of each contrast, and of all."""
    if not whole["contrasts"]:
        yield "No contrast of the claim has both its arms here: nothing is on trial."
        return
    for title, items in sides(whole):
        yield title
        for item in items:
            yield from paragraph(implied(item, whole), first=f"{item['verdict']:14}", rest=" " * 16)
            yield from paragraph(found(item, whole), first=" " * 16, rest=" " * 16)
        yield ""
    yield from paragraph(summary(whole))


def sides(whole: Record) -> Iterator[tuple[str, list[Record]]]:
    """Yield the contrasts that the claim implies, and those of ours, each with its title, if any."""
    for ours, title in ((False, "Verdict on what the claim implies"), (True, "Questions of ours beside it")):
        if items := [item for item in whole["contrasts"] if item.get("ours", False) is ours]:
            yield title, items


def implied(item: Record, whole: Record) -> str:
    """Return what the claim implies of two arms, in words."""
    digits, unit = _unit(item, whole)
    against = item["against"] if isinstance(item["against"], str) else number(item["against"], digits) + unit
    said = {
        "more": f"more than {against}",
        "less": f"less than {against}",
        "same": f"as {against}, within {number(item['margin'], digits)}{unit}",
    }[item["expected"]]
    return f"{item['task']}, {item['measure']}: {item['arm']} {said}"


def found(item: Record, whole: Record) -> str:
    """Return what was found of it, beside what was published."""
    digits, unit = _unit(item, whole)
    difference = bracketed(item["difference"], digits, sign="+")
    told = f"difference {difference}{unit}, {p_value(item['p'])}"
    return told + (f"; published: {item['published']}" if item["published"] else "")


def _unit(item: Record, whole: Record) -> tuple[int, str]:
    measure = whole["measures"][item["measure"]]
    return measure["digits"], f" {measure['unit']}" if measure["unit"] else ""


def p_value(p: float | None) -> str:
    """Return a p-value for people."""
    return "p -" if p is None else "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def summary(whole: Record) -> str:
    """Return what all contrasts come to, in one sentence, and how much they could have come to."""
    counts, seeds = whole["verdict"], len(whole["seeds"])
    total = sum(counts.values())
    said = ", ".join(f"{count} {name}" for name, count in counts.items())
    if counts["contradicted"]:
        head = "The claim is contradicted here" + (" in part" if counts["supported"] else "")
    elif counts["supported"] == total:
        head = "The claim is supported here"
    elif counts["supported"]:
        head = "The claim is supported here in part"
    else:
        head = "Nothing is decided here"
    if not total:
        return "No contrast that the claim implies has both its arms here: the claim is not on trial."
    few = "" if _possible(whole) else f"; {seeds} seeds are too few for any verdict"
    return f"{head}: of {total} contrasts {said}{few}. Undecided is no evidence of equality."


def _possible(whole: Record) -> bool:
    """Whether seeds that all agree would have had a p below 5 %."""
    seeds, total = len(whole["seeds"]), len(whole["contrasts"])
    least = [
        2.0 ** (1 - seeds) if item["test"] == Test.SIGNED_RANK.value else 2 / comb(2 * seeds, seeds)
        for item in whole["contrasts"]
    ]
    return min(least) * total < LEVEL


def _legend(whole: Record) -> Iterator[str]:
    for name, says in whole["arms"].items():
        yield from paragraph(f"{name}: {says}")
    for name, measure in whole["measures"].items():
        if any(row["measure"] == name for row in whole["rows"]):
            better = f"; {measure['better']} is better" if measure["better"] else ""
            yield from paragraph(f"{head(name, whole)}: {measure['says']}{better}")
    for note in whole["notes"]:
        yield from paragraph(note)
    yield ""
    yield from paragraph(RULE, rest="")
    yield from paragraph(f"Made by: {whole['command']}")

"""How a candidate of a run is named: `best`, `COHORT:ROW`, or the first digits of its genome's id."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from evogen.cohort import Ref
from evogen.errors import RunError

if TYPE_CHECKING:
    from evogen.runs.run import Run


def locate(text: str) -> tuple[Path, str]:
    """Split `FOLDER@SELECTOR`.

    Raises:
        RunError: one of the two is missing.
    """
    folder, _, selector = text.rpartition("@")
    if not folder or not selector:
        raise RunError(f"'{text}' names no candidate; give FOLDER@best, FOLDER@COHORT:ROW or FOLDER@ID")
    return Path(folder), selector


def resolve(run: Run, selector: str) -> Ref:
    """Return the place that a selector names, see `Run.resolve`."""
    if selector == "best":
        if (best := run.best()) is None:
            raise RunError(f"no candidate of {run.path} has a fitness yet; name one by COHORT:ROW")
        return best
    if place := re.fullmatch(r"(\d{1,18}):(\d{1,18})", selector):
        return run.existing(Ref(int(place[1]), int(place[2])))
    if re.fullmatch(r"[0-9a-f]{4,64}", selector):
        return _with_id(run, selector)
    raise RunError(
        f"'{selector}' names no candidate of {run.path}; "
        "give 'best', COHORT:ROW, or 4 or more digits of a genome's id"
    )


def _with_id(run: Run, prefix: str) -> Ref:
    found = run.select(
        "SELECT cohort, row, genome FROM candidate WHERE genome >= ? AND genome < ? ORDER BY cohort, row",
        prefix,
        f"{prefix}g",  # follows every hexadecimal digit
    )
    if not found:
        raise RunError(f"no genome of {run.path} has an id that begins with {prefix}")
    if ids := {genome for _, _, genome in found[1:]} - {found[0][2]}:
        raise RunError(
            f"{prefix} begins the ids {found[0][2]} and {min(ids)} in {run.path}; give more digits"
        )
    return Ref(*found[0][:2])

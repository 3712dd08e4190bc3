"""TensorBoard: a scalar a cohort, whose number is the step; settings as hyperparameters, and as text.

evogen.json in the folder says which search it is of and how far it is told. It is written after the events,
and what a cut left beyond it is purged when the next writer begins (TensorBoard's `purge_step`).

Source: https://www.tensorflow.org/tensorboard, torch.utils.tensorboard.
"""

from __future__ import annotations

import json
from copy import copy
from pathlib import Path
from typing import Any

from evogen.errors import RunError
from evogen.runs import Run
from evogen.trackers.cohorts import Tally, flat, identity

MARKER = "evogen.json"
HEADLINE = "fitness/best_so_far"


class TensorBoard:
    """Event files of one search.

    Args:
        folder: what `tensorboard --logdir` is given; the search gets a folder of its run's name in there.

    Raises:
        ImportError: tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        import torch.utils.tensorboard as _  # noqa: F401 (refused here, before any search begins)

        self.name = f"tensorboard:{folder}"
        self._root = folder
        self._tally, self._told = Tally(), 0
        self._writer: Any = None

    def push(self, folder: Path) -> int:
        """Tell the committed cohorts that are not told yet.

        Raises:
            RunError: the events of another search are there.
        """
        with Run.open(folder) as run:
            place = self._root / folder.resolve().name
            if self._writer is None:
                self._writer = self._begun(run, place)
            tally, whole = copy(self._tally), False
            try:
                for cohort, time, values in tally.new(run, begin=self._told):
                    for name, value in values.items():
                        self._writer.add_scalar(name, value, cohort, walltime=time)
                self._writer.flush()
                whole = True
            finally:
                if not whole:  # the next writer purges what it told
                    self.close()
            if tally.told > self._told:
                self._tally, self._told = tally, tally.told
                self._mark(place, identity(run))
        return self._told

    def close(self) -> None:
        """Close the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _begun(self, run: Run, place: Path) -> Any:
        from torch.utils.tensorboard import SummaryWriter
        from torch.utils.tensorboard.summary import hparams

        summaries: Any = hparams

        mine, marker = identity(run), place / MARKER
        known = json.loads(marker.read_text("utf-8")) if marker.is_file() else None
        if known is not None and known["run"] != mine:
            raise RunError(f"{place} holds the events of another search; name another folder")
        self._told = 0 if known is None else int(known["told"])
        writer: Any = SummaryWriter(str(place), purge_step=self._told or None)
        if known is None:
            for summary in summaries(flat(run), {HEADLINE: 0.0}):
                writer.file_writer.add_summary(summary)
            text = run.text("experiment.yaml")
            writer.add_text("experiment", "\n".join(f"    {line}" for line in text.splitlines()), 0)
            self._mark(place, mine)
        return writer

    def _mark(self, place: Path, run: str) -> None:
        draft = place / f".{MARKER}.tmp"
        draft.write_text(json.dumps({"run": run, "told": self._told}), "utf-8")
        draft.replace(place / MARKER)

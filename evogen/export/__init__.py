"""What other programs read of a run: a table of its candidates, or an Optuna study of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from evogen.errors import SpecError, near
from evogen.export.sheets import write_csv, write_parquet
from evogen.export.trials import write_study
from evogen.runs import Run

Write = Callable[[Run, Path], None]
FORMS: Mapping[str, tuple[str, Write]] = {
    "csv": ("candidates.csv", write_csv),
    "optuna": ("study.log", write_study),
    "parquet": ("candidates.parquet", write_parquet),
}


def export(run: Run, kind: str, out: Path | None = None) -> Path:
    """Write a run's candidates in another form and return the new file's path; one that is there is replaced.

    Args:
        run: open for reading.
        kind: csv, parquet, or optuna (a journal that `optuna-dashboard` opens).
        out: the file; by default one in the run's folder.

    Raises:
        SpecError: another kind, no folder to write to, or a package that is not installed.
    """
    if kind not in FORMS:
        raise SpecError(f"--to {kind}: no such form{near(kind, FORMS)}")
    name, write = FORMS[kind]
    path = out or run.path / name
    if path.is_dir() or not path.parent.is_dir():
        raise SpecError(f"--out {path}: wanted a file in a folder that is there")
    draft = path.with_name(f".{path.name}.tmp")
    try:
        draft.unlink(missing_ok=True)
        write(run, draft)
        draft.replace(path)
    except OSError as error:
        raise SpecError(f"cannot write {path}: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    return path

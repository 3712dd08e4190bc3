"""What a newcomer sees who runs a search on a table that cannot be used: one clear error, nothing written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from .calls import call
from .test_refusals import refuse

EXPERIMENT = """\
task: {kind: table, file: plants.csv, target: kind}
wiring: direct
architecture: {grammar: small.bnf, start: reflex}
learner: {kind: supervised, epochs: 1}
strategy: random
search: {cohorts: 1, cohort_size: 2}
"""
GRAMMAR = """\
<reflex> @type(module) ::= layer:dense [width,int,1,2,4] act:tanh readout:sum
<neuron> @type(neurons) ::= group:neurons act:tanh conn:full from:all readout:sum
"""
HEADER = "height,width,kind"
NUMBERS = np.random.default_rng(0).normal(size=(40, 2)).round(2).tolist()
ROWS = [[height, width, "abcd"[row % 4]] for row, (height, width) in enumerate(NUMBERS)]


def table(rows: Sequence[Sequence[object]], header: str = HEADER) -> str:
    return "\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n"


def changed(row: int, column: int, cell: object) -> str:
    rows = [list(each) for each in ROWS]
    rows[row][column] = cell
    return table(rows)


@pytest.fixture
def newcomer(folder: Path) -> Callable[..., None]:
    """Refuse a table with these texts, under settings of the task or of the file."""
    (folder / "small.bnf").write_text(GRAMMAR)

    def check(text: str, *texts: str, old: str = "", new: str = "") -> None:
        (folder / "plants.csv").write_text(text, encoding="utf-8")
        assert old in EXPERIMENT
        (folder / "plants.yaml").write_text(EXPERIMENT.replace(old, new, 1) if old else EXPERIMENT)
        refuse(folder, ["run", "plants.yaml"], *texts)
        refuse(folder, ["validate", "plants.yaml"], *texts)

    return check


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed(7, 1, "tall"), "row 8, column 'width': wanted a finite number, found 'tall'"),
        (changed(7, 1, "inf"), "row 8, column 'width': wanted a finite number, found 'inf'"),
        (
            changed(7, 1, "nan"),
            "row 8, column 'width': found no value: write missing: mean, or most-frequent",
        ),
        (changed(7, 1, ""), "row 8, column 'width': found no value: write missing: mean, or most-frequent"),
        (changed(7, 2, ""), "row 8, column 'kind': found no value: every row needs one"),
        (changed(7, 2, "e"), "wanted at least 5 rows of each of the 5 classes for 5 folds, found 1 of 'e'"),
        (
            table([[*row[:2], "a"] for row in ROWS]),
            "wanted at least two values in column 'kind', found 'a' only",
        ),
        (
            table([[row[0], 3, row[2]] for row in ROWS]),
            "found 'width' with one value in all rows: write constant",
        ),
        (table([row[2:] for row in ROWS], "kind"), "wanted a column that varies beside 'kind', found none"),
        (table([*ROWS, ["1"]]), "line 42: wanted 3 cells as in the first line, found 1"),
        (table(ROWS, "0.1,0.2,1"), "wanted column names in the first line, found numbers: 0.1, ..."),
        (table([]), "wanted at least one row below the column names, found none"),
        ("", "the file is empty"),
    ],
)
def test_bad_data_is_refused_by_the_name_of_its_file(
    newcomer: Callable[..., None], text: str, said: str
) -> None:
    newcomer(text, "plants.yaml:1:1: task: ", "plants.csv", said)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            ", target: kind",
            "",
            "plants.csv: wanted a target column: write target: NAME, one of height, width, kind",
        ),
        ("target: kind", "target: kidn", "plants.csv: no column 'kidn' as target; did you mean 'kind'?"),
        ("target: kind", "target: kind, groups: plot", "plants.csv: no column 'plot' as groups"),
        ("target: kind", "target: kind, groups: kind", "column 'kind' is both target and groups: choose one"),
        ("target: kind", "target: kind, ignore: width", "task.ignore: wanted a list, as in [first, second]"),
        ("target: kind", "target: kind, measure: f1", "wanted 'balanced', 'accuracy' or 'log-loss', found"),
        (
            "plants.csv",
            "plant.csv",
            "plant.csv is not there: wanted a file's path from the folder of this file",
        ),
        ("plants.csv", "small.bnf", "wanted a table as .csv, .parquet, .npz, found 'file.bnf'"),
    ],
)
def test_wrong_settings_of_a_table_are_refused(
    newcomer: Callable[..., None], old: str, new: str, said: str
) -> None:
    newcomer(table(ROWS), said, old=old, new=new)


@pytest.mark.parametrize("structure", ["modules", "coupled", "layered-modules"])
def test_more_classes_than_modules_can_read_out_are_refused(
    newcomer: Callable[..., None], structure: str
) -> None:
    modular = f"start: neuron, structure: {structure}, max_modules: 3"
    texts = (
        "architecture.max_modules: more classes than the grammar can read out",
        "at least 4, found 3",
        "^",
    )
    newcomer(table(ROWS), *texts, old="start: reflex", new=modular)


def test_a_good_table_runs_and_is_called_by_its_own_name(folder: Path) -> None:
    (folder / "small.bnf").write_text(GRAMMAR)
    (folder / "data").mkdir()
    (folder / "data/my plants, 2026.csv").write_text(table(ROWS))
    (folder / "plants.yaml").write_text(EXPERIMENT.replace("plants.csv", '"data/my plants, 2026.csv"'))
    result = call("run", "plants.yaml", "-o", "run")
    assert result.exit_code == 0, result.output
    assert "fold 0 of 5 of my plants, 2026.csv, balanced" in result.stdout
    assert (folder / "run/my plants, 2026.csv").read_text() == table(ROWS)
    (folder / "data/my plants, 2026.csv").unlink()
    result = call("resume", "run", "--set", "search.cohorts=2")
    assert result.exit_code == 0, result.output

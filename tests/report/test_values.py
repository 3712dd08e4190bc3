import csv
import json

import numpy as np
import pytest

from evogen.cohort import Outcome
from evogen.report import write


@pytest.fixture
def written(search, tmp_path):
    """Return a run with failures, and the folder of its report."""
    run, _ = search(3, ends=lambda ref: Outcome.OK if ref.row else Outcome.CRASHED, message="Traceback\nodd")
    write([run], tmp_path / "page.html")
    return run, tmp_path


def table(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_json_says_what_the_run_stores(written):
    run, folder = written
    document = json.loads((folder / "page.json").read_text())
    (found,) = document["runs"]
    assert document["report"] == 1
    assert found["name"] == "walk"
    assert (found["told"], found["planned"]) == (3, 3)
    assert found["fingerprint"] == run.fingerprint()
    assert found["outcomes"] == {"ok": 15, "diverged": 0, "invalid": 0, "timeout": 0, "crashed": 3}
    best = run.row(run.best())
    assert found["winner"]["candidate"] == found["leaders"][0]["candidate"] == str(best.ref)
    assert found["winner"]["fitness"] == best.fitness
    assert found["winner"]["scores"] == list(best.scores)
    assert found["winner"]["assessment"] is None
    rows = list(run.rows())
    assert found["candidates"]["fitness"] == [row.fitness for row in rows]
    assert found["candidates"]["message"][:2] == ["odd", ""]


def test_tables_agree_with_the_run(written):
    run, folder = written
    rows = list(run.rows())
    lines = table(folder / "page-candidates.csv")
    assert [line["candidate"] for line in lines] == [str(row.ref) for row in rows]
    assert [line["fitness"] for line in lines] == [
        "" if row.fitness is None else repr(row.fitness) for row in rows
    ]
    assert {line["run"] for line in lines} == {"walk"}
    for index, line in enumerate(table(folder / "page-cohorts.csv")):
        fitness = [row.fitness for row in rows if row.ref.cohort == index and row.fitness is not None]
        assert (line["candidates"], line["ok"], line["worker"]) == ("6", "5", "here")
        assert float(line["best"]) == max(fitness)
        assert float(line["median"]) == np.median(fitness)
        assert int(line["steps"]) == sum(row.steps for row in rows if row.ref.cohort <= index)


def test_run_without_candidates_has_empty_columns(search, tmp_path):
    run, _ = search(0)
    write([run], tmp_path / "page.html")
    (found,) = json.loads((tmp_path / "page.json").read_text())["runs"]
    assert found["winner"] is None
    assert found["candidates"]["fitness"] == found["cohorts"]["best"] == []
    assert table(tmp_path / "page-candidates.csv") == []

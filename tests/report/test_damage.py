"""A report of a damaged run says what is missing and shows the rest; what a run says is never obeyed."""

import json
import random
import sqlite3
from contextlib import closing

import gymnasium
import numpy as np
import pytest

from evogen.cli import report as command
from evogen.errors import RunError
from evogen.report import write
from evogen.runs import Run
from evogen.runs.salvage import open_readable, salvage

from .searches import CONTROL, Page

PAGE = 4096
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "direction": "\u202egnp.exe",
    "escape": "\x1b[2J\x1b]0;owned\x07",
    "surrogate-like": "\ufffe\uffff",
    "nul": "a\x00b",
    "long": "x" * 100_000,
    "template": "${1+1} {{7*7}} %s %n",
}


def change(run, statement, *values):
    run.close()
    with closing(sqlite3.connect(run.path / "run.db")) as database, database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        database.execute(statement, values)


def reported(run, tmp_path):
    """Return the page that `evogen report` writes about the run in this folder."""
    run.close()
    command.report([run.path], out=tmp_path / "page.html")
    return Page((tmp_path / "page.html").read_text())


def warnings(page):
    return len([item for item in page.named("p") if item.get("class") == "warning"])


ROWS = {
    "metrics": "{",
    "parents": "[[-1, 0]]",
    "scores": "[1, null]",
    "curve": '{"a": 1}',
    "steps": "many",
    "outcome": "splendid",
    "fitness": "high",
    "tuned": "[[[[",
    "message": b"\xff\xfe",
}


@pytest.mark.parametrize("column", list(ROWS))
def test_a_row_that_no_writer_wrote_is_left_out_and_named(tmp_path, search, column):
    run, _ = search(3)
    change(run, f"UPDATE candidate SET {column} = ? WHERE cohort = 1 AND row = 2", ROWS[column])
    page = reported(run, tmp_path)
    assert "candidate 1:2" in page.text
    assert warnings(page) >= 1
    with salvage(run.path) as found:
        assert len(list(found.rows())) == 17
        assert any("candidate 1:2 of run.db is damaged" in sentence for sentence in found.lost)


@pytest.mark.parametrize("body", ["[]", "{", '{"rules": 3}', '{"architecture": [[]]}', "null"])
def test_genomes_that_no_writer_wrote_stop_nothing(tmp_path, search, body):
    run, _ = search(2)
    change(run, "UPDATE candidate SET body = ?", body)
    page = reported(run, tmp_path)
    assert "cannot be read" in page.text or "Left out" in page.text


@pytest.mark.parametrize("value", ["NaN", "1e999", "9" * 400, "[" * 100_000, '"\\ud800"'])
@pytest.mark.parametrize("column", ["metrics", "parents", "curve"])
def test_odd_numbers_stop_nothing(tmp_path, search, column, value):
    run, _ = search(2)
    text = {"metrics": f'{{"expected_score": {value}}}', "parents": f"[[0, {value}]]", "curve": f"[{value}]"}
    change(run, f"UPDATE candidate SET {column} = ? WHERE cohort = 1 AND row = 0", text[column])
    assert "Fitness" in reported(run, tmp_path).text


@pytest.mark.parametrize("parents", ["[[1, 0]]", "[[2, 5]]", "[[77, 1]]", "[[0, 0], [0, 0]]"])
def test_parents_in_circles_or_from_the_future_end(tmp_path, search, parents):
    run, _ = search(3)
    change(run, "UPDATE candidate SET parents = ? WHERE cohort >= 1", parents)
    assert "Fitness" in reported(run, tmp_path).text


def test_missing_rows_are_counted(tmp_path, search):
    run, _ = search(3)
    change(run, "DELETE FROM candidate WHERE cohort = 1 AND row IN (2, 3)")
    assert "Candidates are missing that were committed: 2" in reported(run, tmp_path).text


def test_missing_cohorts_are_counted(tmp_path, search):
    run, _ = search(4)
    change(run, "DELETE FROM candidate WHERE cohort = 2")
    assert "and with them all of 1 cohorts" in reported(run, tmp_path).text


@pytest.mark.parametrize("statement", [
    "DELETE FROM cohort WHERE number = 1",
    "UPDATE cohort SET number = 1000000000000 WHERE number = 1",
    "UPDATE cohort SET seconds = 'long' WHERE number = 1",
    "UPDATE cohort SET worker = x'ff' WHERE number = 1",
])  # fmt: skip
def test_a_lost_time_of_a_cohort_loses_no_candidate(tmp_path, search, statement):
    run, _ = search(3)
    change(run, statement)
    page = reported(run, tmp_path)
    assert "The times of 1 cohorts are lost." in page.text
    with salvage(run.path) as found:
        assert len(list(found.rows())) == 18


@pytest.mark.parametrize("payload", ["{", "[]", '{"cohorts": "many"}', '{"cohorts": 3, "url": 1}', "null"])
@pytest.mark.parametrize("kind", ["created", "started", "assessment", "baselines", "goals", "mirrored"])
def test_altered_events_stop_nothing(tmp_path, search, kind, payload):
    run, _ = search(2)
    change(run, "INSERT INTO event (time, kind, payload) VALUES (1.0, ?, ?)", kind, payload)
    assert "Fitness" in reported(run, tmp_path).text


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_database_that_was_cut_shows_what_is_left(tmp_path, search, share):
    run, _ = search(12)
    run.close()
    file = run.path / "run.db"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(RunError, match=r"run\.db is damaged"):
        Run.open(run.path)
    page = reported(run, tmp_path)
    assert "run.db is damaged" in page.text
    assert warnings(page) >= 1
    with open_readable(run.path) as found:
        assert found.lost
        assert share < 0.9 or found.totals()[0] > 0


@pytest.mark.parametrize("seed", range(12))
def test_garbage_in_pages_ends_in_a_page_or_in_one_sentence(tmp_path, search, seed):
    run, _ = search(6)
    run.close()
    file, chance = run.path / "run.db", random.Random(seed)
    data = bytearray(file.read_bytes())
    for _ in range(3):
        at = chance.randrange(1, len(data) // PAGE) * PAGE
        data[at : at + PAGE] = chance.randbytes(PAGE)
    file.write_bytes(data)
    page = reported(run, tmp_path)
    assert warnings(page) >= 1


def test_a_file_that_is_no_database_is_one_sentence(tmp_path, search):
    run, _ = search(1)
    run.close()
    (run.path / "run.db").write_bytes(random.Random(1).randbytes(50_000))
    with pytest.raises(RunError, match=r"run\.db is damaged"):
        command.report([run.path], out=tmp_path / "page.html")


@pytest.mark.parametrize("name", ["experiment.yaml", "grammar.bnf", "environment.json", "arrays"])
@pytest.mark.parametrize("how", ["missing", "empty", "noise", "folder"])
def test_files_beside_the_database_may_be_missing_or_odd(tmp_path, search, name, how):
    run, _ = search(2)
    run.close()
    targets = list((run.path / name).iterdir()) if name == "arrays" else [run.path / name]
    for target in targets:
        content = {"empty": b"", "noise": random.Random(3).randbytes(999)}.get(how)
        target.unlink()
        if content is not None:
            target.write_bytes(content)
        elif how == "folder":
            target.mkdir()
    page = reported(run, tmp_path)
    assert "cannot be read" in page.text
    assert "Fitness" in page.text


@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_texts_are_shown_and_not_obeyed(tmp_path, search, name):
    text = HOSTILE[name]
    run, _ = search(2)
    run.log(text, **{"what": text, "url": text, "told": text})
    for column in ("operator", "message"):
        change(run, f"UPDATE candidate SET {column} = ? WHERE row = 1", text)
    metrics = json.dumps({text: 1.0, "expected_score": 2.0})
    change(run, "UPDATE candidate SET metrics = ? WHERE row = 1", metrics)
    change(run, "UPDATE cohort SET worker = ?", text)
    (run.path / "environment.json").write_text(json.dumps({text: text, "versions": {text: text}}))
    page = reported(run, tmp_path)
    assert not any("alert(1)" in script for script in page.inside.values())
    assert not [tag for tag, attributes in page.tags if any(key.startswith("on") for key in attributes)]
    assert "\x00" not in page.source
    assert "\x1b" not in page.source


class Broken(gymnasium.Env):
    """An environment of someone else that falls over in its third step."""

    observation_space = gymnasium.spaces.Box(-1.0, 1.0, (3,))
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.left = 2
        return np.zeros(3, np.float32), {}

    def step(self, action):
        self.left -= 1
        return np.zeros(3, np.float32), 1.0 / self.left, False, False, {}


def test_environment_that_raises_while_an_episode_is_recorded_leaves_a_note_and_the_rest(search, tmp_path):
    gymnasium.register("Broken-v0", entry_point=Broken, max_episode_steps=10)
    try:
        text = CONTROL.replace("{kind: cartpole, episodes: 1}", "{kind: gymnasium, id: Broken-v0}")
        run, _ = search(2, text=text)
        found = Page(write([run], tmp_path / "report.html").read_text())
    finally:
        gymnasium.registry.pop("Broken-v0")
    assert "It cannot be shown at work: the task raised ZeroDivisionError" in found.text
    assert "Weights at birth" in found.text
    assert "An episode of its life" not in found.text

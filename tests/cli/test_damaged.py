"""Commands on damaged and hostile runs end with 0, or with 2 and a sentence, and steer no terminal."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from .calls import call

PAGE = 4096
EVIL = "\x1b[2J\x1b]0;owned\x07\u202e<script>alert(1)</script>"
COMMANDS = (
    ("status", "{run}"),
    ("show", "{run}@best"),
    ("show", "{run}@1:1"),
    ("show", "{run}@1:1", "--json"),
    ("lineage", "{run}@best"),
    ("lineage", "{run}@0:1", "--descendants"),
    ("lineage", "{run}", "--export", "all.csv"),
    ("fingerprint", "{run}"),
    ("diff", "{run}@1:1", "{run}@best", "--agents", "2"),
    ("knockout", "{run}@1:1", "--agents", "2"),
    ("compare", "{run}", "{run}"),
    ("export", "{run}", "--to", "csv"),
    ("replay", "{run}@1:1"),
)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path / "run.db")) as database, database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            database.execute(statement)


def cut(path: Path) -> None:
    file = path / "run.db"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def noise(path: Path) -> None:
    file, chance = path / "run.db", random.Random(5)
    data = bytearray(file.read_bytes())
    for page in (3, 5, 7):
        data[page * PAGE : (page + 1) * PAGE] = chance.randbytes(PAGE)
    file.write_bytes(data)


def lost(path: Path) -> None:
    for name in ("experiment.yaml", "grammar.bnf", "environment.json"):
        (path / name).unlink()


def arrays(path: Path) -> None:
    for file in (path / "arrays").iterdir():
        file.write_bytes(b"gone")


def setting(column: str, value: str) -> Callable[[Path], None]:
    return lambda path: change(path, f"UPDATE candidate SET {column} = {value}")


HARM: dict[str, Callable[[Path], None]] = {
    "cut": cut,
    "noise": noise,
    "no files": lost,
    "no arrays": arrays,
    "rows missing": lambda path: change(path, "DELETE FROM candidate WHERE row = 1"),
    "a cohort missing": lambda path: change(path, "DELETE FROM cohort WHERE number = 1"),
    "a cohort far away": lambda path: change(path, "UPDATE cohort SET number = 1 << 60 WHERE number = 1"),
    "nothing left": lambda path: change(path, "DELETE FROM candidate", "DELETE FROM cohort"),
    "metrics": setting("metrics", "'{'"),
    "metrics not numbers": setting("metrics", """'{"fitness": "x", "expected_score": [1]}'"""),
    "parents of parents": setting("parents", "'[[1, 1]]'"),
    "parents negative": setting("parents", "'[[-1, 0]]'"),
    "parents huge": setting("parents", f"'[[{9**99}, 0]]'"),
    "parents text": setting("parents", """'[["a", "b"]]'"""),
    "steps": setting("steps", "'many'"),
    "fitness": setting("fitness", "9e999"),
    "fitness text": setting("fitness", "'high'"),
    "genome": setting("genome", "x'ff'"),
    "body": setting("body", "'[[[['"),
    "body of others": setting("body", """'{"rules": null, "architecture": 3}'"""),
    "tuned": setting("tuned", """'{"genes": [], "rules": 3}'"""),
    "outcome": setting("outcome", "'splendid'"),
    "events": lambda path: change(path, "UPDATE event SET payload = '[1'"),
    "events odd and unfinished": lambda path: change(
        path,
        "DELETE FROM event WHERE kind = 'complete'",
        "UPDATE event SET payload = '{\"cohorts\": [1]}', kind = 'mirrored' WHERE kind = 'started'",
    ),
    "events odd": lambda path: change(path, 'UPDATE event SET payload = \'{"cohorts": [1], "url": 2}\''),
    "standing": lambda path: change(path, "UPDATE standing SET value = '{}'"),
    "standing ahead": lambda path: change(path, "UPDATE standing SET told = 1000000"),
}


@pytest.mark.parametrize("harm", list(HARM))
def test_damage_is_a_sentence_and_never_a_traceback(folder: Path, run: str, harm: str) -> None:
    HARM[harm](folder / run)
    for command in COMMANDS:
        result = call(*(word.format(run=run) for word in command))
        assert result.exit_code in (0, 1, 2), (command, result.output, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), (command, result)
        if result.exit_code == 2:
            assert result.stderr.startswith(("error: ", "Usage: ")), (command, result.stderr)
            assert len(result.stderr) < 2000


def test_texts_of_a_run_do_not_steer_the_terminal(folder: Path, run: str) -> None:
    with closing(sqlite3.connect(folder / run / "run.db")) as database, database:
        for column in ("operator", "message"):
            database.execute(f"UPDATE candidate SET {column} = ?", (EVIL,))
        database.execute("UPDATE cohort SET worker = ?", (EVIL,))
        payload = '{"url": "\\u001b[31m", "told": 1, "cohorts": 3}'
        database.execute("INSERT INTO event (time, kind, payload) VALUES (1.0, 'mirrored', ?)", (payload,))
    for command in COMMANDS:
        result = call(*(word.format(run=run) for word in command))
        assert result.exit_code in (0, 1, 2), (command, result.output)
        assert not {"\x1b", "\x07", "\u202e"} & set(result.output), command
    assert "\\x1b[2J" in call("show", f"{run}@1:1").stdout


@pytest.mark.parametrize(
    "name", ["<script>alert(1)<", "a\x1b[31mb", "\u202egnp", "a'b\"c&amp;", "-x", "x" * 200]
)
def test_a_folder_may_have_any_name(folder: Path, run: str, name: str) -> None:
    (folder / run).rename(folder / name)
    for command in COMMANDS[:-1]:
        result = call(*(word.format(run=f"./{name}") for word in command))
        assert result.exit_code in (0, 2), (command, result.output)
        assert "\x1b" not in result.output

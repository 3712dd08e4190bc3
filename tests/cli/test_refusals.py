from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest
from experiment_files import EXPERIMENT, GRAMMAR

from .calls import call


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b""
        for path in sorted(folder.rglob("*"))
        if path.name not in ("run.db-shm", "run.db-wal")  # SQLite's own, made by reading
    }


def refuse(folder: Path, arguments: Sequence[str], *texts: str) -> None:
    """Assert one screen of error that holds these texts, exit code 2, no traceback, nothing written."""
    before = tree(folder)
    result = call(*arguments)
    shown = result.output
    assert result.exit_code == 2, shown
    assert isinstance(result.exception, SystemExit)
    assert len(result.stderr.splitlines()) <= 24
    assert "Traceback" not in shown
    for text in texts:
        assert text in result.stderr
    assert tree(folder) == before


def test_a_missing_file_is_refused(folder: Path) -> None:
    refuse(
        folder, ["run", "absent.yaml"], "absent.yaml: wanted an experiment file: No such file or directory"
    )
    refuse(folder, ["validate", "absent.yaml"], "absent.yaml: wanted an experiment file")


def test_a_yaml_error_is_shown_with_line_and_column(folder: Path) -> None:
    (folder / "small.yaml").write_text("task: cartpole\nwiring: [synaptogen\n")
    refuse(folder, ["run", "small.yaml"], "small.yaml:3:1: not YAML")


@pytest.mark.parametrize(
    ("old", "new", "texts"),
    [
        (
            "cohort_size: 4",
            "cohort_sise: 4",
            ("small.yaml:10:22: search.cohort_sise: unknown key; did you mean 'cohort_size'?", "^"),
        ),
        ("birth:", "brith:", ("small.yaml:3:1: brith: unknown key; did you mean 'birth'?",)),
        (
            "episodes: 1",
            "episodes: 0",
            ("small.yaml:1:24: task.episodes: wanted a number in [1, 1000], found 0",),
        ),
        ("agents: 2", "agents: many", ('birth.agents: wanted a valid integer, found "many"',)),
        ("kind: cartpole", "kind: cartpol", ("unknown task 'cartpol'; did you mean 'cartpole'?",)),
        ("learner: none\n", "", ("small.yaml: learner: this setting has no default",)),
        (
            "[1e-3, 0.5]",
            "[0.5, 1e-3]",
            ("plasticity.abcd.eta: wanted {log: [LOW, HIGH]} with 0 < LOW < HIGH",),
        ),
    ],
)
def test_a_wrong_setting_in_the_file_is_refused(
    folder: Path, old: str, new: str, texts: tuple[str, ...]
) -> None:
    assert old in EXPERIMENT
    (folder / "small.yaml").write_text(EXPERIMENT.replace(old, new))
    refuse(folder, ["run", "small.yaml"], *texts)


@pytest.mark.parametrize(
    ("grammar", "texts"),
    [
        (
            GRAMMAR.replace("<rule>\n", "<rul>\n"),
            ("small.bnf:1:", "<rul> is not defined; did you mean 'rule'?", "^"),
        ),
        (
            GRAMMAR.replace("plastic:none | plastic:abcd", "<more>") + "<more> ::= act:tanh <rule>\n",
            ("small.bnf:2:1: <rule> never ends", "^"),
        ),
        ("<reflex> layer:dense\n", ("small.bnf:1:", "^")),
    ],
)
def test_a_wrong_grammar_is_refused(folder: Path, grammar: str, texts: tuple[str, ...]) -> None:
    (folder / "small.bnf").write_text(grammar)
    refuse(folder, ["run", "small.yaml"], *texts)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--set", "search.cohort=3"], "search.cohort: unknown key; did you mean 'cohorts'?"),
        (["--set", "search.cohorts"], "wanted --set PATH=VALUE, as in --set search.cohorts=40"),
        (["--set", "search.cohorts=many"], "search.cohorts: wanted a valid integer"),
        (["--seed", "-1"], "--seed"),
        (["--seed", "x"], "--seed"),
        (["--workers", "-1"], "--workers"),
        (["--device", "gpu9"], "--device gpu9: torch cannot use it"),
        (["--address", "127.0.0.1:1"], "add --workers N"),
        (["--cohorts", "3"], "--cohorts"),
    ],
)
def test_a_wrong_option_is_refused(folder: Path, arguments: list[str], text: str) -> None:
    refuse(folder, ["run", "small.yaml", *arguments], text)


def test_an_existing_run_folder_is_refused(folder: Path, run: str) -> None:
    refuse(folder, ["run", "small.yaml"], "runs/small exists", "resume it, or give another folder")


@pytest.mark.parametrize("command", ["resume", "status", "fingerprint", "show", "report"])
def test_a_folder_that_is_no_run_is_refused(folder: Path, command: str) -> None:
    (folder / "other").mkdir()
    refuse(folder, [command, "other"], "other is not a run")
    refuse(folder, [command, "absent"], "absent")


@pytest.mark.parametrize("command", ["resume", "status", "fingerprint", "show", "report"])
def test_a_damaged_database_is_refused(folder: Path, run: str, command: str) -> None:
    database = folder / run / "run.db"
    database.write_bytes(b"damage" + os.urandom(1000) + database.read_bytes()[1006:])
    refuse(folder, [command, run], "runs/small/run.db is damaged")


def test_a_run_of_another_schema_version_is_refused(folder: Path, run: str) -> None:
    database = sqlite3.connect(folder / run / "run.db")
    database.execute("PRAGMA user_version = 99")
    database.commit()
    database.close()
    refuse(folder, ["resume", run], "schema version 99")


def test_an_unknown_candidate_is_refused(folder: Path, run: str) -> None:
    refuse(folder, ["show", f"{run}@9:9"], "no candidate 9:9")
    refuse(folder, ["show", f"{run}@first"], "'first' names no candidate")


def test_an_unknown_list_is_refused(folder: Path) -> None:
    refuse(folder, ["list", "strategys"], "did you mean 'strategies'?")

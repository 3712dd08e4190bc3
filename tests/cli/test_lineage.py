"""The command `lineage`: what it prints and the page that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .calls import call


def test_page_is_written_beside_what_is_printed(run: str) -> None:
    shown = call("lineage", f"{run}@2:3", "-o", "line.html")
    assert shown.exit_code == 0, shown.output
    assert "page: line.html" in shown.stdout
    page = Path("line.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert f"Lineage of {run}@2:3" in page
    assert shown.stdout.replace("page: line.html\n", "") == call("lineage", f"{run}@2:3").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{run}@2:3", "--descendants", "-o", "line.html"), "leave out --descendants or -o"),
        (("{run}", "--export", "all.csv", "-o", "line.html"), "name {run}@best"),
        (("{run}@2:3", "-o", "notes.txt"), "notes.txt exists and is no report"),
    ],
)
def test_page_that_cannot_be_is_refused(run: str, arguments: tuple[str, ...], said: str) -> None:
    Path("notes.txt").write_text("mine")
    shown = call("lineage", *(word.format(run=run) for word in arguments))
    assert shown.exit_code == 2
    assert said.format(run=run) in " ".join(shown.output.split())
    assert Path("notes.txt").read_text() == "mine"
    assert not Path("line.html").exists()
    assert not Path("all.csv").exists()

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .calls import call


def test_a_knockout_prints_a_table_and_writes_a_page_and_all_numbers(folder: Path, run: str) -> None:
    result = call("knockout", f"{run}@best", "--agents", "6", "-o", "out/k.html", "--json", "k.json")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"knock-out of {run}@")
    assert lines[1] == "6 agents each, on fresh episodes"
    assert lines[2].startswith("intact ")
    assert any(line.startswith("part ") for line in lines)
    assert lines[-1] == "page: out/k.html"
    assert max(map(len, lines)) <= 80
    found = json.loads((folder / "k.json").read_text())
    assert found["agents"] == len(found["intact"]) == 6
    names = [part["name"] for part in found["parts"]]
    assert names[0] == "all synapses"
    assert {"gene 1", "pair 1>1"} <= {*names}
    page = (folder / "out" / "k.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "Genes and the pairs that they form" in page


def test_a_knockout_is_the_same_again_and_lists_what_it_is_told(folder: Path, run: str) -> None:
    how = ("knockout", f"{run}@1:2", "--agents", "6", "--pairs", "3", "-n", "2")
    first = call(*how)
    assert first.exit_code == 0, first.output
    assert first.stdout == call(*how).stdout
    assert "smaller losses are not listed" in first.stdout
    assert "gene pairs were not screened" in " ".join(first.stdout.split())


def test_a_knockout_can_play_what_the_report_plays(folder: Path, run: str) -> None:
    result = call("knockout", f"{run}@best", "--agents", "6", "--pairs", "0", "--score", "report")
    assert result.exit_code == 0, result.output
    assert "Gymnasium's CartPole-v1, 1 fresh episodes an agent" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("runs/small",), "names no candidate; give FOLDER@best"),
        (("runs/small@9:9",), "has no candidate 9:9"),
        (("runs/none@best",), "runs/none"),
        (("runs/small@best", "--agents", "2"), "--agents"),
        (("runs/small@best", "--agents", "6", "--json", "no/such/k.json"), "wanted a file in a folder"),
        (("runs/small@best", "-o", "runs"), "this is a folder"),
        (("runs/small@best", "--device", "cuda:77"), "--device cuda:77: torch cannot use it"),
        (("runs/small@best", "--agents", "6", "-o", "runs/small/experiment.yaml"), "is no report"),
    ],
)
def test_what_cannot_be_knocked_out_is_said_in_a_sentence(
    folder: Path, run: str, arguments: tuple[str, ...], what: str
) -> None:
    result = call("knockout", *arguments)
    assert result.exit_code == 2
    assert what in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr

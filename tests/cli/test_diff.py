from __future__ import annotations

import json
import shutil
from pathlib import Path

import evogen
from evogen.diff import apply, load

from .calls import call


def test_diff_lists_differences_with_their_effects_in_80_columns(run: str) -> None:
    result = call("diff", f"{run}@0:0", f"{run}@0:1", "--agents", "2")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith(f"from  {run}@0:0  fitness ")
    assert lines[2] == "genomes as their lives tuned them (--born: as they were born)"
    assert lines[3] == "neither descends from the other"
    heads = [line for line in lines if line.endswith("95 %")]
    assert [head.split()[0] for head in heads] == ["rules", "architecture", "plasticity"]
    assert any(line.startswith("  all differences at once") for line in lines)


def test_without_effects_only_the_list_is_printed(run: str) -> None:
    result = call("diff", f"{run}@0:0", f"{run}@0:1", "--no-effects", "-n", "2")
    assert result.exit_code == 0, result.output
    assert "95 %" not in result.stdout
    assert "more, which do less; -n lists more of them" in result.stdout


def test_a_candidate_does_not_differ_from_itself(run: str) -> None:
    result = call("diff", f"{run}@0:0", f"{run}@0:0")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "no difference: the two genomes are equal"


def test_the_patch_that_is_written_makes_one_genome_of_the_other(folder: Path, run: str) -> None:
    result = call("diff", f"{run}@0:0", f"{run}@0:1", "--no-effects", "--json", "d.json")
    assert result.exit_code == 0, result.output
    value = json.loads((folder / "d.json").read_text())
    assert [value[name]["candidate"] for name in ("first", "second")] == [f"{run}@0:0", f"{run}@0:1"]
    assert {each["chromosome"] for each in value["differences"]} >= {"rules", "architecture"}
    with evogen.open(run) as found:
        a, b = (found.tuned_genome(found.resolve(which)) for which in ("0:0", "0:1"))
    patch = load(json.dumps(value["patch"]))
    assert (patch.before, patch.after) == (a.id, b.id)
    assert apply(patch.differences, a) == b


def test_a_page_is_written(folder: Path, run: str) -> None:
    result = call("diff", f"{run}@0:0", f"{run}@0:1", "--agents", "2", "-o", "d.html")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1] == "page: d.html"
    assert (folder / "d.html").read_text().startswith("<!DOCTYPE html>")


def test_runs_of_other_tasks_are_listed_without_effects(folder: Path, run: str) -> None:
    other = call("run", "small.yaml", "--set", "task.episodes=2", "-o", "other")
    assert other.exit_code == 0, other.output
    result = call("diff", f"{run}@0:0", "other@0:1")
    assert result.exit_code == 0, result.output
    assert "the tasks differ" in result.stdout
    assert "95 %" not in result.stdout


def test_what_cannot_be_compared_is_said(folder: Path, run: str) -> None:
    for arguments, text in (
        ((run, f"{run}@0:0"), "names no candidate"),
        ((f"{run}@9:0", f"{run}@0:0"), "has no candidate 9:0"),
        (("nothing@best", f"{run}@0:0"), "nothing"),
        ((f"{run}@0:0", f"{run}@0:1", "--json", "no/where.json"), "--json no/where.json"),
        ((f"{run}@0:0", f"{run}@0:1", "-o", "."), "-o"),
        ((f"{run}@0:0", f"{run}@0:1", "--device", "cuda:77"), "--device cuda:77: torch cannot use it"),
    ):
        result = call("diff", *arguments)
        assert result.exit_code == 2, result.output
        assert text in result.stderr


def test_a_damaged_run_is_said_to_be_damaged(folder: Path, run: str) -> None:
    shutil.rmtree(folder / run / "arrays")
    (folder / run / "arrays").mkdir()
    result = call("diff", f"{run}@0:0", f"{run}@0:1")
    assert result.exit_code == 2, result.output
    assert result.stderr.startswith("error: ")

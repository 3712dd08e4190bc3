"""What a notebook shows of runs and genomes: tables, cards, figures; executed by a real kernel at the end."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import experiment_files
import numpy as np
import pytest
from lives import make_genome

import evogen
from evogen.cards import LARGEST, card, heat_map
from evogen.errors import SpecError
from evogen.genome import Genome, frozen
from evogen.runs import Run

pandas = pytest.importorskip("pandas")
CONTENT = """
import evogen
run = evogen.open("run")
run
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("notebook")
    with evogen.run(evogen.load(experiment_files.write(folder)), out=folder / "run") as found:
        yield found


class Balanced(HTMLParser):
    """Checks that every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_table_holds_every_candidate_with_its_measures(run: Run) -> None:
    frame = run.frame()
    rows = list(run.rows())
    assert list(frame.index) == [str(row.ref) for row in rows]
    assert list(frame["fitness"]) == [row.fitness for row in rows]
    assert list(frame["expected_score"]) == [row.metrics["expected_score"] for row in rows]
    assert frame["fitness"].idxmax() == str(run.best())
    assert frame.groupby("cohort").size().tolist() == [4, 4, 4]


def test_cohorts_and_events_are_tables_too(run: Run) -> None:
    cohorts, events = run.frame("cohorts"), run.frame("events")
    assert list(cohorts.index) == [0, 1, 2]
    assert cohorts["best"].max() == run.row(run.resolve("best")).fitness
    assert cohorts["seconds"].tolist() == [timing.seconds for timing in run.timings()]
    assert list(events["kind"]) == [event.kind for event in run.events()]
    assert str(events["time"].dt.tz) == "UTC"
    with pytest.raises(SpecError, match="'cohort': no table of a run has that name; did you mean 'cohorts'"):
        run.frame("cohort")


def test_without_pandas_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(SpecError, match=r"pip install 'evogen\[notebook\]'"):
        run.frame()


def test_a_run_without_candidates_has_empty_tables_and_a_card(tmp_path: Path) -> None:
    with Run.create(tmp_path / "new", experiment="", files={}, environment={}) as new:
        assert len(new.frame()) == len(new.frame("cohorts")) == 0
        assert "new" in new._repr_html_()


def test_a_card_says_how_far_a_run_is(run: Run) -> None:
    text = run._repr_html_()
    Balanced(text)
    best = run.row(run.resolve("best"))
    assert f"candidate {best.ref}, fitness {best.fitness:.4g}" in unescape(text)
    assert "12 ok" in text


def test_a_card_escapes_what_it_is_given(tmp_path: Path) -> None:
    text = card("<script>", [("<b>", "</td><script>alert(1)</script>")])
    Balanced(text)
    assert "<script>" not in text
    genome = Genome(None, make_genome().interface, (), {"<img src=x>": 1.0})
    assert "<img" not in genome._repr_html_()


def test_a_run_with_a_hostile_name_is_harmless(tmp_path: Path) -> None:
    path = experiment_files.write(tmp_path)
    with evogen.run(evogen.load(path, ["search.cohorts=1"]), out=tmp_path / "<img src=x>") as found:
        text = found._repr_html_()
        Balanced(text)
        assert "<img" not in text
        assert all("<img src=x>" not in figure.html for figure in evogen.figures(found).values())


def test_a_genomes_card_draws_its_rules() -> None:
    genome = make_genome()
    text = genome._repr_html_()
    Balanced(text)
    assert genome.rules is not None
    cells = re.findall(r'fill="(#\w+)" fill-opacity="([\d.]+)"', text)
    assert len(cells) == genome.rules.O.size
    values = genome.rules.O.ravel()
    strongest = int(np.argmax(np.abs(values)))
    assert [float(opacity) for _, opacity in cells][strongest] == 1.0
    assert len({colour for (colour, _), value in zip(cells, values, strict=True) if value > 0}) == 1
    assert genome.id[:12] in text


def test_a_large_heat_map_shows_means_of_blocks() -> None:
    text = heat_map(frozen(np.ones((100, 100))), "ones")
    assert text.count('fill-opacity="1.00"') == LARGEST**2
    assert heat_map(frozen([[math.nan, 0.0]]), "gaps").count("<rect") == 2  # one cell and the frame


def test_figures_are_those_of_the_report(run: Run, tmp_path: Path) -> None:
    found = evogen.figures(run)
    assert "Fitness over the search" in found
    assert all(
        "<svg" in figure.html or "<table" in figure.html or "<img" in figure.html for figure in found.values()
    )
    figure = evogen.figure(run, "fitness")
    assert figure == found["Fitness over the search"]
    assert repr(figure) == "Figure(title='Fitness over the search')"
    assert figure.html.startswith("<!DOCTYPE html>")
    assert "default-src 'none'" in figure.html
    assert figure.save(tmp_path / "f.html").read_text("utf-8") == figure.html
    with pytest.raises(SpecError, match="'fitnes of nothing': run has no such figure"):
        evogen.figure(run, "fitnes of nothing")


def test_a_figure_is_framed_apart_from_the_notebook(run: Run) -> None:
    figure = evogen.figure(run, "fitness")
    text = figure._repr_html_()
    assert unescape(text[text.index('srcdoc="') + 8 : text.rindex('"')]) == figure.html
    assert text.count("<") == 2, "all of the page is in the attribute"
    assert 'sandbox="allow-scripts"' in text


def test_a_kernel_shows_all_of_it(run: Run) -> None:
    nbclient = pytest.importorskip("nbclient", reason="needs nbclient and ipykernel")
    pytest.importorskip("ipykernel", reason="needs nbclient and ipykernel")
    import nbformat

    cells = [CONTENT, "run.frame()", "run.born_genome(run.best())", "evogen.figure(run, 'fitness')"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(run.path.parent)}}
    ).execute()
    shown = [cell.outputs[-1]["data"]["text/html"] for cell in notebook.cells]
    assert [text.split(">")[0].split()[0] for text in shown] == ["<div", "<div", "<div", "<iframe"]
    assert "evogen run run" in shown[0]
    assert "dataframe" in shown[1]
    assert "rule matrix O" in shown[2]

"""docs/picture.py: a picture of one figure of a page, or a sentence that says what is wrong."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from report.browsing import executable

from evogen.report.figures import Frame, axes, dots, figure
from evogen.report.markup import element
from evogen.report.page import document, save

SCRIPT = Path(__file__).parents[1] / "docs" / "picture.py"


@pytest.fixture
def page(tmp_path):
    frame = Frame((0, 1), (0, 1), "x", "y", 300, 200)
    drawing = element("svg", axes(frame), dots(frame, [0.5], [0.5], "blue"), viewBox="0 0 300 200", width=300)
    shown = [element("section", element("h2", "Part"), figure(name, drawing)) for name in ("One", "Two")]
    return save(document("page", shown), tmp_path / "page.html")


def take(*arguments, **variables):
    words = [sys.executable, str(SCRIPT), *map(str, arguments)]
    ended = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **variables})
    return ended.returncode, " ".join(ended.stderr.split())


def pixels(path):
    image = pytest.importorskip("PIL.Image")
    return np.asarray(image.open(io.BytesIO(path.read_bytes())).convert("RGB")).astype(int)


def test_picture_shows_the_figure_alone_at_twice_its_size(page, tmp_path):
    executable()
    out = tmp_path / "new" / "two.png"
    assert take(page, "Two", out, CHROMIUM=executable()) == (0, "")
    found = pixels(out)
    assert 600 <= found.shape[1] <= 600 + 4 * 16 + 20
    rim = np.concatenate([found[:20].reshape(-1, 3), found[-20:].reshape(-1, 3)])
    assert (rim == found[0, 0]).all()  # nothing of its neighbours
    assert found[0, 0].min() > 240
    assert (np.abs(found - found[0, 0]).sum(-1) > 100).mean() > 0.005


def test_dark_picture_is_dark(page, tmp_path):
    assert take(page, "One", tmp_path / "one.png", "--scheme", "dark", CHROMIUM=executable())[0] == 0
    assert pixels(tmp_path / "one.png")[0, 0].max() < 60


def test_title_that_is_not_there_is_answered_with_those_that_are(page, tmp_path):
    code, said = take(page, "Three", tmp_path / "three.png", CHROMIUM=executable())
    assert code == 2
    assert "no figure or section is headed 'Three'; there are: Part One Two" in said
    assert not (tmp_path / "three.png").exists()


def test_missing_page_and_browser_are_said(page, tmp_path):
    assert take(tmp_path / "no.html", "One", tmp_path / "x.png")[0] == 2
    code, said = take(page, "One", tmp_path / "x.png", CHROMIUM="no-such-browser")
    assert (code, "CHROMIUM=no-such-browser is no program" in said) == (2, True)
    code, said = take(page, "One", tmp_path / "x.png", CHROMIUM="", PATH=str(tmp_path))
    assert (code, "no Chromium: none of chromium" in said) == (2, True)

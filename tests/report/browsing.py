"""A page in a real Chromium: what it asks for and complains of, and what a reader measures in it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ABSENT = "no Chromium, or no playwright: apt-get install chromium; pip install playwright"
# Every text that is seen, with the contrast of WCAG 2.2 between it and what is behind it.
CONTRASTS = """() => {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const parts = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    return [...pen.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => parts(colour).slice(0, 3)
    .map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = at.ownerSVGElement ? "transparent" : getComputedStyle(at).backgroundColor;
      if (parts(colour)[3] > 0) return colour;
    }
    return "white";
  };
  return [...document.querySelectorAll("body *")]
    .filter((item) => item.checkVisibility() && !["SCRIPT", "STYLE"].includes(item.tagName))
    .filter((item) => !item.classList.contains("onto")) // on a coloured cell, which this does not see
    .filter((item) => [...item.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((item) => {
      const style = getComputedStyle(item);
      const [a, b] = [light(item.ownerSVGElement ? style.fill : style.color), light(behind(item))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return [ratio, `${item.tagName}.${item.getAttribute("class")}: ${item.textContent.slice(0, 40)}`];
    });
}"""
# Figures and drawings that are seen but have no extent or draw nothing.
EMPTY = """() => {
  const seen = (item) => item.checkVisibility();
  const flat = (item) => !(item.getBoundingClientRect().width > 0 && item.getBoundingClientRect().height > 0);
  const drawn = "path:not([d='']), image, rect, circle, ellipse, line, polygon, polyline";
  const told = (item) => item.getAttribute("aria-label") ?? item.textContent;
  const figures = [...document.querySelectorAll("figure")].filter(seen)
    .filter((item) => flat(item) || !item.querySelector("h4") || !item.querySelector("svg, table, img"));
  const drawings = [...document.querySelectorAll("svg")].filter(seen)
    .filter((svg) => flat(svg) || ![...svg.querySelectorAll(drawn)].some((part) => {
      const box = part.getBBox(); return box.width + box.height > 0; }));
  const marks = [...document.querySelectorAll("path.marks")]
    .filter((path) => path.getAttribute("d").split("h0").length - 1 !== path.dataset.refs.split(" ").length);
  return [...figures, ...drawings, ...marks].map(told);
}"""
# Where the mark of a candidate is in the window, by the data of the page and not by its script.
MARK = """(path, ref) => {
  const at = path.dataset.refs.split(" ").indexOf(ref);
  const [x, y] = path.getAttribute("d").match(/-?[\\d.]+ -?[\\d.]+/g)[at].split(" ").map(Number);
  const place = new DOMPoint(x, y).matrixTransform(path.getScreenCTM());
  return [place.x, place.y];
}"""


def executable():
    """Return the machine's Chromium; without one a test is skipped, or fails where one is required."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None and os.environ.get("EVOGEN_BROWSER") == "required":
        pytest.fail(f"EVOGEN_BROWSER=required, but {ABSENT}")
    if found is None:
        pytest.skip(ABSENT)
    return found


@contextmanager
def chromium():
    """Start a browser."""
    path = executable()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        if os.environ.get("EVOGEN_BROWSER") == "required":
            raise
        pytest.skip(ABSENT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def opened(browser, path, *, width=1200, height=900, address="", **settings):
    """Open a file; at the end it has asked for nothing else and complained of nothing."""
    context = browser.new_context(viewport={"width": width, "height": height}, **settings)
    page = context.new_page()
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('policy', e.violatedDirective))"
    )
    page.goto(path.resolve().as_uri() + address)
    yield page
    assert complaints == []
    assert [url.partition("#")[0] for url in requests if not url.startswith("data:")] == [
        path.resolve().as_uri()
    ]
    context.close()


def column(table, place):
    """Return what the cells of a column say: the number that it is sorted by, or else the text."""
    script = """(table, place) => [...table.tBodies[0].rows].map((row) => row.cells[place])
        .map((cell) => (cell.dataset.order === undefined ? cell.textContent : Number(cell.dataset.order)))"""
    return table.evaluate(script, place)

"""The page: sections, style and script in one file that needs nothing else.

Its content security policy forbids every request, and every script and style but the two written here, by
hash.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from evogen import store
from evogen.errors import RunError
from evogen.report import overview, winner
from evogen.report.facts import Facts, gather
from evogen.report.markup import Element, element, html
from evogen.runs import Run

_SECTIONS = (
    overview.heading,
    overview.progress,
    winner.verdict,
    winner.portrait,
    overview.leaders,
    overview.outcomes,
    overview.environment,
    overview.reproduction,
)


def write(runs: Sequence[Run], out: Path) -> Path:
    """Write one HTML page about these runs, one below another; the file is replaced whole or not at all.

    Args:
        runs: one or more, open.
        out: the file; its folders are made as well.

    Raises:
        RunError: a run's database cannot be read, the file cannot be written, or it exists and is no report.
    """
    with store.explained(out.parent):
        if out.is_file() and not out.read_bytes()[:15].lower().startswith(b"<!doctype html"):
            raise RunError(f"{out} exists and is no report; give another file to -o")
    text = page([gather(run) for run in runs])
    with store.explained(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        store.write_durably(out, text.encode(errors="backslashreplace"))
    return out


def page(found: Sequence[Facts]) -> str:
    """Return the page about these runs."""
    style, script = (
        files(__package__).joinpath(f"report.{kind}").read_text("utf-8") for kind in ("css", "js")
    )
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"evogen: {', '.join(facts.name for facts in found)}"),
        element("style", style),
    )
    articles = [_article(at, facts) for at, facts in enumerate(found, 1)]
    contents = _contents(found) if len(found) > 1 else None
    body = element("body", contents, element("main", *articles), element("script", script))
    return "<!DOCTYPE html>\n" + html(element("html", head, body, lang="en")) + "\n"


def _article(at: int, facts: Facts) -> Element:
    return element("article", *(section(facts) for section in _SECTIONS), id=f"run-{at}")


def _contents(found: Sequence[Facts]) -> Element:
    links = (element("li", element("a", facts.name, href=f"#run-{at}")) for at, facts in enumerate(found, 1))
    return element("nav", element("ul", *links), aria_label="Runs")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

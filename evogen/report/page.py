"""The page: sections, style and script in one file that needs nothing else.

Its content security policy forbids every request, and every script and style but the two written here, by
hash. What it shows is also written as values into files beside it (see `evogen.report.values`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from evogen.errors import RunError
from evogen.report import beside, data, values, winner
from evogen.report.facts import Facts, gather
from evogen.report.markup import Element, element, html
from evogen.report.search import archive, fronts, groups, operators, overview, phases, phylogeny
from evogen.runs import Run, store

_SCRIPTS = ("candidates.js", "plane.js", "charts.js", "report.js")
_KINDS = {  # of the files that a report is, by the ends of their names: how each begins
    ".html": "<!DOCTYPE html>",
    ".json": '{"report":',
    "-candidates.csv": "run,candidate,",
    "-cohorts.csv": "run,cohort,",
}
_SECTIONS = (
    overview.heading,
    overview.progress,
    fronts.front,
    archive.archive,
    groups.islands,
    groups.rungs,
    winner.verdict,
    winner.portrait,
    overview.leaders,
    phylogeny.phylogeny,
    operators.operators,
    overview.outcomes,
    phases.phases,
    overview.environment,
    overview.reproduction,
)


def write(runs: Sequence[Run], out: Path) -> Path:
    """Write one HTML page about these runs, one below another, and its values beside it.

    Each file is replaced whole or not at all, the page last.

    Args:
        runs: one or more, open.
        out: the page, whose name ends in .html; its folders are made as well.

    Raises:
        RunError: a run's database cannot be read, a file cannot be written, or one of that name exists and is
            none of a report's.
    """
    for end, begin in _KINDS.items():
        _refuse_others(_beside(out, end), begin)
    found = [gather(run) for run in runs]
    for end, text in (
        (".json", values.document),
        ("-candidates.csv", values.candidates),
        ("-cohorts.csv", values.cohorts),
        (".html", page),
    ):
        _write(text(found), _beside(out, end))
    return out


def save(text: str, out: Path) -> Path:
    """Write a page; the file is replaced whole or not at all.

    Raises:
        RunError: the file cannot be written, or it exists and is no page.
    """
    _refuse_others(out, _KINDS[".html"])
    _write(text, out)
    return out


def page(found: Sequence[Facts]) -> str:
    """Return the page about these runs."""
    articles = [article(at, facts) for at, facts in enumerate(found, 1)]
    title = f"evogen: {', '.join(facts.name for facts in found)}"
    together = beside.side_by_side(found)
    shown = articles if together is None else [together, *articles]
    return _whole(title, _contents(found) if len(found) > 1 else None, shown)


def document(title: str, sections: Sequence[Element]) -> str:
    """Return a page of its own: these sections under one another, with the style and script of a report."""
    return _whole(title, None, [element("article", *sections)])


def _whole(title: str, contents: Element | None, articles: Sequence[Element]) -> str:
    style = _part("report.css")
    script = "\n".join(map(_part, _SCRIPTS))
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", style),
    )
    body = element("body", contents, element("main", *articles), element("script", script))
    return "<!DOCTYPE html>\n" + html(element("html", head, body, lang="en")) + "\n"


def _part(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text("utf-8")


def _beside(out: Path, end: str) -> Path:
    """Return the name of one of the files of a report, whose page is `out`."""
    if out.suffix.lower() not in (".html", ".htm"):
        _refuse_others(out, _KINDS[".html"])
        raise RunError(f"the page of a report has a name that ends in .html, not '{out.name}'")
    return out if end == ".html" else out.with_name(out.stem + end)


def _refuse_others(out: Path, begin: str) -> None:
    """Refuse to replace a file that does not begin as ours do."""
    with store.explained(out.parent):
        if out.is_file() and not out.read_bytes()[: len(begin)].lower().startswith(begin.lower().encode()):
            raise RunError(f"{out} exists and is no report; give another file to -o")


def _write(text: str, out: Path) -> None:
    with store.explained(out.parent):
        out.parent.mkdir(parents=True, exist_ok=True)
        store.write_durably(out, text.encode(errors="backslashreplace"))


def article(at: int, facts: Facts) -> Element:
    """Return the part of a page that is about one run, the `at`-th; the last of it are its candidates."""
    found = (section(facts) for section in _SECTIONS)
    heading, *sections = [section for section in found if section is not None]
    contents = _sections(f"run-{at}", sections)
    known = data.block(facts, [heading, *sections])
    return element("article", heading, contents, *sections, known, id=f"run-{at}", data_run=at)


def _sections(name: str, sections: Sequence[Element]) -> Element:
    """Return links to the sections, whose headings become their targets."""
    links = []
    for place, heading in enumerate(heading for section in sections for heading in section.iter("h2")):
        heading.set("id", f"{name}-{place}")
        links.append(element("li", element("a", "".join(heading.itertext()), href=f"#{name}-{place}")))
    return element("nav", element("ul", *links), aria_label="Sections", class_="contents")


def _contents(found: Sequence[Facts]) -> Element:
    links = (element("li", element("a", facts.name, href=f"#run-{at}")) for at, facts in enumerate(found, 1))
    return element("nav", element("ul", *links), aria_label="Runs")


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

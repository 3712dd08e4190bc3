"""Notebooks: the figures of a report one by one, where they are asked for.

    run = evogen.open("runs/mine")     a card
    run.frame()                        its candidates as a table (`evogen.runs.display`)
    evogen.figure(run, "fitness")      one figure of its report
    evogen.figures(run)                all of them, by title
    run.born_genome(run.best())        a card with the rule matrix (`evogen.cards`)

A figure is a page of its own in a frame, with the style, the script and the content security policy of a
report (see `evogen.report.page`): so nothing in it reaches the notebook, nor is touched by its style, and
hovering, selecting and zooming work as in the report. It follows the reader's light or dark setting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from evogen.errors import SpecError, near
from evogen.report import page
from evogen.report.facts import gather
from evogen.report.markup import Element, element
from evogen.runs import Run

HEIGHT = 520  # pixels of a frame, which the reader can pull


@dataclass(frozen=True)
class Figure:
    """One figure of a report.

    Attributes:
        title: its caption.
        html: a page that shows it alone.
    """

    title: str
    html: str = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page; a page that is there is replaced.

        Raises:
            RunError: the file cannot be written, or it exists and is no page.
        """
        return page.save(self.html, Path(path))

    def _repr_html_(self) -> str:
        """Return a frame for the notebook."""
        return _frame(self.title, self.html)


class Figures(Mapping[str, Figure]):
    """The figures of a run's report by title, in its order; shown one below another."""

    def __init__(self, name: str, found: Mapping[str, Figure]) -> None:
        self.name = name
        self._found = dict(found)

    def __getitem__(self, title: str) -> Figure:
        return self._found[title]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"Figures of {self.name}: {', '.join(self._found)}"

    def like(self, name: str) -> Figure:
        """Return the first figure whose title has these words in it, in any case.

        Raises:
            SpecError: there is none.
        """
        words = name.lower().split()
        for title, figure in self._found.items():
            if all(word in title.lower() for word in words):
                return figure
        raise SpecError(f"'{name}': {self.name} has no such figure{near(name, self._found)}")

    def _repr_html_(self) -> str:
        """Return frames for the notebook."""
        return "".join(figure._repr_html_() for figure in self._found.values())


def figures(run: Run) -> Figures:
    """Return the figures of a run's report; what cannot be read is left out, as there.

    Raises:
        RunError: the database cannot be read.
    """
    facts = gather(run)
    article = page.article(1, facts)
    block = [part for part in article if part.tag == "script"]
    found: dict[str, Figure] = {}
    for drawn in article.iter("figure"):
        title = _title(drawn)
        if title and title not in found:
            shown = element("section", drawn, *block, data_run=1)
            found[title] = Figure(title, page.document(f"{facts.name}: {title}", [shown]))
    return Figures(facts.name, found)


def figure(run: Run, name: str) -> Figure:
    """Return the first figure of a run's report whose title has these words in it, in any case.

    Raises:
        SpecError: there is none.
        RunError: the database cannot be read.
    """
    return figures(run).like(name)


def _title(drawn: Element) -> str:
    head = drawn.find("h4")
    return "" if head is None else " ".join("".join(head.itertext()).split())


def _frame(title: str, text: str) -> str:
    style = f"width:100%;height:{HEIGHT}px;border:0;resize:vertical;overflow:auto;display:block"
    named = f'<iframe title="{escape(title)}" sandbox="allow-scripts" style="{style}"'
    return f'{named} srcdoc="{escape(text)}"></iframe>'

"""The page of a knock-out: every part in the table, both maps, and nothing that a name could break."""

from __future__ import annotations

import numpy as np
import pytest

from evogen.analysis.knockout.silenced import Kind
from evogen.analysis.knockout.worth import Knockout, Label, Part
from evogen.report import page
from evogen.report.knockout import sections

from .searches import Page


def part(kind: Kind, name: str, where: tuple[int, ...] = (), loss: float = 0.0, **changes: object) -> Part:
    label = Label.ESSENTIAL if loss >= 0.9 else Label.NONE if loss == 0 else Label.USEFUL
    numbers = {"low": loss - 0.1, "high": loss + 0.1, "p": 0.01, "label": label, "predicted": loss / 2}
    return Part(
        **{"kind": kind, "name": name, "where": where, "loss": loss, "wiring": 0.3} | numbers | changes
    )


NAN = float("nan")
UNSEEN = {"low": NAN, "high": NAN, "p": NAN, "label": Label.LEFT_OUT}
PARTS = (
    part(Kind.EVERYTHING, "all synapses", loss=1.0),
    *(part(Kind.GENE, f"gene {k + 1}", (k,), 0.3 * k) for k in range(3)),
    part(Kind.MODULE, "module 7", (7,), 0.95),
    part(Kind.RULE, "rule abcd", (), 0.4),
    part(Kind.TERM, "abcd.eta", (), 0.2, note="is 0 already"),
    *(part(Kind.PAIR, f"pair {i + 1}>{j + 1}", (i, j), 0.1 * i) for i in range(3) for j in range(2)),
    part(Kind.PAIR, "pair 1>3", (0, 2), NAN, **UNSEEN),
)


def of(parts: tuple[Part, ...] = PARTS, **changes: object) -> Knockout:
    how = {
        "genome": "ab" * 32,
        "reported": "fresh episodes",
        "unit": "share of its own actions",
        "intact": (1.0, 1.2, 0.8),
        "left_out": 1,
        "alike": False,
        "examples": 0,
        "learner": ("learner.learning_rate",),
    }
    return Knockout(parts=parts, **how | changes)


def shown(found: Knockout, title: str = "runs/x@1:2") -> Page:
    return Page(page.document(title, sections(found, title)))


def test_every_screened_part_is_in_the_sorted_table_with_its_verdict() -> None:
    found = shown(of())
    for one in PARTS[:-1]:
        assert one.name in found.text
    assert "pair 1>3" not in found.text
    assert "1 gene pairs were not screened" in found.text
    assert "is 0 already" in found.text
    assert "learner.learning_rate: acts while a life tunes the network" in found.text
    orders = [cell["data-order"] for cell in found.named("td") if "data-order" in cell][::5]
    assert [float(order) for order in orders] == sorted(map(float, orders), reverse=True)


def test_both_maps_have_genes_on_two_edges_and_pairs_between() -> None:
    found = shown(of())
    pictures = [image for image in found.named("svg") if image.get("class") == "matrix"]
    assert len(pictures) == 2
    assert "Pairs: 3 by 3, from 0 to 0.2" in pictures[0]["aria-label"]
    assert "Genes: 1 by 3, from 0 to 0.6" in pictures[0]["aria-label"]
    assert "Pairs: 3 by 3, from 0 to 0.1" in pictures[1]["aria-label"]


def test_without_rules_plasticity_or_prediction_it_says_so() -> None:
    parts = tuple(
        part(one.kind, one.name, one.where, one.loss, predicted=NAN)
        for one in PARTS
        if one.kind in (Kind.EVERYTHING, Kind.MODULE)
    )
    text = shown(of(parts, unit=None, learner=(), left_out=0)).text
    assert "No genetic rules: every synapse has a weight of its own." in text
    assert "There is none." in text
    assert "it scores whole lives" in text


@pytest.mark.parametrize("loss", [NAN, 0.0, 1e300])
def test_a_screen_that_tells_nothing_still_has_a_page(loss: float) -> None:
    label = Label.NO_EFFECT if np.isfinite(loss) else Label.FAILED
    changes = {"low": loss, "high": loss, "p": NAN, "label": label, "predicted": loss}
    parts = tuple(part(one.kind, one.name, one.where, loss, **changes) for one in PARTS)
    assert "nothing can be called essential" in shown(of(parts)).text


def test_names_from_outside_stay_text() -> None:
    hostile = "<script>alert(1)</script>"
    parts = (*PARTS, part(Kind.TERM, hostile, (), 0.1, note=hostile))
    found = shown(of(parts, reported=hostile, learner=(hostile,)), f"{hostile}@1:2")
    assert hostile in found.text
    assert found.inside["script"].count("alert(1)") == 0

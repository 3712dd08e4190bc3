import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evogen.cohort import Outcome
from evogen.report import data
from evogen.report.data import block, chosen, embedded, spread
from evogen.report.facts import gather
from evogen.report.markup import element, html, row

VALUES = st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=4))


@given(VALUES)
def test_embedded_json_is_the_value_and_ends_no_script(value):
    text = embedded(value)
    assert json.loads(text) == value
    assert text.isascii()
    assert html(element("script", text)) == f"<script>{text}</script>"
    assert "<" not in text


def test_not_a_number_is_no_json():
    with pytest.raises(ValueError, match="JSON compliant"):
        embedded(float("nan"))


def test_block_says_what_the_run_stores(search):
    run, _ = search(2, ends=lambda ref: Outcome.OK if ref.row else Outcome.CRASHED)
    made = block(gather(run), [])
    found = json.loads(made.text)
    columns = {
        name: [column["texts"][at] for at in column["at"]] if isinstance(column, dict) else column
        for name, column in found["columns"].items()
    }
    assert made.get("type") == "application/json"
    assert found["name"] == "walk"
    for place, stored in enumerate(run.rows()):
        assert found["refs"][place] == str(stored.ref)
        assert found["parents"][place].split() == [str(parent) for parent in stored.parents]
        assert columns["outcome"][place] == stored.outcome.value
        assert columns["made by"][place].replace(" ", "") == stored.operator
        assert columns["steps"][place] == stored.steps
        assert columns["genome"][place] == stored.genome[:12]
        if stored.fitness is None:
            assert columns["fitness"][place] is None
        else:
            assert columns["fitness"][place] == pytest.approx(stored.fitness, rel=1e-5)


def test_large_run_keeps_what_is_named_before_a_sample_of_the_rest(search, monkeypatch):
    run, _ = search(3, ends=lambda ref: Outcome.OK if ref.row else Outcome.DIVERGED)
    monkeypatch.setattr(data, "MOST", 8)
    facts = gather(run)
    every = [str(row.ref) for row in facts.rows]
    cloud = element("path", data_refs=" ".join(every))
    shown = [element("table", row("1:1", []), row("2:3", []), row("9:9", [])), element("svg", cloud)]
    found = [str(row.ref) for row in chosen(facts, shown)]
    assert len(found) == 8
    assert {"0:0", "1:1", "2:3"} <= {*found}
    assert found == sorted(found, key=every.index)
    assert {ref.partition(":")[0] for ref in found} == {"0", "1", "2"}


def test_spread_is_the_sample_standard_deviation():
    assert spread((2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0)) == pytest.approx((32 / 7) ** 0.5)
    assert spread((1.0,)) is None

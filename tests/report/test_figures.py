import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evogen.cohort import Ref
from evogen.report.figures import Frame, axes, band, dots, drawing, extent, labels, line, marks, ticks

FRAME = Frame((0.0, 10.0), (0.0, 1.0), "x (steps)", "y (score)", width=272, height=170)  # plane: 200 x 100
NUMBERS = st.floats(-1e9, 1e9)


def test_frame_maps_corners_of_the_data_to_corners_of_the_plane():
    assert FRAME.at(0, 0) == "50.0 130.0"
    assert FRAME.at(10, 1) == "250.0 30.0"
    assert FRAME.at(5, 0.5) == "150.0 80.0"


@pytest.mark.parametrize(
    ("low", "high", "wanted"),
    [
        (0, 500, [0, 100, 200, 300, 400, 500]),
        (0.31, 0.99, [0.4, 0.6, 0.8]),
        (-1.2, 1.2, [-1, -0.5, 0, 0.5, 1]),
    ],
)
def test_ticks_are_round(low, high, wanted):
    assert ticks(low, high) == pytest.approx(wanted)


@given(NUMBERS, st.floats(1e-6, 1e9))
def test_ticks_lie_inside_and_are_few(low, size):
    found = ticks(low, low + size)
    slack = 1e-6 * (abs(low) + size)
    assert 1 <= len(found) <= 6
    assert all(low - slack <= tick <= low + size + slack for tick in found)


def test_labels_have_the_decimals_that_their_spacing_needs():
    assert labels([0.0, 0.5, 1.0]) == ["0.0", "0.5", "1.0"]
    assert labels([0.0, 20000.0]) == ["0", "20,000"]
    assert labels([-0.02, 0.0]) == ["−0.02", "0.00"]


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32)))
def test_extent_holds_every_finite_value_and_is_never_empty(values):
    low, high = extent(values)
    assert low < high
    assert all(low <= value <= high for value in values if math.isfinite(value))


def test_axes_carry_ticks_and_labels_with_units():
    texts = [item.text for item in axes(FRAME).iter("text")]
    assert "x (steps)" in texts
    assert "y (score)" in texts
    assert {"0", "4", "10", "0.0", "0.8"} <= set(texts)


def test_line_breaks_where_a_value_is_not_finite():
    drawn = line(FRAME, [0, 1, 2, 3], [0.0, 1.0, math.nan, 0.5], "blue")
    assert drawn.get("d") == "M50.0 130.0L70.0 30.0M107.0 80.0h6"  # a point alone is seen too


def test_a_long_number_at_the_end_of_an_axis_is_not_cut():
    frame = Frame((0.0, 800_000.0), (0.0, 1.0), "steps", "share")
    last = next(item for item in axes(frame).iter("text") if item.text == "800,000")
    assert float(last.get("x")) + 3.7 * len("800,000") <= frame.width
    assert float(last.get("x")) < frame.across(800_000)


def test_band_goes_out_along_the_top_and_back_along_the_bottom():
    drawn = band(FRAME, [0, 10], [0.0, 0.5], [0.5, 1.0], "blue")
    assert drawn.get("d") == "M50.0 80.0L250.0 30.0L250.0 80.0L50.0 130.0Z"


def test_marks_name_the_candidates_of_the_dots_that_are_drawn():
    drawn = marks(FRAME, [0, 5, math.inf, 10], [0, math.nan, 0, 1], ["0:0", "0:1", "0:2", Ref(1, 3)], "grey")
    assert drawn.get("d") == "M50.0 130.0h0M250.0 30.0h0"
    assert drawn.get("data-refs") == "0:0 1:3"
    assert marks(FRAME, [math.nan], [0], ["0:0"], "grey").get("d") is None


def test_axes_say_what_they_span_for_those_who_draw_them_again():
    drawn = axes(FRAME)
    assert [float(end) for end in drawn.get("data-span").split()] == [*FRAME.x, *FRAME.y]
    left, right, top, bottom = map(float, drawn.get("data-plane").split())
    assert FRAME.at(0, 0) == f"{left} {bottom}"
    assert FRAME.at(10, 1) == f"{right} {top}"


def test_drawing_too_wide_for_half_a_page_is_broad():
    assert drawing(470, 290, "narrow").get("class") is None
    assert drawing(980, 290, "wide", kind="tree").get("class") == "tree broad"


def test_dots_stand_one_for_each_point():
    drawn = dots(FRAME, [0, 5, 10], [0, 1, 0], "grey")
    assert len(re.findall("h0", drawn.get("d"))) == 3

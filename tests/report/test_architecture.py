from itertools import combinations

from evogen.grammar.plan import Group, Plan, Projection
from evogen.report.architecture import depths, described, drawn, listed

PLAN = Plan(
    (
        Group(0, "in", 4),
        Group(5, "l0", 16, "tanh"),
        Group(5, "l1", 8, "relu", "leaky", {"tau": 3.2}),
        Group(9, "l0", 32, "selu"),
        Group(0, "out", 2),
    ),
    (
        Projection(0, 1, 5),
        Projection(1, 2, 5, density=0.25),
        Projection(2, 4, 5, rule="abcd", coefficients={"eta": 0.1}),
        Projection(0, 3, 9),
        Projection(3, 4, 9),
    ),
)


def boxes():
    rects = [item for item in drawn(PLAN).iter("rect") if item.get("class") == "box"]
    return [[float(item.get(name)) for name in ("x", "y", "width", "height")] for item in rects]


def test_column_of_a_group_is_its_longest_path_from_the_input():
    assert depths(PLAN) == [0, 1, 2, 1, 3]


def test_every_group_has_a_box_and_no_two_overlap():
    found = boxes()
    assert len(found) == len(PLAN.groups)
    for (x, y, w, h), (a, b, c, d) in combinations(found, 2):
        assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_boxes_stay_inside_the_drawing_and_grow_with_their_group():
    width, height = (float(drawn(PLAN).get(name)) for name in ("width", "height"))
    assert all(x >= 0 and x + w <= width and y >= 0 and y + h <= height for x, y, w, h in boxes())
    heights = [box[3] for box in boxes()]
    assert heights[0] < heights[1] < heights[3]


def test_links_show_sparseness_and_plasticity():
    image = drawn(PLAN)
    kinds = [item.get("class") for item in image.iter("path") if not item.get("class").endswith("tip")]
    assert kinds == ["link", "link sparse", "link plastic", "link", "link"]
    assert {"25%", "abcd", "leaky tau 3.2"} <= {item.text for item in image.iter("text")}


def test_text_alternatives_say_the_same():
    assert described(PLAN) == (
        "4 inputs; module 1: l0: 16 tanh, l1: 8 relu leaky tau 3.2; module 2: l0: 32 selu; 2 outputs"
    )
    rows = [[item.text for item in row.iter("td")] for row in listed(PLAN).iter("tr")]
    assert rows[2] == ["5", "l0: 16 tanh", "l1: 8 relu leaky tau 3.2", "0.25", "none"]
    assert rows[3][-2:] == ["1", "abcd eta 0.1"]


def test_a_recurrent_group_has_a_loop_and_a_prior_its_name():
    loop, guided = Projection(1, 1, 5), Projection(0, 3, 9, prior="local", settings={"radius": 0.25})
    plan = Plan(PLAN.groups, (*PLAN.projections[:3], guided, PLAN.projections[4], loop))
    assert depths(plan) == depths(PLAN)
    paths, before = list(drawn(plan).iter("path")), list(drawn(PLAN).iter("path"))
    assert len(paths) == len(before) + 1
    assert "local" in {item.text for item in drawn(plan).iter("text")}
    rows = [[item.text for item in row.iter("td")] for row in listed(plan).iter("tr")]
    assert rows[4][1:4] == ["in: 4 identity", "l0: 32 selu", "local radius 0.25"]
    assert rows[6][1:3] == ["l0: 16 tanh", "l0: 16 tanh"]

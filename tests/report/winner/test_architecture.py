from itertools import combinations

from evogen.grammar.plan import Group, Plan, Projection
from evogen.report.winner.architecture import boxes, depths, described, drawn, lanes, listed, wires

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


def rects():
    rects = [item for item in drawn(PLAN).iter("rect") if item.get("class") == "box"]
    return [[float(item.get(name)) for name in ("x", "y", "width", "height")] for item in rects]


def test_column_of_a_group_is_its_longest_path_from_the_input():
    assert depths(PLAN) == [0, 1, 2, 1, 3]


def test_every_group_has_a_box_and_no_two_overlap():
    found = rects()
    assert len(found) == len(PLAN.groups)
    for (x, y, w, h), (a, b, c, d) in combinations(found, 2):
        assert x + w <= a or a + c <= x or y + h <= b or b + d <= y


def test_boxes_stay_inside_the_drawing_and_grow_with_their_group():
    width, height = (float(drawn(PLAN).get(name)) for name in ("width", "height"))
    assert all(x >= 0 and x + w <= width and y >= 0 and y + h <= height for x, y, w, h in rects())
    heights = [box[3] for box in rects()]
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


NEURONS = Plan(
    (
        Group(0, "in", 4),
        Group(5, "n", 1, "tanh"),
        Group(6, "n", 1, "relu"),
        Group(7, "n", 3, "tanh", module=1),
        Group(8, "n", 1, "sin", module=1),
        Group(0, "out", 2),
    ),
    (
        Projection(0, 1, 5),
        Projection(0, 2, 6, density=0.5),
        Projection(0, 3, 7),
        Projection(0, 4, 8),
        Projection(3, 4, 8, rule="abcd"),
        Projection(1, 5, 5),
        Projection(2, 5, 6),
        Projection(4, 5, 8),
    ),
    levels=(0, 1, 1, 1, 2, 3),
    modules=2,
)


def test_genes_that_are_neuron_groups_share_the_box_of_their_module_and_level():
    found = boxes(NEURONS)
    assert [(box.groups, box.column, box.lane, box.size) for box in found] == [
        ((0,), 0, None, 4),
        ((1, 2), 1, 0, 2),
        ((3,), 1, 1, 3),
        ((4,), 2, 1, 1),
        ((5,), 3, None, 2),
    ]
    assert found[1].lines == ("1 tanh", "1 relu")
    assert lanes(NEURONS) == ["module 1", "module 2"]


def test_links_between_boxes_say_whether_any_is_sparse_or_plastic():
    found = {(wire.pre, wire.post): (wire.sparse, wire.plastic) for wire in wires(NEURONS, boxes(NEURONS))}
    assert found[0, 1] == (True, False)
    assert found[2, 3] == (False, True)
    assert found[0, 2] == (False, False)
    assert (1, 3) not in found
    assert len(found) == 6


def test_a_link_that_passes_a_box_of_its_lane_runs_below_it():
    """From the input to level 2 of module 2; that of module 1 to the output meets no box."""
    image = drawn(NEURONS)
    rects = [item for item in image.iter("rect") if item.get("class") == "box"]
    bottoms = [float(item.get("y")) + float(item.get("height")) for item in rects]
    skipping = [path for item in image.iter("path") if (path := item.get("d")).count("C") == 2]
    runs = sorted(float(path.partition("H")[0].rpartition(" ")[2]) for path in skipping)
    assert [int(run // 104) for run in runs] == [1]
    assert all(any(low < run < low + 40 for low in bottoms) for run in runs)


def test_neuron_groups_without_modules_have_one_lane_and_are_counted():
    groups = tuple(group._replace(module=0) for group in NEURONS.groups)
    plan = Plan(groups, NEURONS.projections, levels=NEURONS.levels)
    assert lanes(plan) == [""]
    assert [box.size for box in boxes(plan)] == [4, 5, 1, 2]
    assert described(plan) == "4 inputs; 4 neuron groups on 2 levels; 2 outputs"
    assert described(NEURONS) == "4 inputs; 4 neuron groups in 2 modules on 2 levels; 2 outputs"


def test_twenty_genes_make_no_larger_a_drawing_than_one():
    many = [Group(10 + at, "n", 1, "tanh") for at in range(20)]
    links = [Projection(0, at, 9 + at) for at in range(1, 21)]
    links += [Projection(at, 21, 9 + at) for at in range(1, 21)]
    plan = Plan((Group(0, "in", 3), *many, Group(0, "out", 1)), tuple(links), levels=(0, *[1] * 20, 2))
    assert float(drawn(plan).get("height")) == 104
    assert [box.size for box in boxes(plan)] == [3, 20, 1]

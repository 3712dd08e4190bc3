import re
from dataclasses import replace

import numpy as np
import pytest

from evogen.report.facts import gather
from evogen.report.markup import element
from evogen.report.winner import synapses as module
from evogen.report.winner.maps import MAPS
from evogen.report.winner.synapses import synapses, weights

from ..searches import CONTROL

SMALL = CONTROL.replace("initial_modules: 3", "initial_modules: 1").replace(
    "max_modules: 4", "max_modules: 1"
)

EVERY = 10**6


@pytest.fixture
def shown(search, monkeypatch):
    monkeypatch.setattr(module, "FEW", 10_000)
    return gather(search(text=SMALL)[0]).portrait


def drawn(portrait):
    return element("div", *weights(portrait))


def test_synapses_are_all_weights_strongest_first(shown):
    found = synapses(shown, EVERY)
    sizes = [abs(one.weight) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    total = sum(float(link.mean.sum()) for link in shown.links)
    assert sum(one.weight for one in found) == pytest.approx(total, rel=1e-9)


def test_every_neuron_is_a_dot_and_every_synapse_a_line_of_its_sign(shown):
    root = drawn(shown)
    assert len(list(root.iter("circle"))) == shown.neurons
    found = synapses(shown, module.STRONGEST)
    counted = {"orange": 0, "blue": 0}
    for item in root.iter("path"):
        if "synapse" in item.get("class"):
            counted[item.get("class").split()[1]] += item.get("d").count("M")
    assert counted == {
        "orange": sum(one.weight > 0 for one in found),
        "blue": sum(one.weight < 0 for one in found),
    }


def test_stronger_synapses_are_thicker_and_the_weakest_left_out(shown, monkeypatch):
    monkeypatch.setattr(module, "STRONGEST", 5)
    root = drawn(shown)
    strokes = [item for item in root.iter("path") if "synapse" in item.get("class")]
    assert sum(item.get("d").count("M") for item in strokes) == 5
    assert max(float(item.get("stroke-width")) for item in strokes) == 4
    left = len(synapses(shown, EVERY)) - 5
    assert f"The weakest {left} synapses are left out" in "".join(root.itertext())


def test_dots_do_not_overlap_and_lie_inside(shown):
    root = drawn(shown)
    (image,) = [item for item in root.iter("svg") if list(item.iter("circle"))]
    places = np.array([[float(item.get(name)) for name in ("cx", "cy")] for item in image.iter("circle")])
    gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)[~np.eye(len(places), dtype=bool)]
    assert gaps.min() >= 14 - 1e-9
    assert (places > 0).all()
    assert (places < [float(image.get("width")), float(image.get("height"))]).all()


def test_a_large_network_is_shown_as_maps_of_each_pair_of_levels(search, monkeypatch):
    monkeypatch.setattr(module, "FEW", 0)
    portrait = gather(search()[0]).portrait
    root = drawn(portrait)
    images = [item for item in root.iter("svg") if item.get("class") is None]
    assert len(images) == min(len(portrait.links), MAPS)
    assert not list(root.iter("circle"))
    links = {f"{int(link.mask.sum()):,} synapses" for link in portrait.links}
    told = {re.search(r"[\d,]+ synapses", item.get("aria-label"))[0] for item in images}
    assert told <= links


def test_table_lists_the_strongest_by_name(shown):
    root = drawn(shown)
    rows = [["".join(item.itertext()) for item in row] for row in root.iter("tr")][1:]
    (pre, post, weight), *_ = synapses(shown, EVERY)
    assert rows[0][:2] == [shown.levels[pre[0]][pre[1]].name, shown.levels[post[0]][post[1]].name]
    assert float(rows[0][2].replace("−", "-")) == pytest.approx(weight, rel=1e-3)
    assert len(rows) <= module.LISTED


def test_what_changes_in_life_is_dashed(shown):
    plan = shown.plan
    plastic = replace(plan, projections=tuple(link._replace(rule="abcd") for link in plan.projections))
    still = replace(plan, projections=tuple(link._replace(rule="none") for link in plan.projections))
    for other, wanted in ((plastic, True), (still, False)):
        root = drawn(replace(shown, plan=other))
        kinds = {item.get("class") for item in root.iter("path") if "synapse" in item.get("class")}
        assert all(("plastic" in kind) == wanted for kind in kinds)

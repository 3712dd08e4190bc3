import base64

import numpy as np

from evogen.report.matrices import Block, Scale
from evogen.report.winner.clusters import cluster
from evogen.report.winner.heat import Axis, Part, heat

from ..test_matrices import read

RANDOM = np.random.default_rng(8)
VALUES = RANDOM.random((7, 5))
SCALE = Scale(0.0, 1.0)


def axes(values=VALUES):
    rows = Axis("row", tuple(f"r{at}" for at in range(len(values))), cluster(values))
    columns = Axis("column", tuple(f"c{at}" for at in range(values.shape[1])), cluster(values.T))
    return rows, columns


def drawn(part, columns, **settings):
    return heat("Numbers", [part], columns, cell=settings.pop("cell", (14.0, 14.0)))


def colours(image):
    found = read(base64.b64decode(image.get("href").partition(",")[2]))
    return found[::4, ::4]


def test_picture_undone_is_the_matrix():
    rows, columns = axes()
    block = Block("n", VALUES, SCALE)
    (clustered,) = drawn(Part(block, rows), columns).iter("image")
    (plain,) = drawn(Part(block, rows.plain()), columns.plain()).iter("image")
    back = colours(clustered)[np.argsort(rows.tree.order)][:, np.argsort(columns.tree.order)]
    assert np.array_equal(back, colours(plain))


def test_names_follow_the_order_of_the_drawing():
    rows, columns = axes()
    image = drawn(Part(Block("n", VALUES, SCALE), rows), columns)
    texts = [item for item in image.iter("text") if item.text[0] == "r" and item.text != "row"]
    by_height = [item.text for item in sorted(texts, key=lambda item: float(item.get("y")))]
    assert by_height == [f"r{at}" for at in rows.tree.order]
    assert len([item for item in image.iter("path") if item.get("class") == "tree"]) == 2
    plain = drawn(Part(Block("n", VALUES, SCALE), rows.plain()), columns.plain())
    assert not list(plain.iter("path"))


def test_small_cells_have_no_names_but_that_of_the_matrix():
    rows, columns = axes()
    image = drawn(Part(Block("amount", VALUES, SCALE), rows), columns, cell=(3.0, 3.0))
    assert [item.text for item in image.iter("text")] == ["row", "amount", "column"]


def test_a_strip_says_which_part_a_column_is_of():
    rows, columns = axes()
    parts = ("blue", "blue", "green", "green", "green")
    plain = columns.plain()._replace(parts=parts)
    image = drawn(Part(Block("n", VALUES, SCALE), rows.plain()), plain)
    rects = [(item.get("class"), float(item.get("width"))) for item in image.iter("rect")]
    assert rects == [("part blue", 28.0), ("part green", 42.0)]


def test_what_is_not_finite_lies_open_over_a_rectangle():
    values = VALUES.copy()
    values[0, 0] = np.nan
    rows, columns = axes(values)
    image = drawn(Part(Block("n", values, SCALE), rows), columns)
    assert [item.get("class") for item in image.iter("rect")] == ["masked"]

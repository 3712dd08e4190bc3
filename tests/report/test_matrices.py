import struct
import zlib

import numpy as np
import pytest

from evogen.report.matrices import (
    AMOUNT,
    SIGNED,
    Block,
    Scale,
    bar,
    image,
    largest,
    photograph,
    png,
    signed,
    square,
    summary,
)

RANDOM = np.random.default_rng(3)


def read(data):
    """Return the (rows, columns, 3) colours of an indexed PNG."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(data):
        (size,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size : at + 12 + size]) == (zlib.crc32(kind + body),)
        chunks[kind], at = body, at + 12 + size
    columns, rows = struct.unpack(">II", chunks[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert not lines[:, 0].any()
    return np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]]


def test_png_holds_the_colours_of_the_levels():
    found = read(png(np.array([[0, 254, 255], [127, 0, 0]], np.uint8), ("000000", "ff8000")))
    assert found.shape == (2, 3, 3)
    assert found[0].tolist() == [[0, 0, 0], [255, 128, 0], [128, 128, 128]]
    assert found[1, 0].tolist() == [128, 64, 0]


@pytest.mark.parametrize("colours", [AMOUNT, SIGNED])
def test_colours_are_ordered_by_lightness_from_their_ends(colours):
    """Printed in grey, amounts grow lighter, and signed numbers grow darker away from zero."""
    light = [np.dot([0.2126, 0.7152, 0.0722], list(bytes.fromhex(colour))) for colour in colours]
    steps = np.sign(np.diff(light)).tolist()
    assert steps == ([1.0] * 9 if colours is AMOUNT else [1.0] * 3 + [-1.0] * 3)


def test_scale_reaches_both_ends_and_marks_what_is_not_finite():
    scale = Scale(-1.0, 1.0, SIGNED)
    assert scale.levels(np.array([[-1.0, 0.0, 1.0, 9.0, np.nan]])).tolist() == [[0, 127, 254, 254, 255]]


def test_square_root_scale_spreads_small_numbers():
    assert Scale(0.0, 4.0, power=0.5).levels(np.array([[0.0, 1.0, 4.0]])).tolist() == [[0, 127, 254]]


def test_signed_scale_is_symmetric_about_zero():
    scale = signed(np.array([[-3.0, 1.0]]), np.array([[2.0, np.inf]]))
    assert (scale.low, scale.high) == (-3.0, 3.0)
    assert largest() == largest(np.zeros((2, 2))) == 1.0


def test_middle_of_a_colour_bar_is_the_number_of_its_middle_colour():
    scale = Scale(0.0, 8.0, power=0.5)
    texts = [item.text for item in bar(scale, "X²").iter("text")]
    assert texts == ["X²", "0", "2", "8"]
    assert scale.levels(np.array([[2.0]])).tolist() == [[127]]


def test_square_names_the_first_and_last_row_and_column():
    block = Block("P", RANDOM.random((12, 12)), Scale(0, 1))
    texts = [item.text for item in square("P", block, rows="pre", columns="post", size=10.0).iter("text")]
    assert texts == ["post", "pre", "1", "12", "1", "12"]


def test_summary_says_what_the_colours_show():
    assert summary(np.array([[1.0, 2.0], [7.0, np.inf]])) == (
        "2 by 2, from 1 to 7, median 2, largest in row 2, column 1"
    )
    assert summary(np.full((2, 2), np.nan)) == "no finite number"


def test_what_is_not_finite_is_transparent_over_a_rectangle():
    data = png(np.array([[0, 255]], np.uint8), AMOUNT)
    at = data.index(b"tRNS")
    assert struct.unpack(">I", data[at - 4 : at]) == (256,)
    assert data[at + 4 : at + 260] == bytes([255] * 255 + [0])
    whole, holed = np.ones((2, 2)), np.array([[1.0, np.nan]])
    assert image(Block("n", whole, Scale(0, 1)), 0, 0, 2, 2).tag == "image"
    found = image(Block("n", holed, Scale(0, 1)), 0, 0, 2, 1, behind="closed")
    assert [(item.tag, item.get("class")) for item in found] == [("rect", "closed"), ("image", None)]


def test_a_photograph_keeps_its_colours():
    colours = RANDOM.integers(0, 256, (3, 4, 3)).astype(np.uint8)
    data = photograph(colours)
    at = data.index(b"IDAT")
    (size,) = struct.unpack(">I", data[at - 4 : at])
    lines = np.frombuffer(zlib.decompress(data[at + 4 : at + 4 + size]), np.uint8).reshape(3, 13)
    assert not lines[:, 0].any()
    assert np.array_equal(lines[:, 1:].reshape(3, 4, 3), colours)
    assert struct.unpack(">IIBB", data[16:26]) == (4, 3, 8, 2)

"""What born agents take the report's examples for: confusion matrix and recall of each class."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evogen.analysis.portrait.confusion import Confusion
from evogen.report.figures import Frame, axes, dots, drawing, figure
from evogen.report.markup import Child, Element, element, number, numeric, table
from evogen.report.matrices import Block, Scale, bar, image

COUNTED = 16  # classes whose counts are written into the matrix
LETTERS = 18  # of a class's name
_BLUES = ("f4f6f8", "c6dbef", "6baed6", "2171b5", "08306b")  # from as good as nothing
_SHARE = Scale(0.0, 1.0, _BLUES)


def confusion(found: Confusion) -> Iterator[Element]:
    """Return the first agent's matrix, and every agent's recall."""
    agents = len(found.counts)
    right, all_ = int(np.trace(found.counts[0])), int(found.examples.sum())
    each = f", asked once in each of its {found.lives} lives" if found.lives > 1 else ""
    text = (
        f"The first of {agents} agents born of the winner takes {right} of {all_} test examples for what "
        f"they are{each}; score {number(found.scores[0])}."
    )
    yield element("p", text)
    yield element("div", _matrix(found), _recall(found), class_="pair")
    rows = (_row(found, label) for label in range(len(found.examples)))
    head = ("class", "examples", "taken for it, agent 1", "recall, mean of agents", "sd")
    yield element(
        "details", element("summary", "The classes as numbers"), table(head, rows, class_="sortable")
    )


def _matrix(found: Confusion) -> Element:
    counts = found.counts[0]
    share = counts / np.maximum(found.examples, 1)[:, None]
    classes = len(counts)
    step = max(4.0, min(36.0, 400 / classes))
    names = [_name(found, label) for label in range(classes)]
    left, top, side = 34.0 + 6.2 * max(map(len, names)), 34.0, step * classes
    texts: list[Element] = []
    for i, j in np.ndindex(*counts.shape) if classes <= COUNTED else ():
        if counts[i, j]:
            kind = "middle onto" + " bright" * bool(share[i, j] < 0.5)
            x, y = left + (j + 0.5) * step, top + (i + 0.5) * step + 4
            texts.append(element("text", str(int(counts[i, j])), x=x, y=y, class_=kind))
    every = 1 if classes <= 30 else 5
    for at in range(0, classes, every):
        texts.append(element("text", str(at), x=left + (at + 0.5) * step, y=top - 5, class_="small middle"))
        place = {"x": left - 6, "y": top + (at + 0.5) * step + 4}
        texts.append(element("text", names[at], class_="small end", **place))
    turned = f"translate(12 {top + side / 2:.0f}) rotate(-90)"
    texts.append(element("text", "answer", x=left + side / 2, y=12, class_="name middle"))
    texts.append(element("text", "class", x=0, y=0, class_="name middle", transform=turned))
    drawn = drawing(
        left + side + 6,
        top + side + 4,
        f"Confusion matrix of {classes} classes. {_worst(counts)}",
        image(Block("answers", share, _SHARE), left, top, side, side),
        *texts,
    )
    lost = int((found.examples - counts.sum(1)).sum())
    missing = f" {lost} examples got no answer: an output was not finite." if lost else ""
    note = f"Numbers: examples. Colour: share of the class's examples.{missing}"
    return figure("Confusion matrix", drawn, bar(_SHARE, "share of the class"), note=note)


def _name(found: Confusion, label: int) -> str:
    """Return a class's number, after its name where it has one."""
    return f"{found.names[label][:LETTERS]} {label}" if found.names else str(label)


def _worst(counts: np.ndarray) -> str:
    off = counts * (1 - np.eye(len(counts), dtype=counts.dtype))
    if not off.any():
        return "No example was taken for another class"
    i, j = np.unravel_index(int(off.argmax()), off.shape)
    return f"The most frequent confusion: class {i} was taken for {j}, {int(off[i, j])} times"


def _recall(found: Confusion) -> Element:
    recall = found.recall
    agents, classes = recall.shape
    frame = Frame((-0.6, classes - 0.4), (0.0, 1.04), "class", "recall (share of the class's examples)")
    spread = np.linspace(-0.22, 0.22, agents) if agents > 1 else np.zeros(1)
    xs = (np.arange(classes)[None] + spread[:, None]).ravel()
    ys = recall.ravel()
    known = np.isfinite(ys)
    mean = np.where(found.examples > 0, np.nan_to_num(recall).mean(0), np.nan)
    bars = element(
        "path",
        d="".join(
            f"M{frame.across(at - 0.35):.1f} {frame.up(float(y)):.1f}H{frame.across(at + 0.35):.1f}"
            for at, y in enumerate(mean)
            if np.isfinite(y)
        ),
        class_="line orange",
    )
    low = int(np.where(np.isfinite(mean), mean, np.inf).argmin())
    label = (
        f"Recall of {classes} classes by {agents} agents; lowest for class {low}: {mean[low]:.0%} on average"
    )
    drawn = drawing(
        frame.width, frame.height, label, axes(frame), bars, dots(frame, xs[known], ys[known], "blue")
    )
    return figure("Recall of each class", drawn, note="A dot is an agent; bar: mean.", kind="chart")


def _row(found: Confusion, label: int) -> list[Child]:
    recall = found.recall[:, label]
    spread = float(recall.std(ddof=1)) if len(recall) > 1 else 0.0
    numbers = (
        float(found.examples[label]),
        float(found.counts[0, label, label]),
        float(recall.mean()),
        spread,
    )
    return [
        _name(found, label),
        *(numeric(value, digits=3) for value in numbers),
    ]

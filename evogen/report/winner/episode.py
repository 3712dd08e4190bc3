"""A recorded episode: pictures where the environment can be drawn, and the traces of what went on."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from evogen.analysis.portrait.episode import Episode, Trace
from evogen.report.figures import Frame, Numbers, axes, drawing, extent, figure, legend, line
from evogen.report.markup import Element, absent, element, number
from evogen.report.matrices import Block, Scale, image, photograph, signed

POINTS = 400  # of a trace
CHANNELS = 8  # observations that have a trace
NEURONS = 24
COLOURS = ("blue", "orange", "green", "purple", "red", "grey")
NAMES: Mapping[str, tuple[str, ...]] = {  # of observations, by Gymnasium's documentation
    "CartPole-v1": ("cart position (m)", "cart velocity (m/s)", "pole angle (rad)", "pole velocity (rad/s)"),
    "Pendulum-v1": ("cos angle", "sin angle", "velocity (rad/s)"),
    "MountainCar-v0": ("position", "velocity (per step)"),
    "MountainCarContinuous-v0": ("position", "velocity (per step)"),
    "Acrobot-v1": (
        "cos angle 1",
        "sin angle 1",
        "cos angle 2",
        "sin angle 2",
        "velocity 1 (rad/s)",
        "velocity 2 (rad/s)",
    ),
    "LunarLander-v3": (
        "x",
        "y",
        "x velocity",
        "y velocity",
        "angle (rad)",
        "angular velocity",
        "left leg touches",
        "right leg touches",
    ),
}


def recorded(found: Episode) -> Iterator[Element]:
    """Return the film strip and the charts."""
    steps = len(found.rewards)
    ends = {"cut": f"cut after {steps} steps", "not finite": "ended by an output that is not finite"}
    told = (
        f"{ends.get(found.end, found.end)} after {steps} steps" if found.end not in ends else ends[found.end]
    )
    where = f"One agent born of the winner, in {found.world}, from a start that the search never saw"
    yield element("p", f"{where}: return {number(found.total)}, {told}.")
    if found.pictures:
        yield _film(found)
    else:
        yield element("p", f"No pictures: {found.why or 'this task has none'}.", class_="note")
    yield element("div", *_observed(found), *_done(found), class_="triple")
    if raster := _raster(found):
        yield raster
    if found.changes:
        yield element("div", _changes(found), class_="pair")


def _film(found: Episode) -> Element:
    frames = (
        element(
            "li",
            element(
                "img",
                src=f"data:image/png;base64,{base64.b64encode(photograph(picture)).decode()}",
                alt=f"{found.world} at step {step}",
                width=picture.shape[1],
                height=picture.shape[0],
            ),
            f"step {step}",
        )
        for step, picture in found.pictures
    )
    return figure("What it did", element("ul", *frames, class_="frames"))


def _observed(found: Episode) -> Iterator[Element]:
    columns = found.observations.shape[1]
    spread = np.nan_to_num(found.observations).std(0)
    kept = sorted(np.argsort(-spread, kind="stable")[:CHANNELS]) if columns > CHANNELS else range(columns)
    known = NAMES.get(found.world, ())
    for at in kept:
        name = known[at] if at < len(known) else f"observation {at + 1}"
        yield _chart(name[0].upper() + name[1:], name, [("blue", "", found.observations[:, at])])


def _done(found: Episode) -> Iterator[Element]:
    if found.actions.ndim == 1:
        chosen = found.actions.astype(float)
        yield _chart("Action chosen", "number of the action", [("orange", "", chosen)], whole=True)
    else:
        names = [f"component {at + 1}" for at in range(found.actions.shape[1])]
        lines = zip(COLOURS, names, found.actions.T.astype(float), strict=False)
        several = len(names) > 1
        yield _chart("Action taken", "action", [(colour, name * several, ys) for colour, name, ys in lines])
    yield _chart("Return so far", "sum of rewards", [("green", "", np.cumsum(found.rewards))])


def _chart(
    title: str,
    y_label: str,
    lines: Sequence[tuple[str, str, npt.NDArray[np.float64]]],
    *,
    whole: bool = False,
) -> Element:
    steps = len(lines[0][2])
    lines = [(colour, name, ys) for colour, name, ys in lines if np.isfinite(ys).any()]
    if not lines:
        return figure(title, absent("Not one number is finite."))
    ends = [_ends(ys) for _, _, ys in lines]
    low, high = extent([end for pair in ends for end in pair])
    if whole:
        low, high = min(ends)[0] - 0.25, max(high for _, high in ends) + 0.75
    frame = Frame((0.0, float(max(steps - 1, 1))), (low, high), "step", y_label, width=330, height=190)
    drawn = [axes(frame)]
    for colour, _, ys in lines:
        xs, kept = _thinned(ys)
        drawn.append(line(frame, xs, kept, f"{colour} fine"))
    told = "; ".join(
        f"{name or title} goes from {number(float(ys[0]), digits=3)} to {number(float(ys[-1]), digits=3)}, "
        f"between {number(least, digits=3)} and {number(most, digits=3)}"
        for (_, name, ys), (least, most) in zip(lines, ends, strict=True)
    )
    named = [(colour, name) for colour, name, _ in lines if name]
    key = [legend(*named)] if named else []
    return figure(title, drawing(330, 190, f"{title} over {steps} steps. {told}", *drawn), *key, kind="chart")


def _ends(ys: npt.NDArray[np.float64]) -> tuple[float, float]:
    known = ys[np.isfinite(ys)]
    return float(known.min()), float(known.max())


def _thinned(ys: npt.NDArray[np.float64]) -> tuple[Numbers, Numbers]:
    """Return every step, or the extremes of stretches of steps, so that no peak is lost."""
    steps = len(ys)
    if steps <= POINTS:
        return np.arange(steps, dtype=float), ys
    xs: list[int] = []
    for stretch in np.array_split(np.arange(steps), POINTS // 2):
        own = ys[stretch]
        xs += sorted({int(stretch[own.argmin()]), int(stretch[own.argmax()])})
    return np.array(xs, dtype=float), ys[xs]


def _raster(found: Episode) -> Element | None:
    hidden = sorted(found.hidden, key=lambda trace: -_spread(trace))
    lines = [*hidden[: NEURONS - len(found.output[:8])], *found.output[:8]]
    if not lines:
        return None
    values = np.stack([_unit(trace) for trace in lines])
    by = -(-values.shape[1] // POINTS)
    shown = np.stack([values[:, at : at + by].mean(1) for at in range(0, values.shape[1], by)], 1)
    left, step, width, top = 78.0, 13.0, 860.0, 2.0
    height = step * len(lines)
    scale = Scale(-1.0, 1.0, signed(shown).colours)
    texts = [
        element("text", trace.name, x=left - 6, y=top + (at + 0.5) * step + 4, class_="small end")
        for at, trace in enumerate(lines)
    ]
    steps = len(found.rewards)
    ticks = [
        element(
            "text",
            str(round(share * (steps - 1))),
            x=left + share * width,
            y=top + height + 15,
            class_="small middle",
        )
        for share in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    least = [trace.name for trace in lines if (trace.values == trace.values[0]).all()]
    label = (
        f"Activity of {len(lines)} neurons over {steps} steps, each relative to its own largest absolute "
        f"value; {len(least)} never change; {lines[0].name} varies most"
    )
    picture = drawing(
        left + width + 20,
        top + height + 34,
        label,
        image(Block("activity", shown, scale), left, top, width, height),
        *texts,
        *ticks,
        element("text", "step", x=left + width, y=top + height + 30, class_="name end"),
        kind="wide",
    )
    note = (
        f"Each row is scaled by its own largest absolute value: orange positive, blue negative. The rows are "
        f"the outputs and those of the {len(found.hidden)} hidden neurons that varied most."
    )
    return figure("Activity of its neurons", element("div", picture, class_="scroll", tabindex=0), note=note)


def _spread(trace: Trace) -> float:
    return float(np.where(np.isfinite(trace.values), trace.values, 0.0).std())


def _unit(trace: Trace) -> npt.NDArray[np.float64]:
    known = np.where(np.isfinite(trace.values), trace.values, np.nan)
    top = float(np.nan_to_num(np.abs(known)).max())
    return known / top if top > 0 else known


def _changes(found: Episode) -> Element:
    lines, key, told = [], [], []
    shares = [
        (change, change.values / change.born if change.born > 0 else change.values)
        for change in found.changes
    ]
    top = max(float(share.max()) for _, share in shares) or 1.0
    steps = len(found.rewards)
    frame = Frame(
        (0.0, float(max(steps - 1, 1))), (0.0, top * 1.05), "step", "change / weight at birth (rms)"
    )
    for colour, (change, share) in zip(COLOURS, shares, strict=False):
        lines.append(line(frame, *_thinned(share), f"{colour} fine"))
        name = f"level {change.pre} to {change.post}, {change.rule}"
        key.append((colour, name))
        told.append(f"{name}: {number(float(share[-1]), digits=3)} of the weights at birth at the end")
    label = "How far plastic weights have moved. " + "; ".join(told)
    drawn = drawing(frame.width, frame.height, label, axes(frame), *lines)
    note = "Root mean square of what was added to plastic weights, in units of that of the weights at birth."
    return figure("Weights that change in life", drawn, legend(*key), note=note, kind="chart")

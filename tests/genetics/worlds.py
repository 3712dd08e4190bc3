"""Small worlds of neuron classes: expression, contacts and synapses, with or without a rule."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evogen.keys import Key

NAMES = tuple("abcdefghij")


class World(NamedTuple):
    expression: npt.NDArray[np.float64]
    contact: npt.NDArray[np.float64]
    synapse: npt.NDArray[np.float64]


def _tissue(key: Key, classes: int, genes: int) -> tuple[np.random.Generator, World]:
    draw = key.generator()
    expression = draw.lognormal(1.0, 1.5, (classes, genes))  # ~ LogNormal(1, 1.5)
    contact = (draw.random((classes, classes)) < 0.6).astype(float)
    return draw, World(expression, contact, np.zeros_like(contact))


def noise(key: Key, *, classes: int, genes: int) -> World:
    """Genes know nothing of wiring; a few hub classes send most synapses, so pairs are dependent."""
    draw, world = _tissue(key, classes, genes)
    chance = np.full((classes, 1), 0.05)
    chance[draw.permutation(classes)[: max(2, classes // 5)]] = 0.8
    wired = draw.random((classes, classes)) < chance
    return world._replace(synapse=world.contact * wired)


def planted(key: Key, *, classes: int, genes: int, pre: int, post: int) -> World:
    """Synapses stand on the tenth of the contacts where gene `pre` meets gene `post` most."""
    _, world = _tissue(key, classes, genes)
    meeting = world.contact * np.outer(world.expression[:, pre], world.expression[:, post])
    threshold = np.quantile(meeting[world.contact > 0], 0.9)
    return world._replace(synapse=(meeting > threshold).astype(float))

"""Patches: JSON and back without a lost bit; what is damaged or hostile is refused in words."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from evogen.diff import Patch, apply, diff, dumped, load
from evogen.errors import GenomeError
from evogen.genome import Gene, Genome, Rules, frozen

from .genomes import families, genomes

RULES = Rules((1, 2, 3), frozen(np.arange(9.0).reshape(3, 3)), frozen(np.ones((2, 4))))
MODULE = Gene(7, (3, 4, 5), {"l0.X": frozen(np.arange(60.0).reshape(20, 3))})
A = Genome(RULES, Gene(6, ()), (MODULE,), {"lr": 0.5, "old": "x"})
B = Genome(
    Rules((1, 4), frozen(np.ones((2, 2))), frozen(np.ones((2, 4))), 0.2, frozen(np.eye(2))),
    Gene(60, ()),
    (Gene(8, (1,), link=7), replace(MODULE, codons=(3,), expression={"l0.X": frozen(np.ones((9, 2)))})),
    {"lr": 0.25},
)


def written(a: Genome, b: Genome) -> dict[str, Any]:
    value: dict[str, Any] = dumped(Patch(a.id, b.id, diff(a, b)))
    return value


@settings(deadline=None, max_examples=60)
@given(genomes(), genomes())
def test_a_patch_survives_json(a: Genome, b: Genome) -> None:
    found = load(json.dumps(written(a, b), allow_nan=False))
    assert (found.before, found.after) == (a.id, b.id)
    assert apply(found.differences, a).id == b.id


def test_patches_of_bred_genomes_survive_json() -> None:
    for a, *_, b in families(3):
        assert apply(load(json.dumps(written(a, b))).differences, a).id == b.id


def test_numbers_that_are_not_finite_keep_their_bits() -> None:
    X = np.full((20, 3), np.nan)
    odd = replace(A, architecture=(replace(MODULE, expression={"l0.X": frozen(X)}),))
    assert apply(load(json.dumps(written(A, odd), allow_nan=False)).differences, A).id == odd.id


def test_another_schema_is_refused() -> None:
    with pytest.raises(GenomeError, match="patch schema 2 found, 1 wanted"):
        load(json.dumps(written(A, B) | {"schema": 2}))


def test_an_altered_array_is_refused() -> None:
    data = written(A, B)
    item = next(iter(data["arrays"].values()))
    item["float32"] = base64.b64encode(bytes(4 * math.prod(item["shape"]))).decode()
    with pytest.raises(GenomeError, match="was altered"):
        load(json.dumps(data))


def test_a_part_that_is_named_twice_is_refused() -> None:
    data = written(A, B)
    data["differences"].append(data["differences"][0])
    with pytest.raises(GenomeError, match="twice"):
        load(json.dumps(data))


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("gene", {"gene": 9}),
        ("rule gene", {"gene": -1}),
        ("codons", {"after": [2**16]}),
        ("codons", {"after": None}),
        ("temperature", {"after": "hot"}),
        ("temperature", {"after": -1.0}),
        ("value", {"before": None, "after": None}),
        ("value", {"after": [1]}),
        ("O", {"after": {"columns": [1, 1], "shape": [2], "values": [0, 0]}}),
        ("O", {"after": {"columns": [1], "shape": [2], "values": [0, 0]}}),
        ("O", {"after": {"columns": None, "shape": [2], "values": [0, 0]}}),
        ("mask", {"after": {"columns": [1, 2], "shape": [1, 2], "values": [0, 0]}}),
        ("expression", {"after": {"columns": None, "shape": [2**40], "values": [0]}}),
        ("expression", {"after": {"columns": None, "shape": [1], "array": "nothing"}}),
        ("no such part", {}),
    ],
)
def test_what_contradicts_itself_is_refused(part: str, change: dict[str, Any]) -> None:
    data = written(A, B)
    item = next((each for each in data["differences"] if each["part"] == part), data["differences"][0])
    item |= {"part": part, **change}
    with pytest.raises(GenomeError, match="not a readable patch"):
        load(json.dumps(data))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000, '{"schema": 1}'])
def test_what_is_no_patch_is_refused(text: str) -> None:
    with pytest.raises(GenomeError, match="not a readable patch"):
        load(text)


def test_damage_anywhere_is_an_error_in_words_or_harmless() -> None:
    whole, rng = written(A, B), random.Random(0)
    for _ in range(400):
        data = copy.deepcopy(whole)
        _damage(data, rng)
        with contextlib.suppress(GenomeError):
            apply(load(json.dumps(data)).differences, A)


def _damage(data: Any, rng: random.Random) -> None:
    """Put something else in the place of one value, anywhere."""
    while True:
        keys = list(data) if isinstance(data, dict) else list(range(len(data)))
        key = rng.choice(keys)
        deeper = isinstance(data[key], dict | list) and data[key]
        if not deeper or rng.random() < 0.1:
            data[key] = rng.choice([None, -1, 3, 2**70, 0.5, "x", [], {}, [[1]], True, [1, 2], "genes"])
            return
        data = data[key]

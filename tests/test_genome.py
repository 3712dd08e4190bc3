import dataclasses
import json
import pickle
from typing import Any

import cloudpickle
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evogen.errors import GenomeError
from evogen.genome import Array, Gene, Genome, Rules, frozen, load

CODONS = st.lists(st.integers(0, 2**16 - 1), max_size=6).map(tuple)
FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def floats(*shape: int) -> st.SearchStrategy[Array]:
    return arrays(np.float32, shape, elements=FLOATS)


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    g, n = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    mask = draw(st.none() | arrays(np.float32, (g, g), elements=st.sampled_from([0.0, 1.0])))
    genes = tuple(draw(st.lists(st.integers(0, 2**50), min_size=g, max_size=g, unique=True)))
    return Rules(genes, draw(floats(g, g)), draw(floats(n, 2 * n)), draw(st.floats(0.01, 10)), mask)


def any_gene() -> st.SearchStrategy[Gene]:
    shape = st.tuples(st.integers(0, 8), st.integers(1, 5))
    array = shape.flatmap(lambda size: floats(*size))
    return st.builds(
        Gene, st.integers(0, 2**60), CODONS, st.dictionaries(st.text(max_size=4), array, max_size=3)
    )


def any_genome() -> st.SearchStrategy[Genome]:
    value = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=4)
    return st.builds(
        Genome,
        st.none() | any_rules(),
        any_gene(),
        st.lists(any_gene(), max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=5), value, max_size=3),
    )


def small() -> Genome:
    """A genome made by hand, with one array in the JSON and one beside it."""
    rules = Rules((1, 2), frozen([[0.5, -0.25], [0.1, 0.0]]), frozen([[1.0, -1.0]]))
    module = Gene(7, (3, 65535), {"l0.X": frozen(np.arange(18).reshape(9, 2) / 10)})
    return Genome(rules, Gene(6, ()), (module,), {"learner.learning_rate": 0.001, "learner.steps": 8})


def edited(path: tuple[str | int, ...], value: object) -> str:
    """Return the small genome's JSON with one value replaced."""
    data = json.loads(small().json)
    place = data
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return json.dumps(data)


def test_id_of_a_hand_made_genome_never_changes() -> None:
    assert small().id == "160c705c3524f56f1e79334c0c7e5773f5ebe10ba074a6d696e8aa938f798b88"


@settings(deadline=None)
@given(any_genome())
def test_save_and_load_is_identity(genome: Genome) -> None:
    again = load(genome.json, genome.arrays)
    assert (again.id, again.json, sorted(again.arrays)) == (genome.id, genome.json, sorted(genome.arrays))


@settings(deadline=None)
@given(any_genome())
def test_pickle_and_cloudpickle_keep_the_id(genome: Genome) -> None:
    assert pickle.loads(pickle.dumps(genome)).id == genome.id
    assert cloudpickle.loads(cloudpickle.dumps(genome)).id == genome.id


def test_arrays_are_read_only_also_after_pickling() -> None:
    for genome in (small(), pickle.loads(pickle.dumps(small())), load(small().json, small().arrays)):
        assert genome.rules is not None
        for array in (genome.rules.O, genome.rules.c, genome.architecture[0].expression["l0.X"]):
            with pytest.raises(ValueError, match="read-only"):
                array[0, 0] = 1.0


def test_arrays_given_stay_the_givers() -> None:
    O = np.zeros((1, 1), np.float32)
    genome = Genome(Rules((1,), O, O), Gene(2, (), {"in.X": O}), ())
    O[0, 0] = 5.0
    assert genome.rules is not None
    assert genome.rules.O[0, 0] == genome.interface.expression["in.X"][0, 0] == 0.0


def test_double_precision_input_has_the_id_of_its_float32() -> None:
    double, single = (
        Genome(None, Gene(1, (), {"in.X": np.full((5, 5), 0.1, dtype)}), ())
        for dtype in (np.float64, np.float32)
    )
    assert double == single
    assert load(double.json, double.arrays) == double


def test_order_of_names_does_not_matter() -> None:
    one, other = (
        Genome(None, Gene(1, (), {name: frozen([1.0]) for name in names}), (), dict.fromkeys(names, 0.5))
        for names in ("ab", "ba")
    )
    assert one == other
    assert len({one, other}) == 1


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rules", "genes"), [1, 3]),
        (("rules", "O", "values"), [0.5, -0.25, 0.1, 0.1]),
        (("rules", "c", "values"), [1.0, 1.0]),
        (("rules", "temperature"), 0.2),
        (("rules", "mask"), {"shape": [2, 2], "values": [1, 1, 1, 0]}),
        (("rules",), None),
        (("interface", "innovation"), 5),
        (("architecture", 0, "innovation"), 8),
        (("architecture", 0, "codons"), [65535, 3]),
        (("architecture", 0, "expression"), {}),
        (("architecture",), []),
        (("plasticity", "learner.steps"), 9),
    ],
)
def test_every_field_counts_to_the_id(path: tuple[str | int, ...], value: object) -> None:
    assert load(edited(path, value), small().arrays).id != small().id


def test_altered_array_is_refused() -> None:
    name, array = next(iter(small().arrays.items()))
    altered = array.copy()
    altered[8, 1] = np.nextafter(altered[8, 1], np.float32(9))
    with pytest.raises(GenomeError, match="altered"):
        load(small().json, {name: altered})


def test_missing_array_is_refused() -> None:
    with pytest.raises(GenomeError, match="missing"):
        load(small().json, {})


def test_another_schema_version_is_refused() -> None:
    with pytest.raises(GenomeError, match="genome schema 99 found, 1 wanted"):
        load(edited(("schema",), 99), small().arrays)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("rules", "genes"), None),
        (("rules", "O"), {"shape": [3, 2], "values": [1.0]}),
        (("rules", "O"), 3),
        (("interface",), []),
        (("interface",), {}),
        (("architecture", 0, "expression"), []),
        (("architecture", 0, "innovation"), None),
        (("architecture", 0, "innovation"), 2**63),
        (("architecture", 0, "codons"), ["a"]),
        (("architecture", 0, "codons"), [0.5]),
        (("architecture", 0, "codons"), [-1]),
        (("architecture", 0, "codons"), [2**16]),
        (("architecture", 0, "module"), -1),
        (("architecture", 0, "layer"), "0"),
        (("architecture", 0, "link"), True),
        (("architecture",), None),
        (("plasticity",), []),
    ],
)
def test_a_field_of_another_shape_is_one_clear_error(path: tuple[str | int, ...], value: Any) -> None:
    with pytest.raises(GenomeError, match="not a readable genome"):
        load(edited(path, value), small().arrays)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"schema": 1}', "[" * 10**5])
def test_text_that_is_no_genome_is_one_clear_error(text: str) -> None:
    with pytest.raises(GenomeError, match="not a readable genome"):
        load(text, {})


def test_genome_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        small().interface = Gene(1, ())  # type: ignore[misc]
    with pytest.raises(TypeError):
        small().plasticity["a"] = 1.0  # type: ignore[index]

"""Genome: what a network is born with, as an immutable value with a content id.

Three chromosomes: `rules` (SynaptoGen's O, c and temperature; gene identities), `architecture` (genes: one
codon list each, which the grammar maps to a module) and `plasticity` (named hyperparameters of the local
rules and of the inner loop). A genome never carries its fitness.

Stored form: canonical JSON (sorted keys, shortest round-trip floats, a schema version). Arrays of more than
INLINE numbers stand beside it under the SHA-256 of their content; the JSON holds that hash, so the genome's
id, the SHA-256 of the JSON, covers them too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from evogen.errors import GenomeError

SCHEMA = 1
INLINE = 16
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)

Array = npt.NDArray[np.float32]
Value = float | int | str


def frozen(array: npt.ArrayLike) -> Array:
    """Return a read-only float32 copy, C-contiguous."""
    copy = np.array(array, dtype=np.float32, order="C")
    copy.flags.writeable = False
    return copy


@dataclass(frozen=True, eq=False)
class Rules:
    """The genetic wiring rules of one genome (SynaptoGen; g genes, n transmitters).

    Attributes:
        genes: (g,) identity of each gene; crossover aligns rows and columns by it.
        O: (g, g) rule logits, pre gene i to post gene j; P = sigmoid(O / temperature).
        c: (n, 2n) conductance logits, transmitter to receptor.
        temperature: tau, > 0.
        mask: (g, g) of 0 and 1, where 0 forbids a pair for ever; None allows all.
    """

    genes: tuple[int, ...]
    O: Array
    c: Array
    temperature: float = 0.1
    mask: Array | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "O", _kept(self.O))
        object.__setattr__(self, "c", _kept(self.c))
        object.__setattr__(self, "mask", None if self.mask is None else _kept(self.mask))

    def __reduce__(self) -> tuple[type[Rules], tuple[Any, ...]]:
        return Rules, (self.genes, self.O, self.c, self.temperature, self.mask)


@dataclass(frozen=True, eq=False)
class Gene:
    """One architecture gene: a codon list that the grammar maps to one module.

    Attributes:
        innovation: identity, given where the gene first appeared; aligned crossover pairs equal ones.
        codons: each in [0, 2**16).
        expression: inherited parameters of this module's own neurons by name (`l0.X`, `l0.T`, ...); empty:
            drawn from the innovation id.
        module, layer: where a structure of several modules or layers puts its neurons, from 0.
        link: innovation id of the gene whose codons and expression this one has, with none of its own, or of
            which it was born, with what it learnt itself; 0: none. A gene that is linked to is no link.
    """

    innovation: int
    codons: tuple[int, ...]
    expression: Mapping[str, Array] = field(default_factory=lambda: MappingProxyType({}))
    module: int = 0
    layer: int = 0
    link: int = 0

    def __post_init__(self) -> None:
        kept = {name: _kept(array) for name, array in sorted(self.expression.items())}
        object.__setattr__(self, "expression", MappingProxyType(kept))

    def __reduce__(self) -> tuple[type[Gene], tuple[Any, ...]]:
        place = self.module, self.layer, self.link
        return Gene, (self.innovation, self.codons, dict(self.expression), *place)


@dataclass(frozen=True, eq=False)
class Genome:
    """One point of a search space; equal content means equal id.

    Attributes:
        rules: None where the wiring has no genetic rules.
        interface: the gene of the input and output neurons; it has no codons, only (inherited) expression.
        architecture: module genes, in order.
        plasticity: gene name (`learner.learning_rate`, `rule.abcd.eta`) to value.
    """

    rules: Rules | None
    interface: Gene
    architecture: tuple[Gene, ...]
    plasticity: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        object.__setattr__(self, "plasticity", MappingProxyType(dict(sorted(self.plasticity.items()))))
        text, arrays = _dump(self)
        object.__setattr__(self, "_text", text)
        object.__setattr__(self, "_arrays", arrays)
        object.__setattr__(self, "_id", hashlib.sha256(text.encode()).hexdigest())

    def __reduce__(self) -> tuple[type[Genome], tuple[Any, ...]]:
        return Genome, (self.rules, self.interface, self.architecture, dict(self.plasticity))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Genome) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def id(self) -> str:
        """SHA-256 of the canonical JSON, in hexadecimal."""
        return self.__dict__["_id"]  # type: ignore[no-any-return]

    @property
    def json(self) -> str:
        """The canonical JSON."""
        return self.__dict__["_text"]  # type: ignore[no-any-return]

    @property
    def arrays(self) -> Mapping[str, Array]:
        """The arrays that the JSON refers to, by the SHA-256 of their content."""
        return MappingProxyType(self.__dict__["_arrays"])

    def _repr_html_(self) -> str:
        """Return what a notebook shows."""
        from evogen.cards import genome_card

        return genome_card(self)

    def genes(self) -> Iterator[Gene]:
        """Iterate over the interface gene, then the module genes."""
        yield self.interface
        yield from self.architecture


def load(text: str, arrays: Mapping[str, Array]) -> Genome:
    """Read a genome from its canonical JSON and the arrays beside it.

    Raises:
        GenomeError: not JSON, another schema version, a missing or altered array, or a missing field.
    """
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise GenomeError(
                f"genome schema {data['schema']} found, {SCHEMA} wanted: use the evogen that wrote it"
            )
        rules = None if data["rules"] is None else _load_rules(data["rules"], arrays)
        return Genome(
            rules,
            _load_gene(data["interface"], arrays),
            tuple(_load_gene(gene, arrays) for gene in data["architecture"]),
            data["plasticity"],
        )
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise GenomeError(f"not a readable genome: {type(error).__name__}: {error}") from error


def array_id(array: Array) -> str:
    """Return the SHA-256 over dtype, shape and bytes of an array."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _kept(array: Array) -> Array:
    done = array.dtype == np.float32 and array.flags.c_contiguous and not array.flags.writeable
    return array if done else frozen(array)


def _dump(genome: Genome) -> tuple[str, dict[str, Array]]:
    arrays: dict[str, Array] = {}

    def put(array: Array | None) -> Any:
        if array is None:
            return None
        if array.size <= INLINE:
            return {"shape": list(array.shape), "values": [float(v) for v in array.ravel()]}
        name = array_id(array)
        arrays[name] = array
        return {"shape": list(array.shape), "array": name}

    def gene(item: Gene) -> dict[str, Any]:
        expression = {name: put(array) for name, array in item.expression.items()}
        fields = (("module", item.module), ("layer", item.layer), ("link", item.link))
        place = {name: value for name, value in fields if value}
        return {
            "innovation": item.innovation,
            "codons": list(item.codons),
            "expression": expression,
            **place,
        }

    rules = genome.rules
    data = {
        "schema": SCHEMA,
        "rules": None
        if rules is None
        else {
            "genes": list(rules.genes),
            "O": put(rules.O),
            "c": put(rules.c),
            "temperature": float(rules.temperature),
            "mask": put(rules.mask),
        },
        "interface": gene(genome.interface),
        "architecture": [gene(item) for item in genome.architecture],
        "plasticity": dict(genome.plasticity),
    }
    return _ENCODER.encode(data), arrays


def _load_array(data: Any, arrays: Mapping[str, Array]) -> Array:
    if "values" in data:
        return frozen(np.reshape(np.array(data["values"], dtype=np.float32), data["shape"]))
    if data["array"] not in arrays:
        raise GenomeError(f"array {data['array'][:12]}… of the genome is missing from its file")
    array = frozen(arrays[data["array"]])
    if array_id(array) != data["array"]:
        raise GenomeError(f"array {data['array'][:12]}… does not match its hash: the file was altered")
    return array


def _load_rules(data: Any, arrays: Mapping[str, Array]) -> Rules:
    mask = None if data["mask"] is None else _load_array(data["mask"], arrays)
    O, c = _load_array(data["O"], arrays), _load_array(data["c"], arrays)
    return Rules(tuple(data["genes"]), O, c, data["temperature"], mask)


def _load_gene(data: Any, arrays: Mapping[str, Array]) -> Gene:
    expression = {name: _load_array(array, arrays) for name, array in data["expression"].items()}
    place = data.get("module", 0), data.get("layer", 0), data.get("link", 0)
    innovation, codons = data["innovation"], tuple(data["codons"])
    for wanted, numbers in ((2**63, (innovation, *place)), (2**16, codons)):
        for number in numbers:
            if type(number) is not int or not 0 <= number < wanted:
                raise ValueError(
                    f"gene {innovation}: wanted whole numbers in [0, {wanted}), found {number!r}"
                )
    return Gene(innovation, codons, expression, *place)

"""A patch: differences as JSON, and back. What is read is not trusted: it is data, checked part by part.

Arrays of up to INLINE finite numbers stand in their place; larger ones in the table `arrays`, under the
SHA-256 of their content, as little-endian float32 in base64. A gene or a chromosome of rules is written as a
genome that has nothing else (see `evogen.genome`).
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np

from evogen import genome as genomes
from evogen.diff.difference import Difference, Identities, Labelled, Placed, RuleGene, Side, What
from evogen.errors import GenomeError
from evogen.genome import INLINE, Array, Gene, Genome, Rules, array_id, frozen

SCHEMA = 1
_LARGEST = 2**63
_EMPTY = Gene(0, ())
_OPTIONAL = {What.RULES, What.RULE_GENE, What.MASK, What.MODULE, What.LINK, What.EXPRESSION, What.VALUE}


class Patch(NamedTuple):
    """Differences, and the ids of the genomes between which they were found."""

    before: str
    after: str
    differences: tuple[Difference, ...]


def dumped(patch: Patch) -> dict[str, Any]:
    """Return a patch as a JSON value."""
    writer = _Writer({})
    return {
        "schema": SCHEMA,
        "before": patch.before,
        "after": patch.after,
        "differences": [
            {
                "part": each.what.value,
                "gene": each.gene,
                "name": each.name,
                "before": writer.side(each.before),
                "after": writer.side(each.after),
            }
            for each in patch.differences
        ],
        "arrays": writer.arrays,
    }


def load(text: str) -> Patch:
    """Read a patch.

    Raises:
        GenomeError: it is no patch, of another schema version, damaged, or it contradicts itself.
    """
    try:
        data = json.loads(text)
        if data["schema"] != SCHEMA:
            raise GenomeError(
                f"patch schema {data['schema']!r} found, {SCHEMA} wanted: use the evogen that wrote it"
            )
        reader = _Reader({name: _array(name, item) for name, item in data["arrays"].items()})
        found = tuple(reader.difference(each) for each in data["differences"])
        before, after = str(data["before"]), str(data["after"])
    except (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
        raise GenomeError(f"not a readable patch: {type(error).__name__}: {error}") from error
    places = [(each.what, each.gene, each.name) for each in found]
    if len(set(places)) < len(places):
        raise GenomeError("not a readable patch: it says twice what becomes of one part")
    return Patch(before, after, found)


@dataclass(frozen=True)
class _Writer:
    """Writes sides; large arrays are gathered in `arrays`."""

    arrays: dict[str, Any]

    def side(self, side: Side) -> Any:
        match side:
            case Labelled(values, columns):
                return {"columns": None if columns is None else list(columns), **self.array(values)}
            case RuleGene():
                return {
                    "gene": side.gene,
                    "order": list(side.order),
                    "row": self.array(side.row),
                    "column": self.array(side.column),
                    "allowed": None if side.allowed is None else self.array(side.allowed),
                    "expression": [
                        {"gene": gene, "name": name, **self.array(column)}
                        for (gene, name), column in side.expression.items()
                    ],
                }
            case Placed(gene, order, columns):
                found = self.genome(Genome(None, _EMPTY, (gene,)))
                columns_ = None if columns is None else list(columns)
                return {"genome": found, "order": list(order), "columns": columns_}
            case Rules():
                return self.genome(Genome(side, _EMPTY, ()))
            case tuple():
                return list(side)
            case _:
                return side

    def array(self, array: Array) -> dict[str, Any]:
        shape = list(array.shape)
        if array.size <= INLINE and np.isfinite(array).all():
            return {"shape": shape, "values": [float(value) for value in array.ravel()]}
        return {"shape": shape, "array": self.keep(array)}

    def keep(self, array: Array) -> str:
        data = np.ascontiguousarray(array, "<f4").tobytes()
        name = array_id(array)
        self.arrays[name] = {"shape": list(array.shape), "float32": base64.b64encode(data).decode()}
        return name

    def genome(self, genome: Genome) -> Any:
        for array in genome.arrays.values():
            self.keep(array)
        return json.loads(genome.json)


@dataclass(frozen=True)
class _Reader:
    """Reads sides; `arrays` are those that stand in the table."""

    arrays: Mapping[str, Array]

    def difference(self, data: Any) -> Difference:
        what = What(data["part"])
        before, after = (
            None if data[side] is None else self.side(what, data[side]) for side in ("before", "after")
        )
        if None in (before, after) and (what not in _OPTIONAL or before is after):
            raise ValueError(f"{what.value}: a side is missing")
        found = Difference(what, _whole(data["gene"]), str(data["name"]), before, after)
        for side in (before, after):
            _refuse_other(found, side)
        return found

    def side(self, what: What, data: Any) -> Side:
        return _READERS[what](self, data)

    def array(self, data: Any) -> Array:
        if "values" in data:
            values = np.array(data["values"], dtype=np.float32)
            return frozen(values.reshape([_whole(size) for size in data["shape"]]))
        return self.arrays[data["array"]]

    def labelled(self, data: Any) -> Labelled:
        values, columns = self.array(data), data["columns"]
        if columns is None:
            return Labelled(values, None)
        found = _identities(columns)
        if not values.ndim or values.shape[-1] != len(found):
            raise ValueError(f"an array of shape {values.shape} with {len(found)} columns")
        return Labelled(values, found)

    def row(self, data: Any) -> Labelled:
        return _of_shape(self.labelled(data), 1)

    def square(self, data: Any) -> Labelled:
        found = _of_shape(self.labelled(data), 2)
        if found.values.shape[0] != found.values.shape[1]:
            raise ValueError(f"a mask of shape {found.values.shape}")
        return found

    def conductances(self, data: Any) -> Labelled:
        return Labelled(self.array(data), None)

    def rule_gene(self, data: Any) -> RuleGene:
        gene, order = _whole(data["gene"]), _identities(data["order"])
        row, column = self.array(data["row"]), self.array(data["column"])
        allowed = None if data["allowed"] is None else self.array(data["allowed"])
        expression = {
            (_whole(item["gene"]), str(item["name"])): self.array(item) for item in data["expression"]
        }
        wanted = (len(order),)
        if gene not in order or row.shape != wanted or column.shape != wanted:
            raise ValueError(f"rule gene {gene} does not fit the {len(order)} genes beside it")
        if (allowed is not None and allowed.shape != (2, *wanted)) or any(
            each.ndim != 1 for each in expression.values()
        ):
            raise ValueError(f"an array of rule gene {gene} has another number of axes than wanted")
        return RuleGene(gene, order, row, column, allowed, expression)

    def placed(self, data: Any) -> Placed:
        found = genomes.load(json.dumps(data["genome"]), self.arrays)
        (gene,) = found.architecture
        columns = None if data["columns"] is None else _identities(data["columns"])
        return Placed(gene, _identities(data["order"]), columns)

    def rules(self, data: Any) -> Rules:
        found = genomes.load(json.dumps(data), self.arrays).rules
        if found is None:
            raise ValueError("rules: nothing is there")
        return found


def _array(name: str, data: Any) -> Array:
    content = np.frombuffer(base64.b64decode(data["float32"], validate=True), "<f4")
    array = frozen(content.reshape([_whole(size) for size in data["shape"]]))
    if array_id(array) != name:
        raise GenomeError(f"array {name[:12]}… of the patch does not match its hash: it was altered")
    return array


def _whole(number: Any) -> int:
    if type(number) is not int or not 0 <= number < _LARGEST:
        raise ValueError(f"wanted a whole number in [0, {_LARGEST}), found {number!r}")
    return number


def _identities(data: Any) -> Identities:
    found = _integers(data)
    if len(set(found)) < len(found):
        raise ValueError(f"wanted identities that differ, found {found}")
    return found


def _integers(data: Any) -> Identities:
    return tuple(_whole(number) for number in data)


def _codons(data: Any) -> Identities:
    found = _integers(data)
    if any(codon >= 2**16 for codon in found):
        raise ValueError(f"wanted codons below {2**16}")
    return found


def _value(data: Any) -> float | int | str:
    if not isinstance(data, int | float | str) or (isinstance(data, float) and not math.isfinite(data)):
        raise ValueError(f"wanted a finite number or a text, found {data!r}")
    return data


def _temperature(data: Any) -> float:
    if not isinstance(data, float) or not 0 < data < math.inf:
        raise ValueError(f"wanted a temperature above 0, found {data!r}")
    return data


def _of_shape(side: Labelled, axes: int) -> Labelled:
    if side.columns is None or side.values.ndim != axes:
        raise ValueError(f"wanted {axes} axes with columns, found shape {side.values.shape}")
    return side


def _refuse_other(difference: Difference, side: Side) -> None:
    """Refuse a gene that is said to be another one."""
    named = {
        What.RULE_GENE: lambda: cast("RuleGene", side).gene,
        What.MODULE: lambda: cast("Placed", side).gene.innovation,
    }.get(difference.what)
    if side is not None and named is not None and named() != difference.gene:
        raise ValueError(f"{difference.what.value} {difference.gene} holds gene {named()}")
    if (
        difference.what is What.MODULE
        and side is not None
        and difference.gene not in cast("Placed", side).order
    ):
        raise ValueError(f"gene {difference.gene} has no place in its order")


_READERS: Mapping[What, Callable[[_Reader, Any], Side]] = {
    What.RULES: _Reader.rules,
    What.RULE_GENE: _Reader.rule_gene,
    What.RULE_ORDER: lambda _, data: _identities(data),
    What.O_ROW: _Reader.row,
    What.MASK_ROW: _Reader.row,
    What.MASK: _Reader.square,
    What.CONDUCTANCES: _Reader.conductances,
    What.TEMPERATURE: lambda _, data: _temperature(data),
    What.INTERFACE: lambda _, data: _whole(data),
    What.MODULE: _Reader.placed,
    What.ORDER: lambda _, data: _identities(data),
    What.CODONS: lambda _, data: _codons(data),
    What.LINK: lambda _, data: _whole(data),
    What.IN_MODULE: lambda _, data: _whole(data),
    What.IN_LAYER: lambda _, data: _whole(data),
    What.EXPRESSION: _Reader.labelled,
    What.VALUE: lambda _, data: _value(data),
}

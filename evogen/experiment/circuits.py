"""A circuit in the place of a grammar: the settings of `architecture` that name one become a grammar's text.

    architecture: {circuit: {kind: celegans, unfold: 4}, control: [exact, rewired], threshold: 2}

Each setting is a value, or a list of values that a genome chooses from; so may be the circuit. The grammar
that says this is the run's, and a grammar file of one's own, with a start of type `circuit`, can say more.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from evogen.connectome.circuits.plans import NUMBERS, configured, names_of
from evogen.errors import DevelopmentError, SpecError
from evogen.grammar import Grammar, parse
from evogen.registry import find
from evogen.schema import Where, show

START = "circuit"
SETTINGS = ("control", "draw", "threshold", "signs", "unfold", "act", "neuron")
"""What is said of a circuit beside its own settings, see `evogen.connectome.circuits.plans`."""


def grammar_of(data: Mapping[str, Any], where: Where) -> Grammar:
    """Return the grammar of a section `architecture` with a circuit.

    Raises:
        SpecError: no such circuit, or a setting that is none of it.
    """
    given = [name for name in SETTINGS if name in data]
    sources = _several(data["circuit"], where / "circuit")
    made: list[str] = []
    alternatives = [_source(number, each, where / "circuit", made) for number, each in enumerate(sources)]
    head = f"<{START}> @type(circuit) ::= <source>" + "".join(f" <{name}>" for name in given)
    rules = [head, f"<source> ::= {' | '.join(alternatives)}", *made]
    for name in given:
        said = _setting(name, _several(data[name], where / name), where / name)
        rules += [f"<{name}> ::= {said}"]
    return parse("# The circuit of an experiment file, as a grammar.\n\n" + "\n".join(rules) + "\n")


def _several(value: Any, where: Where) -> Sequence[Any]:
    each = value if isinstance(value, list) else [value]
    if not each:
        raise where.error("wanted a value, or several to choose from, found an empty list")
    return each


def _source(number: int, section: Any, where: Where, made: list[str]) -> str:
    """Return an alternative of a circuit with its settings; rules that it needs are added to `made`."""
    if isinstance(section, str):
        section = {"kind": section}
    if not isinstance(section, dict) or not isinstance(section.get("kind"), str):
        raise where.error(
            f"wanted a circuit's name, or a section with kind and settings, found {show(section)}"
        )
    name = section["kind"]
    settings = {key: _several(value, where / key) for key, value in section.items() if key != "kind"}
    try:
        cls = find("circuit", name)
        for key, each in settings.items():
            for value in each:
                configured(name, {key: value})
    except (DevelopmentError, SpecError) as error:
        raise where.error(str(error)) from None
    words = [f"circuit:{name}"]
    for item in dataclasses.fields(cls):
        if item.name not in settings:
            continue
        each = settings[item.name]
        if isinstance(each[0], str):
            made.append(f"<{number}.{item.name}> ::= " + " | ".join(f"{item.name}:{value}" for value in each))
            words.append(f"<{number}.{item.name}>")
        else:
            words.append(_number(item.name, each, where / item.name))
    return " ".join(words)


def _setting(name: str, each: Sequence[Any], where: Where) -> str:
    if name in NUMBERS:
        return f"{name} {_number(NUMBERS[name], each, where)}"
    known = names_of(name)
    for one in each:
        if one not in known:
            raise where.error(f"wanted one of {', '.join(known)}, found {show(one)}")
    return " | ".join(f"{name}:{one}" for one in each)


def _number(name: str, each: Sequence[Any], where: Where) -> str:
    for one in each:
        if isinstance(one, bool) or not isinstance(one, (int, float)) or one < 0:
            raise where.error(f"wanted numbers from 0 on, found {show(one)}")
    return f"[{name},choice,1,{','.join(repr(one) for one in each)}]"

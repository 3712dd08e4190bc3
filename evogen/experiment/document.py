"""From YAML text to data with the place of every key, and back; the only module that imports yaml.

Scalars follow YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema): `1e-3` is a number, `no`
is a word, `010` is ten. A key that is written twice is an error, and so is any tag.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, cast

import yaml

from evogen.errors import SpecError
from evogen.schema import Mark, Where, show

_SHOWN = 76
_TAG = "tag:yaml.org,2002:"
_CORE: Mapping[str, tuple[str, list[str], Callable[[str], Any]]] = {
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""], lambda _: None),
    "bool": (r"true|True|TRUE|false|False|FALSE", list("tTfF"), lambda text: text.lower() == "true"),
    "int": (r"[-+]?[0-9]+", list("-+0123456789"), int),
    "float": (
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        list("-+.0123456789"),
        lambda text: float(re.sub(r"\.(?=[iInN])", "", text)),
    ),
}
_At = Callable[[yaml.Mark], Mark]


class _Loader(yaml.SafeLoader):
    """Composes nodes; never constructs."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads: block mappings, flow sequences, no anchors."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> Any:  # noqa: ARG002
        return super().represent_sequence(tag, sequence, flow_style=True)


_Dumper.add_multi_representer(Enum, lambda dumper, member: dumper.represent_data(member.value))
for _name, (_pattern, _first, _) in _CORE.items():
    for _cls in (_Loader, _Dumper):
        _cls.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), _first)


def read(file: Path) -> tuple[dict[str, Any], dict[str, Mark]]:
    """Return the settings in a YAML file, and the mark of every dotted path.

    Raises:
        SpecError: no such file, not UTF-8, no YAML, a key written twice, or no mapping.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError(f"{file}: wanted an experiment file: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SpecError(f"{file}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from error

    lines = text.split("\n")

    def at(mark: yaml.Mark) -> Mark:
        line = lines[mark.line] if mark.line < len(lines) else ""
        cut = max(0, mark.column - _SHOWN + 1)
        shown = line[cut : cut + _SHOWN].replace("\t", " ")
        return Mark(f"{file}:{mark.line + 1}:{mark.column + 1}", f"  {shown}\n  {' ' * (mark.column - cut)}^")

    marks = {"": Mark(str(file))}
    data = _parse(text, "", marks=marks, at=at)
    if not isinstance(data, dict):
        raise Where(marks).error(f"wanted an experiment as 'key: value' lines, found {show(data)}")
    return data, marks


def override(data: dict[str, Any], marks: dict[str, Mark], text: str) -> None:
    """Write `PATH=VALUE` into the data, with VALUE in YAML; a part that is only named becomes a section.

    Raises:
        SpecError: not of this form, or the path leads through a single value.
    """
    path, _, value = text.partition("=")
    if not value or not re.fullmatch(r"[\w-]+(\.[\w-]+)*", path):
        raise SpecError(f"--set {show(text)}: wanted --set PATH=VALUE, as in --set search.cohorts=40")
    mark = Mark(f"--set {text}")
    section, where = data, Where(marks)
    *above, last = path.split(".")
    for name in above:
        where = where / name
        marks.setdefault(where.path, mark)
        inner = section.setdefault(name, {})
        if isinstance(inner, str) and "." not in where.path:
            inner = section[name] = {"kind": inner}
        if not isinstance(inner, dict):
            raise Where({"": mark}, where.path).error(
                f"{show(inner)} is one value, it has no settings below it"
            )
        section = inner
    for old in [old for old in marks if old.startswith(f"{path}.")]:
        del marks[old]
    marks[path] = mark
    section[last] = _parse(value, path, marks=marks, at=lambda _: mark)


def parsed(text: str) -> dict[str, Any]:
    """Return the settings in a text that `dump` wrote."""
    mark = Mark("")
    return dict(_parse(text, "", marks={"": mark}, at=lambda _: mark))


def dump(data: Mapping[str, Any]) -> str:
    """Return the YAML text of a tree of mappings, sequences, strings and numbers, in the order given."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _parse(text: str, path: str, *, marks: dict[str, Mark], at: _At) -> Any:
    try:
        _refuse_aliases(text, at)
        node = yaml.compose(text, Loader=_Loader)
        return None if node is None else _value(node, path, marks, at)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        mark = marks[""] if place is None else at(place)
        raise Where({"": mark}).error(f"not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise Where(marks).error(f"not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise Where(marks).error("nested without end") from None


def _refuse_aliases(text: str, at: _At) -> None:
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            mark = cast("yaml.Mark", event.start_mark)
            raise Where({"": at(mark)}).error("aliases are not supported: write the value out")


def _value(node: yaml.Node, path: str, marks: dict[str, Mark], at: _At) -> Any:
    if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
        return _mapping(node, path, marks, at)
    if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
        return [_value(item, path, marks, at) for item in node.value]
    kind = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.ScalarNode) and kind == "str":
        return node.value
    if isinstance(node, yaml.ScalarNode) and kind in _CORE and re.fullmatch(_CORE[kind][0], node.value):
        return _CORE[kind][2](node.value)
    raise Where({"": at(node.start_mark)}, path).error(f"the tag {node.tag} is not supported: remove it")


def _mapping(node: yaml.MappingNode, path: str, marks: dict[str, Mark], at: _At) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for key, value in node.value:
        mark = at(key.start_mark)
        if not isinstance(key, yaml.ScalarNode):
            raise Where({"": mark}, path).error("wanted a name before ':', found a list or a mapping")
        here = Where({"": mark}, path) / key.value
        if key.value in data:
            raise here.error("this key is written twice")
        marks[here.path] = mark
        data[key.value] = _value(value, here.path, marks, at)
    return data

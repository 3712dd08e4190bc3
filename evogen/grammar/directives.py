"""Lines of a grammar file that begin with `%`: `%include "base.bnf"` and `%version 1`.

An include is replaced by the lines of that file, found from the folder of the file that names it; a file that
is included again stands where it stood first. The line itself becomes `%version 1`, so that the whole is read
by the same rules with or without its parts at hand.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath, PureWindowsPath

from evogen.errors import GrammarError, near
from evogen.grammar.text import Origin, Place, Text

VERSION = 1
_LINE = re.compile(r"^[ \t]*%(?P<name>[A-Za-z_]\w*)[ \t]*(?P<rest>.*?)\s*$")
_FILE = re.compile(r"""^(?P<quote>["'])(?P<path>[^"']+)(?P=quote)\s*(#.*)?$""")
_NUMBER = re.compile(r"^(?P<number>\S+)\s*(#.*)?$")
_INCLUDE = 'Write: %include "base.bnf", a path from the folder of this file.'
_KNOWN = ("include", "version")
_DEEPEST = 50


def read(path: Path) -> Text:
    """Return a file's text, with what it includes.

    Raises:
        GrammarError: a file is missing, not UTF-8, named by an absolute path, or includes itself.
    """
    lines: list[str] = []
    origins: list[Origin] = []
    _include(path, str(path), lines, origins, (), set())
    if len(origins) == 1:
        origins = []
    return Text(str(path), "\n".join(lines), tuple(origins))


def directed(text: Text) -> bool:
    """Tell whether a text has a directive."""
    found = (_LINE.match(line) for line in text.content.split("\n"))
    return any(match is not None and match["name"] in _KNOWN for match in found)


def blanked(text: Text) -> str:
    """Return the text with blanks for its directives.

    Raises:
        GrammarError: a version that is not ours, an include (where there are no files), an unknown directive.
    """
    lines = text.content.split("\n")
    for i, match in [(i, match) for i, line in enumerate(lines) if (match := _LINE.match(line))]:
        place = Place(i + 1, match.start("name"))
        if match["name"] == "include":
            what = "an include, but this text is no file"
            raise text.fault(place, what=what, remedy="Load it from a file, or put the rules here.")
        if match["name"] != "version":
            what = f"unknown directive '%{match['name']}'{near(match['name'], _KNOWN)}"
            raise text.fault(place, what=what, remedy=f"Directives are %version {VERSION} and %include.")
        number = _NUMBER.match(match["rest"])
        if number is None or number["number"] != str(VERSION):
            said = f"version {number['number']}" if number else "no version"
            remedy = f"This evogen reads version {VERSION} of the language of grammars: %version {VERSION}"
            raise text.fault(place, what=f"{said}, {VERSION} was wanted", remedy=remedy)
        lines[i] = re.sub(r"[^\r]", " ", lines[i])
    return "\n".join(lines)


def _include(
    path: Path, name: str, lines: list[str], origins: list[Origin], above: tuple[Path, ...], done: set[Path]
) -> None:
    own = _resolved(path)
    done.add(own)
    text = Text(name, _content(path, name))
    origins.append(Origin(len(lines) + 1, name, 1))
    for i, line in enumerate(text.content.split("\n"), start=1):
        match = _LINE.match(line)
        if match is None or match["name"] != "include":
            lines.append(line)
            continue
        place = Place(i, match.start("name"))
        below = path.parent / _path(text, place, match["rest"])
        whole = _resolved(below)
        if whole in (*above, own):
            raise text.fault(place, what=f"{below} includes itself", remedy="Take one of the includes out.")
        if len(above) == _DEEPEST:
            what = f"more than {_DEEPEST} files include each other"
            raise text.fault(place, what=what, remedy="Include some of them side by side.")
        lines.append(f"%version {VERSION}")
        if whole in done:
            continue
        if not os.path.isfile(whole):
            raise text.fault(place, what=f"there is no file {below}", remedy=_INCLUDE)
        _include(below, str(below), lines, origins, (*above, own), done)
        origins.append(Origin(len(lines) + 1, name, i + 1))


def _resolved(path: Path) -> Path:
    return Path(os.path.realpath(path))  # unlike Path.resolve, never raises


def _path(text: Text, place: Place, written: str) -> str:
    match = _FILE.match(written)
    if match is None or "\0" in written:
        raise text.fault(place, what="a quoted file name was wanted", remedy=_INCLUDE)
    path = match["path"]
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).anchor or path.startswith("~"):
        raise text.fault(place, what=f"'{path}' is an absolute path", remedy=_INCLUDE)
    return path


def _content(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise GrammarError(f"{name}: a grammar file was wanted: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise GrammarError(f"{name}: not UTF-8 text (byte {error.start}); save the file as UTF-8") from error

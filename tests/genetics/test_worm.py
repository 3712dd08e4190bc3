import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

from evogen.errors import SpecError
from evogen.genetics import worm
from evogen.genetics.adhesion import adhesion_mask
from evogen.genetics.ndge import ndge
from evogen.genetics.worm import Connectome, Threshold, class_of, data_file, every_pair, read_atlas

CENGEN = (
    '"","gene_name","Wormbase_ID","ADA","AWC_OFF","AWC_ON","VD_DD","RMD_LR"\n'
    '"1","g-1","WB1",1,2,4,5,6\n'
    '"2","g-2","WB2",0.5,0,0,7,8\n'
)
SYNAPSES = (
    "pre\tpost\ttype\tsynapses\nADAL\tAWCL\tchemical\t2\nADAR\tAWCR\tchemical\t3\nADAL\tADAR\telectrical\t9\n"
    "VD3\tRMDL\tchemical\t1\nDD1\tRMDR\tchemical\t1\nADAL\tBWM-DL01\tchemical\t4\n"
)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / Threshold.MEDIUM.value).write_text(CENGEN)
    (tmp_path / Connectome.WHITE_WHOLE.value).write_text(SYNAPSES)
    monkeypatch.setattr(worm, "data_file", lambda name: tmp_path / name)
    return tmp_path


def test_neurons_are_summed_into_classes(small: Path) -> None:
    atlas = read_atlas()
    assert atlas.classes == ("ADA", "AWC", "VD_DD", "RMD_LR")
    assert atlas.genes == ("g-1", "g-2")
    assert atlas.expression.tolist() == [[1, 0.5], [3, 0], [5, 7], [6, 8]]
    expected = np.zeros((4, 4))
    expected[0, 1], expected[2, 3] = 5, 2
    assert np.array_equal(atlas.synapse, expected)


def test_choose_takes_classes_and_genes_in_the_order_asked(small: Path) -> None:
    atlas = read_atlas().choose(("VD_DD", "ADA", "RMD_LR"), ("g-2",))
    assert atlas.expression.tolist() == [[7], [0.5], [8]]
    assert atlas.synapse.tolist() == [[0, 0, 2], [0, 0, 0], [0, 0, 0]]
    with pytest.raises(SpecError, match="no class 'ADB'; did you mean 'ADA'"):
        atlas.choose(("ADB",), ("g-2",))
    with pytest.raises(SpecError, match="no gene 'g-1'"):
        atlas.choose(("ADA",), ("g-1",))


@pytest.mark.parametrize(
    ("neuron", "expected"),
    [("ADAL", "ADA"), ("IL2DL", "IL2_DV"), ("IL2R", "IL2_LR"), ("IL1VL", "IL1"), ("SMDVR", "SMD"),
     ("VD3", "VD_DD"), ("DD6", "VD_DD"), ("DVA", "DVA"), ("ASEL", "ASEL"), ("AVDL", "AVD"), ("DB1", "DB01"),
     ("DB7", "DB"), ("VA12", "VA12"), ("VA3", "VA"), ("VC4", "VC_4_5"), ("RMED", "RME_DV"), ("AWCL", "AWC"),
     ("AVL", "AVL"), ("M2L", "M2"), ("BWM-DL01", ""), ("GLRDR", "")],
)  # fmt: skip
def test_class_of_a_neuron(neuron: str, expected: str) -> None:
    known = ("ADA", "IL1", "SMD", "DVA", "ASEL", "AVL", "AVD", "DB", "VA", "VA12", "AWC", "M2", "AVA", "DA")
    assert class_of(neuron, known) == expected


def test_every_pair_is_all_but_the_diagonal() -> None:
    assert every_pair(3).tolist() == [[False, True, True], [True, False, True], [True, True, False]]


def test_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> metadata.Distribution:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", absent)
    with pytest.raises(SpecError, match=r"pip install 'evogen\[worm\]'"):
        read_atlas()


def test_changed_files_are_refused_with_their_name(small: Path) -> None:
    (small / Connectome.WHITE_WHOLE.value).write_text("pre\tpost\tkind\nA\tB\tchemical\n")
    with pytest.raises(SpecError, match=r"white_1986_whole\.csv:2: wanted pre, post, type"):
        read_atlas()
    (small / Threshold.MEDIUM.value).write_text('"","gene_name","Wormbase_ID","ADA"\n"1","g","W",x\n')
    with pytest.raises(SpecError, match="wanted CeNGEN's table of numbers"):
        read_atlas()


def _installed() -> bool:
    try:
        return metadata.distribution("wormneuroatlas") is not None
    except metadata.PackageNotFoundError:
        return False


@pytest.mark.skipif(not _installed(), reason="the optional extra evogen[worm] is not installed")
def test_the_real_tables_are_read_without_importing_gpl_code() -> None:
    genes, _ = adhesion_mask()
    atlas = read_atlas()
    assert (len(atlas.classes), len(atlas.genes)) == (127, 13669)
    assert set(genes) <= set(atlas.genes)
    assert atlas.synapse.sum() == 6509
    part = atlas.choose(atlas.classes, genes)
    found = ndge(part.expression, every_pair(127), part.synapse, names=genes)
    within = np.count_nonzero(part.synapse.diagonal())
    assert found.uncontacted == within > 0
    assert found.synaptic == 1093 - within
    assert "wormneuroatlas" not in sys.modules
    with pytest.raises(SpecError, match=r"no\.csv: wanted this file of wormneuroatlas 0\.0\.7"):
        data_file("no.csv")

"""Pictures of the user's: a folder, a ZIP of one, a file in FER-2013's format."""

import io
import os
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.registry import File
from evogen.tasks.images import Images, cut
from evogen.tasks.pictures import fer, packed
from evogen.tasks.pictures.album import scaled


def png(grey):
    stream = io.BytesIO()
    Image.fromarray(np.asarray(grey, np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def picture(seed, side=4):
    return Key(seed).child("picture").generator().integers(0, 256, (side, side))


@pytest.fixture
def folder(tmp_path):
    """Ten pictures of cats and ten of dogs, with what file managers leave behind."""
    for label, name in enumerate(("cats", "dogs")):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(10):
            (tmp_path / "pets" / name / f"{number}.png").write_bytes(png(picture(100 * label + number)))
    (tmp_path / "pets" / ".DS_Store").write_bytes(b"x")
    return tmp_path / "pets"


def zipped(files):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def faces(rows=None, header="emotion,pixels,Usage", count=12):
    usages = ("Training", "Training", "PublicTest", "PrivateTest")
    if rows is None:
        rows = [
            f"{3 * (number % 2)},{' '.join(map(str, picture(number).ravel()))},{usages[number // 2 % 4]}"
            for number in range(count)
        ]
    return "\n".join([header, *rows, ""]).encode()


def test_a_folder_is_read_with_its_folders_as_classes(folder):
    task = Images(source=str(folder), size=4)
    assert task.source == File("pets.zip", packed.pack(folder))
    assert (task.inputs, task.outputs, task.classes) == (16, 2, ("cats", "dogs"))
    rows = cut(task)
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(20))
    raw = np.stack([picture(100 * label + number) for label in range(2) for number in range(10)]) / 255
    flat = raw.reshape(20, 16)
    mean, spread = flat[rows["train"]].mean(0), flat[rows["train"]].std(0)
    for fold, members in rows.items():
        features, labels = task.examples(fold)
        np.testing.assert_allclose(features, (flat[members] - mean) / spread, atol=1e-5)
        assert labels.tolist() == (members >= 10).astype(int).tolist()


def test_a_zip_with_folders_above_is_the_same_as_the_folder(folder):
    files = {
        f"some/where/{name}/{number}.png": (folder / name / f"{number}.png").read_bytes()
        for name in ("cats", "dogs")
        for number in range(10)
    }
    content = zipped(files | {"__MACOSX/some/x.txt": b"", "some/.hidden": b""})
    one, other = Images(source=File("z.zip", content), size=4), Images(source=str(folder), size=4)
    for fold in ("train", "validation", "test"):
        for ours, theirs in zip(one.examples(fold), other.examples(fold), strict=True):
            assert torch.equal(ours, theirs)


def test_packing_gives_the_same_bytes_again(folder):
    assert packed.pack(folder) == packed.pack(folder)


def test_a_folder_is_not_packed_beyond_what_a_run_can_keep(folder, monkeypatch):
    monkeypatch.setattr(packed, "LARGEST", 100)
    with pytest.raises(SpecError, match="wanted at most 100 bytes of images"):
        packed.pack(folder)


def test_what_is_no_file_is_not_waited_for(folder):
    os.mkfifo(folder / "cats" / "pipe.png")
    with pytest.raises(SpecError, match=r"cats/pipe\.png is no file"):
        packed.pack(folder)


def test_scaling_takes_means_over_areas():
    grey = np.arange(16, dtype=np.float32).reshape(1, 4, 4)
    assert scaled(grey, 2).tolist() == [[[2.5, 4.5], [10.5, 12.5]]]


def test_colours_become_grey_and_deep_greys_keep_their_depth():
    colour = np.zeros((2, 2, 3), np.uint8)
    colour[0, 0] = (255, 0, 0)
    deep = np.full((2, 2), 65535 // 2, np.uint16)
    files = {}
    for name, array in (("a/colour.png", colour), ("b/deep.png", deep)):
        stream = io.BytesIO()
        Image.fromarray(array).save(stream, "PNG")
        files[name] = stream.getvalue()
    album = packed.read(zipped(files), "t.zip", 2)
    assert album.grey[0, 0, 0] == pytest.approx(0.299, abs=0.003)
    assert album.grey[1].ravel().tolist() == pytest.approx([0.5] * 4, abs=1e-4)


def test_copies_of_a_picture_are_never_in_two_folds(folder):
    for number in range(10, 30):
        (folder / "cats" / f"{number}.png").write_bytes(png(picture(number % 10)))
    for seed in range(5):
        task = Images(source=str(folder), size=4, split_seed=seed)
        folds = (task.examples(fold)[0].tolist() for fold in ("train", "validation", "test"))
        found = [{tuple(row) for row in rows} for rows in folds]
        assert sum(map(len, found)) == 20
        assert not found[0] & found[1]
        assert not found[0] & found[2]
        assert not found[1] & found[2]


def test_a_file_in_fer_2013s_format_brings_its_own_folds():
    task = Images(source=File("faces.csv", faces(count=16)), size=4)
    assert task.classes == ("angry", "happy")
    rows = cut(task)
    assert rows["train"].tolist() == [0, 1, 2, 3, 8, 9, 10, 11]
    assert rows["validation"].tolist() == [4, 5, 12, 13]
    assert rows["test"].tolist() == [6, 7, 14, 15]
    _, labels = task.examples("train")
    assert labels.tolist() == [0, 1] * 4
    album = fer.read(faces(), "faces.csv", 4)
    np.testing.assert_allclose(album.grey[5] * 255, picture(5), atol=1e-4)


def test_a_face_that_is_tested_is_not_learnt_from_too():
    same = " ".join(map(str, picture(0).ravel()))
    more = [f"0,{same},Training", f"0,{same},PrivateTest"]
    content = faces(count=8) + "\n".join([*more, ""]).encode()
    rows = cut(Images(source=File("faces.csv", content), size=4))
    assert 9 in rows["test"]
    assert not {0, 8} & {number for members in rows.values() for number in members.tolist()}


def test_columns_may_stand_in_another_order_and_case():
    rows = [f"{usage},{' '.join(['7'] * 4)},1" for usage in ("Training", "training")]
    rows += [f"PublicTest,{' '.join(map(str, range(4)))},0"]
    album = fer.read(faces(rows, header=" usage,Pixels,Emotion"), "f.csv", 2)
    assert album.labels.tolist() == [1, 1, 0]
    assert album.folds.tolist() == [0, 0, 1]


GOOD = " ".join(["9"] * 4)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "found nothing"),
        (b"\xff\xfe", "wanted UTF-8 text"),
        (faces([], header="emotion,pixels"), "wanted the columns emotion,pixels,Usage"),
        (faces([]), "at least one face"),
        (faces([f"0,{GOOD},Training,1"]), "line 2: wanted 3 cells, found 4"),
        (faces([f"0,{GOOD} x,Training"]), "line 2: wanted pixels as whole numbers"),
        (faces(["0,1 2 3,Training"]), "line 2: wanted a square of pixels"),
        (faces(["0,,Training"]), "line 2: wanted a square of pixels"),
        (faces([f"0,{GOOD},Training", "0,1,Training"]), "line 3: wanted 4 pixels as in the first face"),
        (faces(["0,1 2 3 256,Training"]), "pixels from 0 to 255, found 256"),
        (faces(["0,1 2 3 -4,Training"]), "pixels from 0 to 255, found -4"),
        (faces([f"0,1 2 3 {'9' * 5000},Training"]), "line 2: wanted pixels as whole numbers"),
        (faces([f"happy,{GOOD},Training"]), "wanted an emotion from 0 to 6, found 'happy'"),
        (faces([f"-1,{GOOD},Training"]), "wanted an emotion"),
        (faces([f"000000000{'9' * 12},{GOOD},Training"]), "wanted an emotion from 0 to 6, found '0000000009"),
        (faces([f"0,{GOOD},Secret"]), "found 'Secret'"),
        (faces([f"0,{GOOD},Training"]), "two emotions at least"),
        (faces(['0,"1 2 3']), "cannot read the pictures bad.csv"),
    ],
)
def test_bad_faces_are_told_with_their_line(content, what):
    with pytest.raises(SpecError, match=what) as caught:
        Images(source=File("bad.csv", content))
    assert "bad.csv" in str(caught.value)


def enormous():
    """Return a PNG of a few bytes that says it has 30,000 x 30,000 pixels."""
    return png([[0]])[:16] + (30_000).to_bytes(4, "big") * 2 + png([[0]])[24:]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"no zip", "wanted a ZIP of images"),
        (zipped({}), "found none"),
        (zipped({"a.png": png([[0]])}), "found a.png in none"),
        (zipped({"a/1.png": png([[0]])}), "two classes at least"),
        (zipped({"a/1.png": png([[0]]), "b/notes.txt": b"hi"}), "found b/notes.txt: take it out"),
        (zipped({"a/1.png": png([[0]]), "b/c/1.png": png([[0]])}), "folders of classes side by side"),
        (zipped({"a/1.png": b"\x89PNG", "b/1.png": png([[0]])}), "a/1.png is no image"),
        (zipped({"a/1.png": png(picture(0, 9))[:-30], "b/1.png": png([[0]])}), "a/1.png"),
        (zipped({"a/1.png": enormous(), "b/1.png": png([[0]])}), "a/1.png"),
        (zipped({"a/1.png": b"%!PS-Adobe-3.0 EPSF-3.0\n", "b/1.png": png([[0]])}), "a/1.png is no image"),
        (zipped({"a/1.png": png([[0]]), "b/1.png": png([[9]])}), "wanted pictures of every class"),
    ],
)
def test_bad_archives_are_told(content, what):
    with pytest.raises(SpecError, match=what):
        Images(source=File("bad.zip", content), size=2)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_is_read_or_told_whatever_byte_of_it_is_wrong(method):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name in ("a/1.png", "b/1.png"):
            archive.writestr(name, png(picture(0)))
    whole = stream.getvalue()
    found = [_said(whole[:at] + bytes([whole[at] ^ 0x81]) + whole[at + 1 :]) for at in range(len(whole))]
    assert all("bad.zip" in said for said in found if said)
    assert sum(map(bool, found)) > len(whole) / 2


def _said(content):
    """What is wrong with an archive; nothing if it can be read."""
    try:
        packed.read(content, "bad.zip", 4)
    except SpecError as error:
        return str(error)
    return ""


def test_other_sources_are_told(tmp_path):
    with pytest.raises(SpecError, match=r"found 'x\.tar'"):
        Images(source=File("x.tar", b""))
    with pytest.raises(SpecError, match="No such file"):
        Images(source=str(tmp_path / "nowhere"))
    (tmp_path / "p" / "a").mkdir(parents=True)
    (tmp_path / "p" / "a" / "x.doc").write_bytes(b"")
    with pytest.raises(SpecError, match=r"found a/x\.doc: take it out"):
        Images(source=str(tmp_path / "p"))


def test_too_many_pixels_are_refused_before_they_are_read(monkeypatch):
    monkeypatch.setattr("evogen.tasks.pictures.album.MOST_PIXELS", 99)
    with pytest.raises(SpecError, match="wanted at most 99 pixels in all"):
        Images(source=File("t.zip", zipped({"a/1.png": b"", "b/1.png": b""})), size=8)


def test_flat_pictures_are_refused():
    rows = [
        f"{label},7 7 7 7,{usage}" for label in (0, 1) for usage in ("Training", "PublicTest", "PrivateTest")
    ]
    with pytest.raises(SpecError, match="wanted pictures of every class"):
        Images(source=File("flat.csv", faces(rows)), size=2)

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import fsspec
import pytest
from lives import make_cohort
from search_fakes import Backwards, done, new_run, search

from evogen.cohort import Ref
from evogen.errors import RunError, SpecError
from evogen.mirror import Mirror, fetch, mirrored
from evogen.runs import Run


@pytest.fixture
def run(tmp_path):
    with new_run(tmp_path / "run") as run:
        yield run


def commit(run, cohorts=1):
    for index in range(run.told, run.told + cohorts):
        cohort = make_cohort(index)
        run.commit(cohort, done(cohort))


def whole(folder):
    """Return a run's fingerprint after reading every array of it."""
    with Run.open(folder) as run:
        run.refuse_altered_files()
        for row in run.rows():
            run.candidate(row.ref)
        return run.told, run.fingerprint()


def listed(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def test_a_mirror_in_a_folder_is_a_run(tmp_path, run):
    mirror = Mirror(str(tmp_path / "mirror"))
    for cohorts in (0, 2, 3):
        commit(run, cohorts)
        assert mirror.push(run.path) == run.told
        assert whole(tmp_path / "mirror") == whole(run.path)
    assert set(listed(tmp_path / "mirror")) == {
        *(name for name in listed(run.path) if name.startswith("arrays/")),
        *("experiment.yaml", "grammar.bnf", "environment.json", "run.db", "mirror.json"),
    }


def test_only_new_arrays_are_sent_also_by_another_process(tmp_path, run):
    commit(run, 2)
    Mirror(f"file://{tmp_path}/mirror").push(run.path)
    before = listed(tmp_path / "mirror" / "arrays")
    commit(run)
    Mirror(f"file://{tmp_path}/mirror").push(run.path)
    after = listed(tmp_path / "mirror" / "arrays")
    assert before.items() < after.items()
    assert len(after) == 3


def test_a_search_goes_on_from_its_mirror_to_the_same_bits(tmp_path):
    with new_run(tmp_path / "whole") as unbroken:
        search(unbroken, 7)
        expected = unbroken.fingerprint()
    with new_run(tmp_path / "run") as run:
        search(run, 4)
        Mirror(str(tmp_path / "mirror")).push(run.path)
    shutil.rmtree(tmp_path / "run")
    with Run.open(tmp_path / "mirror", write=True) as moved:
        search(moved, 7, evaluator=Backwards())
        assert moved.fingerprint() == expected


@pytest.mark.parametrize("last", range(1, 9))
def test_a_mirror_cut_at_any_step_opens_and_is_completed_by_the_next(tmp_path, run, monkeypatch, last):
    commit(run, 2)
    mirror = Mirror(str(tmp_path / "mirror"))
    mirror.push(run.path)
    before = whole(run.path)
    commit(run, 2)
    put, calls = type(mirror._files).put_file, []

    def cut(files, source, target, **settings):
        calls.append(target)
        if len(calls) == last:
            Path(target).write_bytes(Path(source).read_bytes()[:50])
            raise OSError("cut")
        return put(files, source, target, **settings)

    with monkeypatch.context() as patched:
        patched.setattr(type(mirror._files), "put_file", cut)
        if last <= 3:
            with pytest.raises(OSError, match="cut"):
                mirror.push(run.path)
            assert whole(tmp_path / "mirror") == before
        else:
            mirror.push(run.path)
            assert len(calls) == 3  # two files of arrays, run.db
    mirror.push(run.path)
    assert whole(tmp_path / "mirror") == whole(run.path)


def test_a_store_in_the_style_of_s3_is_fetched_whole(tmp_path, run):
    url = f"memory://{uuid.uuid4()}/deep/name"
    commit(run, 3)
    mirror = Mirror(url)
    mirror.push(run.path)
    commit(run)
    mirror.push(run.path)
    assert fetch(url, tmp_path / "fetched") == 4
    assert whole(tmp_path / "fetched") == whole(run.path)
    with Run.open(tmp_path / "fetched", write=True) as fetched:
        assert fetched.candidate(Ref(3, 0))[0] == make_cohort(3).individuals[0]
    with pytest.raises(RunError, match="fetched exists and is not empty"):
        fetch(url, tmp_path / "fetched")


def test_a_bucket_of_an_s3_server_keeps_a_mirror(tmp_path, run, monkeypatch):
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        settings = {"endpoint_url": address, "key": "k", "secret": "s"}
        monkeypatch.setitem(fsspec.config.conf, "s3", settings)
        fsspec.filesystem("s3").mkdir("bucket")
        url = "s3://bucket/runs/mine"
        commit(run, 2)
        mirror = Mirror(url)
        for cohorts in (0, 2):
            commit(run, cohorts)
            mirror.push(run.path)
        commit(run)
        Mirror(url).push(run.path)
        names = {name.rpartition("/mine/")[2] for name in fsspec.filesystem("s3").find("bucket")}
        assert fetch(url, tmp_path / "fetched") == 5
        with pytest.raises(RunError, match="holds no whole run"):
            fetch("s3://bucket/runs/other", tmp_path / "other")
    finally:
        server.stop()
    assert whole(tmp_path / "fetched") == whole(run.path)
    assert names == {
        *(f"arrays/cohort-0000{cohort}.safetensors" for cohort in range(5)),
        *("experiment.yaml", "grammar.bnf", "environment.json", "run.db", "mirror.json"),
    }


def test_the_mirror_of_another_run_is_refused(tmp_path, run):
    commit(run)
    Mirror(str(tmp_path / "mirror")).push(run.path)
    before = whole(tmp_path / "mirror")
    with Run.create(tmp_path / "other", experiment="name: o\n", files={}, environment={}) as other:
        commit(other, 2)
        with pytest.raises(RunError, match=r"is the mirror of another run than .*other"):
            Mirror(str(tmp_path / "mirror")).push(other.path)
    with new_run(tmp_path / "younger") as younger, pytest.raises(RunError, match="mirror of another run"):
        Mirror(str(tmp_path / "mirror")).push(younger.path)
    assert whole(tmp_path / "mirror") == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("words")
    with pytest.raises(RunError, match="mine is not empty and no mirror"):
        Mirror(str(tmp_path / "mine")).push(run.path)


def test_a_mirror_that_somebody_went_on_with_is_left_alone(tmp_path, run):
    commit(run)
    mirror = Mirror(str(tmp_path / "mirror"))
    mirror.push(run.path)
    with Run.open(tmp_path / "mirror", write=True) as theirs:
        commit(theirs)
    commit(run)
    with pytest.raises(RunError, match="somebody went on with it"):
        mirror.push(run.path)
    with pytest.raises(RunError, match="somebody went on with it"):
        Mirror(str(tmp_path / "mirror")).push(run.path)


def test_an_older_writer_does_not_take_back_what_a_newer_one_sent(tmp_path, run):
    first = Mirror(str(tmp_path / "mirror"))
    commit(run)
    first.push(run.path)
    fetch(str(tmp_path / "mirror"), tmp_path / "elsewhere")
    with Run.open(tmp_path / "elsewhere", write=True) as theirs:
        commit(theirs, cohorts=3)
    Mirror(str(tmp_path / "mirror")).push(tmp_path / "elsewhere")
    commit(run)
    with pytest.raises(RunError, match="somebody went on with it"):
        first.push(run.path)
    assert whole(tmp_path / "mirror")[0] == 4


def test_a_search_that_ends_in_an_error_is_mirrored_whole(tmp_path, run):
    def ended():
        with mirrored(run, Mirror(str(tmp_path / "mirror")), notice=lambda _: None):
            commit(run, cohorts=3)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ended()
    assert whole(tmp_path / "mirror")[0] == 3


def test_it_is_brought_up_to_date_every_so_many_cohorts_and_at_the_end(tmp_path, run):
    with mirrored(run, Mirror(str(tmp_path / "mirror")), every=3, notice=pytest.fail) as turn:
        assert whole(tmp_path / "mirror")[0] == 0
        for _ in range(7):
            commit(run)
            turn()
    told = [event.payload["told"] for event in run.events() if event.kind == "mirrored"]
    assert told[0] == 0
    assert told[-1] == 7
    assert 3 <= len(told) <= 4
    assert whole(tmp_path / "mirror") == whole(run.path)


def test_a_mirror_that_fails_is_said_and_tried_again(tmp_path, run, monkeypatch):
    def broken(*_, **__):
        raise ConnectionResetError("no route")

    said = []
    mirror = Mirror(str(tmp_path / "mirror"))
    with monkeypatch.context() as patched:
        patched.setattr(type(mirror._files), "put_file", broken)
        with mirrored(run, mirror, every=1, notice=said.append) as turn:
            commit(run)
            turn()
            patched.undo()
            commit(run)
    assert "not up to date (ConnectionResetError: no route); it is tried again" in said[0]
    failed = [event.payload for event in run.events() if event.kind == "mirror failed"]
    assert failed[0]["what"] == "ConnectionResetError: no route"
    assert whole(tmp_path / "mirror") == whole(run.path)


def test_a_foreign_mirror_ends_it_at_the_start(tmp_path, run):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "file").touch()
    with (
        pytest.raises(RunError, match="not empty and no mirror"),
        mirrored(run, Mirror(str(tmp_path / "mine")), notice=pytest.fail),
    ):
        pytest.fail("began")


def test_without_a_mirror_nothing_is_sent(run):
    with mirrored(run, None, notice=pytest.fail) as turn:
        commit(run)
        turn()
    assert [event.kind for event in run.events()] == ["created"]


def test_a_url_of_no_known_kind_is_refused_and_passwords_are_not_told():
    with pytest.raises(SpecError, match="cannot use nothing://there as a mirror: Protocol not known"):
        Mirror("nothing://there")
    assert Mirror("memory://user:secret@there").name == "memory://there"


def test_fetching_what_is_not_there_leaves_nothing(tmp_path):
    with pytest.raises(RunError, match="holds no whole run: there is no "):
        fetch(f"memory://{uuid.uuid4()}", tmp_path / "run")
    assert os.listdir(tmp_path) == []


def test_a_mirror_that_names_files_elsewhere_is_not_fetched(tmp_path, run):
    url = f"memory://{uuid.uuid4()}"
    run._database.execute("UPDATE event SET payload = ?", (json.dumps({"../../evil": "0"}),))
    files = fsspec.filesystem("memory")
    run.close()
    files.put_file(str(run.path / "run.db"), f"{url}/run.db")
    files.pipe_file(f"{url}/environment.json", b"{}")
    with pytest.raises(RunError, match=r"names a file '\.\./\.\./evil'"):
        fetch(url, tmp_path / "deep/er/run")
    assert not (tmp_path / "evil").exists()


def test_a_writer_elsewhere_is_mirrored_consistently(tmp_path):
    """Another process commits while this one copies, over and over."""
    folder = tmp_path / "run"
    script = Path(__file__).parent / "search_fakes.py"
    with subprocess.Popen([sys.executable, script, folder, "1000", "0"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        mirror, seen = Mirror(str(tmp_path / "mirror")), []
        try:
            end = time.monotonic() + 60
            while len(seen) < 5 or seen[-1] == seen[0]:
                assert time.monotonic() < end
                mirror.push(folder)
                seen.append(whole(tmp_path / "mirror")[0])
        finally:
            process.kill()
    assert seen == sorted(seen)
    assert seen[-1] > seen[0]

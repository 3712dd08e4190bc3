import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lives import make_cohort, make_genome
from safetensors.numpy import load_file
from search_fakes import done, new_run

from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.errors import RunError
from evogen.evaluators import Result
from evogen.genome import Gene, frozen
from evogen.runs import Run, locate
from evogen.runs.records import Snapshot, tuned, write_back
from evogen.strategies.goals import Goals


@pytest.fixture
def run(tmp_path):
    with new_run(tmp_path / "run") as run:
        yield run


def commit(run, cohorts=1):
    for index in range(run.told, run.told + cohorts):
        cohort = make_cohort(index)
        run.commit(cohort, done(cohort))


def scored(index, fitness):
    """Return a cohort of one and its result."""
    cohort = make_cohort(index, size=1)
    return cohort, Result(index, (Evaluation(Outcome.OK, fitness),), 0.0, "here")


def same_arrays(found, wanted):
    return {name: (array.shape, array.tobytes()) for name, array in found.items()} == {
        name: (array.shape, array.tobytes()) for name, array in wanted.items()
    }


def test_new_run_holds_its_texts(tmp_path):
    files = {"grammar.bnf": "<a> ::= µ\n".encode()}
    with Run.create(
        tmp_path / "deep" / "run", experiment="name: x\n", files=files, environment={"torch": "2"}
    ) as run:
        assert run.text("experiment.yaml") == "name: x\n"
        assert run.text("grammar.bnf") == "<a> ::= µ\n"
        assert json.loads(run.text("environment.json")) == {"torch": "2"}
        assert run.told == 0
    assert os.listdir(tmp_path / "deep") == ["run"]


def test_creation_takes_an_empty_folder_and_refuses_any_other(tmp_path):
    (tmp_path / "run").mkdir()
    new_run(tmp_path / "run").close()
    with pytest.raises(RunError, match=r"run exists and is not empty; .*another folder"):
        new_run(tmp_path / "run")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="exists"):
        new_run(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_creation_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RunError, match="cannot use"):
        Run.create(tmp_path / "run", experiment="", files={"no/such/folder": b""}, environment={})
    assert os.listdir(tmp_path) == []


def test_candidate_comes_back_as_it_was_committed(tmp_path, run):
    cohort = make_cohort(0, size=8)
    cohort = replace(
        cohort, individuals=(*cohort.individuals[:7], Individual(make_genome(7), (Ref(0, 1),), "cross"))
    )
    result = done(cohort)
    run.commit(cohort, result)
    with Run.open(tmp_path / "run") as reader:
        for row in range(8):
            individual, evaluation = reader.candidate(Ref(0, row))
            wanted = result.evaluations[row]
            assert individual == cohort.individuals[row]
            assert individual.genome.json == cohort.individuals[row].genome.json
            assert same_arrays(individual.genome.arrays, cohort.individuals[row].genome.arrays)
            for name in ("outcome", "fitness", "metrics", "curve", "steps", "message"):
                assert getattr(evaluation, name) == getattr(wanted, name)
            assert np.array_equal(evaluation.scores, wanted.scores, equal_nan=True)
            assert evaluation.tuned.keys() == wanted.tuned.keys()
            assert all(same_arrays(evaluation.tuned[gene], wanted.tuned[gene]) for gene in wanted.tuned)
            assert same_arrays(evaluation.tuned_rules, wanted.tuned_rules)
        assert {row.outcome for row in reader.rows()} == {Outcome.OK, Outcome.DIVERGED}


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(), max_size=5), st.floats(allow_nan=False, allow_infinity=False), st.text())
def test_numbers_and_texts_keep_their_bits(tmp_path_factory, numbers, fitness, text):
    metrics = {str(place): number for place, number in enumerate(numbers)}
    evaluation = Evaluation(Outcome.OK, fitness, tuple(numbers), metrics, tuple(numbers), 2**40, message=text)
    with new_run(tmp_path_factory.mktemp("runs") / "run") as run:
        run.commit(make_cohort(0, size=1), Result(0, (evaluation,), 0.0, "here"))
        (row,) = run.rows()
        assert run.results(0, Goals())[0].fitness == row.fitness == fitness
        for found in (row.scores, row.curve, tuple(row.metrics.values())):
            assert [number.hex() for number in found] == [number.hex() for number in numbers]
        assert (row.steps, row.message) == (2**40, text)


def test_each_array_is_stored_once_in_the_whole_run(tmp_path, run):
    parent = make_cohort(0)
    result = done(parent)
    run.commit(parent, result)
    assert result.evaluations[0].outcome is Outcome.OK
    heir = Individual(run.tuned_genome(Ref(0, 0)), (Ref(0, 0),), "copy")
    again = Cohort(1, (*parent.individuals, heir))
    run.commit(again, done(again))
    stored = Counter(name for file in (tmp_path / "run" / "arrays").iterdir() for name in load_file(file))
    assert set(stored.values()) == {1}
    assert run.candidate(Ref(1, 3))[0] == heir


def test_file_that_a_killed_write_left_is_overwritten(tmp_path, run):
    arrays = tmp_path / "run" / "arrays"
    (arrays / "cohort-00000.safetensors").write_bytes(b"half")
    (arrays / ".cohort-00000.safetensors.tmp").write_bytes(b"half")
    commit(run)
    assert run.candidate(Ref(0, 0))[0] == make_cohort(0).individuals[0]
    assert os.listdir(arrays) == ["cohort-00000.safetensors"]


@pytest.mark.parametrize("index", [0, 2])
def test_cohort_told_twice_or_out_of_order_is_refused(run, index):
    commit(run)
    before = run.fingerprint()
    cohort = make_cohort(index)
    with pytest.raises(RunError, match=f"wants cohort 1 next; cohort {index} was given"):
        run.commit(cohort, done(cohort))
    with pytest.raises(RunError, match="result of cohort 2"):
        run.commit(make_cohort(1), done(make_cohort(2)))
    assert run.fingerprint() == before


def test_fitness_that_is_not_finite_is_refused(run):
    for fitness in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="0:0 ended ok with fitness"):
            run.commit(*scored(0, fitness))
    assert run.told == 0


def test_newest_snapshot_takes_the_place_of_the_last(run):
    assert run.snapshot() is None
    for index, snapshot in enumerate([Snapshot(0, {"a": [0.1]}), None, Snapshot(2, {"a": [1e-300]})]):
        cohort = make_cohort(index)
        run.commit(cohort, done(cohort), snapshot)
    assert run.snapshot() == Snapshot(2, {"a": [1e-300]})


def test_counts_timings_and_events(run):
    commit(run, 4)
    run.log("worker lost", worker="worker-1", deaths=2)
    outcomes = Counter(row.outcome for row in run.rows())
    assert run.outcomes() == {outcome: outcomes[outcome] for outcome in Outcome}
    assert [(timing.cohort, timing.seconds, timing.worker) for timing in run.timings()] == [
        (index, 0.5, "here") for index in range(4)
    ]
    _created, (moment, kind, payload) = run.events()
    assert (kind, payload) == ("worker lost", {"worker": "worker-1", "deaths": 2})
    assert moment >= run.timings()[-1].committed


def test_best_is_the_first_of_the_highest_fitness(run):
    assert run.best() is None
    for index, fitness in enumerate([-3.0, 0.5, 0.5, -1.0]):
        run.commit(*scored(index, fitness))
    assert run.best() == Ref(1, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"fitness": np.nextafter(0.5, 1)},
        {"scores": (0.5, np.nextafter(0.5, 1))},
        {"steps": 8},
        {"outcome": Outcome.CRASHED, "fitness": None},
        {"tuned": {0: {"X": frozen([[1, 2.0000002]])}}},
        {"tuned_rules": {"O": frozen(np.eye(5) + 1e-6)}},
    ],
)
def test_fingerprint_changes_with_the_last_bit_of_a_result(tmp_path, change):
    same = Evaluation(
        Outcome.OK,
        0.5,
        (0.5, 0.5),
        steps=7,
        tuned={0: {"X": frozen([[1, 2]])}},
        tuned_rules={"O": frozen(np.eye(5))},
    )
    prints = []
    for place, evaluation in enumerate([same, replace(same, message="slow"), replace(same, **change)]):
        with new_run(tmp_path / str(place)) as run:
            run.commit(make_cohort(0, size=1), Result(0, (evaluation,), float(place), f"worker-{place}"))
            prints.append(run.fingerprint())
    assert prints[0] == prints[1] != prints[2]


def test_fingerprint_changes_with_a_genome(tmp_path):
    prints = set()
    for seed in (1, 2):
        with new_run(tmp_path / str(seed)) as run:
            run.commit(Cohort(0, (Individual(make_genome(seed)),)), scored(0, 0.5)[1])
            prints.add(run.fingerprint())
    assert len(prints) == 2


def test_tuned_genome_holds_what_life_tuned_and_the_born_one_does_not(run):
    cohort = make_cohort(0, size=8)
    result = done(cohort)
    run.commit(cohort, result)
    for row, evaluation in enumerate(result.evaluations):
        born, tuned = run.born_genome(Ref(0, row)), run.tuned_genome(Ref(0, row))
        assert born == cohort.individuals[row].genome
        if evaluation.outcome is not Outcome.OK:
            assert tuned == born
            continue
        assert tuned.rules.O.tobytes() == evaluation.tuned_rules["O"].tobytes()
        assert tuned.rules.c.tobytes() == born.rules.c.tobytes()
        assert same_arrays(tuned.interface.expression, evaluation.tuned[0])
        assert same_arrays(tuned.architecture[0].expression, evaluation.tuned[1])
        assert tuned.architecture[0].codons == born.architecture[0].codons


def test_selectors_name_candidates(run):
    for index, fitness in enumerate([0.5, 2.5, 1.5]):
        run.commit(*scored(index, fitness))
    copy = Cohort(3, make_cohort(0, size=1).individuals)
    run.commit(copy, Result(3, (Evaluation(Outcome.OK, 0.5),), 0.0, "here"))
    assert run.resolve("best") == Ref(1, 0)
    assert run.resolve("2:0") == Ref(2, 0)
    assert run.resolve(make_genome(0).id[:12]) == Ref(0, 0)
    assert run.resolve(make_genome(200).id) == Ref(2, 0)


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("best", "no candidate of .* has a fitness yet"),
        ("7:0", "no candidate 7:0; it has 0 cohorts"),
        ("ffffffff", "no genome of .* begins with ffffffff"),
        ("bset", "'bset' names no candidate of .*; give 'best', COHORT:ROW"),
    ],
)
def test_selector_that_names_nothing_says_what_would(run, selector, message):
    with pytest.raises(RunError, match=message):
        run.resolve(selector)


def test_prefix_of_two_genomes_is_ambiguous(run):
    commit(run, 2)
    run._database.execute("UPDATE candidate SET genome = 'abcd' || substr(genome, 5)")
    with pytest.raises(RunError, match=r"abcd begins the ids abcd.* and abcd.*; give more digits"):
        run.resolve("abcd")


def test_locate_splits_at_the_last_at_sign(tmp_path):
    folder, selector = locate(f"{tmp_path}/a@b@3:7")
    assert (folder, selector) == (tmp_path / "a@b", "3:7")
    for text in ("runs/x", "@best", "runs/x@"):
        with pytest.raises(RunError, match="give FOLDER@best"):
            locate(text)


def test_reader_follows_while_the_writer_goes_on(tmp_path, run):
    with Run.open(tmp_path / "run") as reader:
        for told in range(1, 4):
            commit(run)
            assert reader.told == told
            assert reader.fingerprint() == run.fingerprint()
            assert reader.candidate(Ref(told - 1, 0))[0] == make_cohort(told - 1).individuals[0]
        rows = reader.rows()
        next(rows)
        commit(run)
        assert len(list(rows)) == 8


def test_reader_cannot_write(tmp_path, run):
    with Run.open(tmp_path / "run") as reader, pytest.raises(RunError, match="readonly"):
        reader.log("nonsense")


def test_second_writer_is_refused_here_and_in_another_process(tmp_path, run):
    with pytest.raises(RunError, match=f"locked, process {os.getpid()} on .* is writing"):
        Run.open(tmp_path / "run", write=True)
    script = (
        "import pathlib, sys; from evogen.runs import Run; Run.open(pathlib.Path(sys.argv[1]), write=True)"
    )
    other = subprocess.run([sys.executable, "-c", script, tmp_path / "run"], capture_output=True, text=True)
    assert other.returncode == 1
    assert f"locked, process {os.getpid()}" in other.stderr
    run.close()
    Run.open(tmp_path / "run", write=True).close()


def damage_header(file):
    file.write_bytes(b"x" * 100 + file.read_bytes()[100:])


def damage_page(file):
    data = bytearray(file.read_bytes())
    data[2 * 4096 : 3 * 4096] = b"\xa5" * 4096
    file.write_bytes(data)


def truncate(file):
    file.write_bytes(file.read_bytes()[:10000])


def empty(file):
    file.write_bytes(b"")


def replace_with_text(file):
    file.write_text("not a database")


def drop_table(file):
    database = sqlite3.connect(file)
    database.execute("DROP TABLE event")
    database.close()


@pytest.mark.parametrize("harm", [damage_header, damage_page, truncate, empty, replace_with_text, drop_table])
@pytest.mark.parametrize("write", [False, True])
def test_damaged_database_is_said_to_be_damaged(tmp_path, run, harm, write):
    commit(run, 3)
    run.close()
    harm(tmp_path / "run" / "run.db")
    with pytest.raises(RunError, match=r"run\.db is damaged.*; restore the folder"):  # noqa: SIM117
        with Run.open(tmp_path / "run", write=write) as reader:  # a reader meets it where it reads
            reader.fingerprint()


def test_other_schema_version_is_named_with_ours(tmp_path, run):
    run.close()
    database = sqlite3.connect(tmp_path / "run" / "run.db")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(RunError, match="schema version 99, this evogen reads version 1"):
        Run.open(tmp_path / "run")


def test_folder_that_is_missing_or_no_run(tmp_path):
    with pytest.raises(RunError, match="there is no folder"):
        Run.open(tmp_path / "nowhere", write=True)
    with pytest.raises(RunError, match="is not a run"):
        Run.open(tmp_path, write=True)
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="file is a file; give the folder of a run"):
        Run.open(tmp_path / "file", write=True)


def test_database_locked_from_outside_is_said_to_be_locked(tmp_path, run):
    other = sqlite3.connect(tmp_path / "run" / "run.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    run._database.execute("PRAGMA busy_timeout = 1")
    try:
        with pytest.raises(RunError, match=r"run\.db is locked by another process"):
            commit(run)
    finally:
        other.close()
    commit(run)
    assert run.told == 1


@pytest.mark.parametrize("call", [0, 1])
def test_full_disk_while_arrays_are_written_loses_nothing(tmp_path, run, monkeypatch, call):
    commit(run)
    before, calls = run.fingerprint(), []

    def full(handle):
        calls.append(handle)
        if len(calls) == call + 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(RunError, match=r"no space left for .*run .*; committed cohorts are safe"):
            commit(run)
    assert run.fingerprint() == before
    assert not [name for name in os.listdir(tmp_path / "run" / "arrays") if name.endswith(".tmp")]
    commit(run)
    assert run.told == 2


def test_full_disk_while_the_database_is_written_loses_nothing(run):
    commit(run)
    before = run.fingerprint()
    pages = run._database.execute("PRAGMA page_count").fetchone()[0]
    run._database.execute(f"PRAGMA max_page_count = {pages}")
    cohort = make_cohort(1, size=40)
    with pytest.raises(RunError, match="no space left"):
        run.commit(cohort, done(cohort))
    assert run.fingerprint() == before
    run._database.execute("PRAGMA max_page_count = 100000")
    run.commit(cohort, done(cohort))
    assert run.told == 2


def test_altered_or_missing_array_file_is_named(tmp_path, run):
    commit(run)
    file = tmp_path / "run" / "arrays" / "cohort-00000.safetensors"
    data = bytearray(file.read_bytes())
    data[-4 * 25 * 3 :] = bytes(4 * 25 * 3)
    file.write_bytes(data)
    with Run.open(tmp_path / "run") as reader:
        with pytest.raises(RunError, match=r"cohort-00000.safetensors was altered"):
            [reader.candidate(Ref(0, row)) for row in range(3)]
        file.unlink()
        with pytest.raises(RunError, match=r"cohort-00000.safetensors is missing"):
            [reader.candidate(Ref(0, row)) for row in range(3)]
        assert len(reader.fingerprint()) == 64


def test_altered_genome_is_named(tmp_path, run):
    commit(run)
    run._database.execute(
        """UPDATE candidate SET body = replace(body, '"temperature":0.1', '"temperature":0.2')"""
    )
    with pytest.raises(RunError, match="genome of candidate 0:1 was altered"):
        run.candidate(Ref(0, 1))


def test_a_text_altered_since_the_run_began_stops_a_writer_only(run):
    commit(run)
    run.close()
    (run.path / "experiment.yaml").write_text("seed: 7\n")
    with pytest.raises(RunError, match=r"experiment\.yaml was altered since the run began"):
        Run.open(run.path, write=True)
    with Run.open(run.path) as reader:
        assert reader.told == 1


def test_a_row_that_no_writer_wrote_is_a_damaged_run(run):
    commit(run)
    run.close()
    with closing(sqlite3.connect(run.path / "run.db")) as database, database:
        database.execute("UPDATE candidate SET scores = '[' WHERE row = 0")
    with Run.open(run.path) as reader, pytest.raises(RunError, match=r"candidate 0:0 of run\.db is damaged"):
        list(reader.rows())


def test_a_finished_run_on_a_read_only_medium_is_readable(run, monkeypatch):
    commit(run, 2)
    digest = run.fingerprint()
    run.close()
    monkeypatch.setattr(os, "access", lambda *_: False)
    with Run.open(run.path) as reader:
        assert reader.fingerprint() == digest
    assert not (run.path / "run.db-shm").exists()  # nothing was written, not even what WAL writes to read


def test_children_do_not_inherit_what_a_link_learnt_but_its_own_network_has_it():
    born = replace(make_genome(0), architecture=(Gene(2, (1,)), Gene(3, (), link=2)))
    learnt = {gene: {"n.b": frozen([float(gene)])} for gene in (2, 3)}
    lived = Evaluation(Outcome.OK, 1.0, tuned=learnt)
    own, link = write_back(born, lived).architecture
    assert (own.expression["n.b"], dict(link.expression), link.link) == (2.0, {}, 2)
    own, link = tuned(born, lived).architecture
    assert (own.expression["n.b"], link.expression["n.b"], link.link) == (2.0, 3.0, 2)

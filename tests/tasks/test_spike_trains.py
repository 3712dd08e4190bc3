"""Spike trains of one's own: what a file means, and what is wrong with one that means nothing."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.registry import File
from evogen.tasks import Fold
from evogen.tasks.spike_trains import SpikeTrains
from evogen.testing import tiny

HEADER = "trial,unit,time,label\n"
KEYS = [Key(3).child(row) for row in range(2)]


def text(trials=6):
    """Trials of 30 ms: odd ones fire b at 12 ms and 13 ms, even ones a at 29 ms; number 0 is silent."""
    rows = [HEADER, "0,,,even\n"]
    for trial in range(1, trials):
        odd = f"{trial},b,0.012,odd\n{trial},b,0.013,odd\n"
        rows.append(odd if trial % 2 else f"{trial},a,0.029,even\n")
    return "".join(rows)


def task(content=None, **settings):
    content = text() if content is None else content
    return SpikeTrains(file=File("own.csv", content.encode()), folds=3, **settings)


def test_spikes_are_counted_in_bins_of_units_in_order():
    own = task(bin=10.0)
    trials = own.trials
    assert trials.units == ("a", "b")
    assert trials.classes == ("even", "odd")
    assert trials.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert trials.counts[0].tolist() == [[0, 0], [0, 0], [0, 0]]
    assert trials.counts[1].tolist() == [[0, 0], [0, 2], [0, 0]]
    assert trials.counts[2].tolist() == [[0, 0], [0, 0], [1, 0]]
    assert (own.inputs, own.outputs) == (2, 2)


def test_a_spike_at_the_start_of_a_bin_is_in_it():
    """1.001 s are 1000.9999999999999 ms."""
    times = "".join(f"0,a,{step / 1000},even\n" for step in range(1100))
    own = task(HEADER + times + text()[len(HEADER) :].replace("0,,,even\n", ""), bin=1.0)
    assert own.trials.counts[0, :, 0].tolist() == [1.0] * 1100


def test_a_window_leaves_out_what_is_before_and_after_it():
    early = text() + "5,a,-0.001,odd\n"
    own = task(early, bin=5.0, window=20.0)
    assert own.trials.counts.shape == (6, 4, 2)
    assert own.trials.counts.sum() == 6


def test_numbers_in_an_npz_file_read_as_they_do_in_text():
    buffer = io.BytesIO()
    columns = {
        "trial": np.repeat(np.arange(9), 2),
        "unit": np.tile([3, 11], 9),
        "time": np.tile([0.001, 0.004], 9),
        "label": np.repeat(np.arange(9) % 3, 2),
    }
    np.savez(buffer, **columns)
    own = SpikeTrains(file=File("own.npz", buffer.getvalue()), folds=3, bin=1.0)
    assert own.trials.units == ("11", "3")
    assert own.trials.classes == ("0", "1", "2")
    assert own.trials.counts.sum((0, 1)).tolist() == [9, 9]
    table = ",".join(columns) + "\n"
    table += "".join(",".join(map(str, row)) + "\n" for row in zip(*columns.values(), strict=True))
    other = SpikeTrains(file=File("own.csv", table.encode()), folds=3, bin=1.0)
    assert np.array_equal(own.trials.counts, other.trials.counts)


def test_long_numbers_name_trials_of_their_own():
    """Time stamps in milliseconds have 13 digits."""
    buffer = io.BytesIO()
    trial = 1_700_000_000_000 + np.arange(9)
    np.savez(buffer, trial=trial, unit=np.full(9, 0.5), time=np.full(9, 0.001), label=np.arange(9) % 3)
    own = SpikeTrains(file=File("own.npz", buffer.getvalue()), folds=3, bin=1.0)
    assert own.trials.counts.shape[0] == 9
    assert own.trials.units == ("0.5",)


def test_folds_share_no_trial_and_have_all_classes():
    own = task(text(31), bin=10.0)
    found = {fold: own.sequences(KEYS, 500, fold) for fold in ("train", "validation", "test")}
    for fold in found.values():
        assert sorted(fold.targets.unique().tolist()) == [0, 1]
    from evogen.tasks.spike_trains import _members

    members = _members(own)
    every = np.concatenate(list(members.values()))
    assert sorted(every.tolist()) == list(range(31))


def test_a_score_is_on_every_trial_of_the_fold_and_steps_that_ask():
    own = task(text(31), bin=10.0, quiet=15.0)
    assert own.sequences(KEYS, 3, "train").weight[0, 0].tolist() == [0, 0, 1]
    agents = tiny.network(own)
    scores = own.score(agents, tiny.keys(), Fold.REPORT)
    right = scores * 11  # 6 of 16 even trials and 5 of 15 odd ones, each asked once
    torch.testing.assert_close(right, right.round())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "trial,unit,time\n1,a,0.1\n",
            "wanted the columns trial, unit, time, label, found trial, unit, time",
        ),
        (HEADER + "1,a,0.1,x\n1,a,0.2,y\n", "wanted one label a trial, found 'x' and 'y' in trial '1'"),
        (HEADER + "1,a,0.1,x\n2,,0.1,y\n", "row 2: wanted a unit and a time, or neither"),
        (HEADER + "1,a,0.1,x\n2,a,soon,y\n", "column 'time': wanted seconds"),
        (HEADER + "1,a,1e300,x\n2,a,0.1,y\n", "row 1: wanted a time within 1e[+]06 seconds, found 1e[+]300"),
        (HEADER + "1,a,inf,x\n2,a,0.1,y\n", "row 1: wanted a time within"),
        (HEADER + "1,a,0.1,x\n,a,0.1,y\n", "row 2: wanted a trial, found none"),
        (HEADER + "1,a,0.1,x\n2,a,0.1,\n", "row 2: wanted a label, found none"),
        (HEADER + "1,a,0.1,x\n2,a,0.1,x\n", "wanted trials of two labels or more, found only 'x'"),
        (HEADER + "1,,,x\n2,,,y\n", "wanted at least one spike"),
        (HEADER + "1,a,0.1,x\n2,a,0.1,y\n", "wanted at least 3 trials of each label for 3 folds, found 1"),
        (HEADER + "1,a,999999,x\n2,a,0.1,y\n", "wanted at most 100000000 counts"),
        ("", "the file is empty"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content, said):
    with pytest.raises(SpecError, match=said):
        task(content, bin=1.0)


def test_settings_that_do_not_fit_the_file_are_refused(tmp_path):
    with pytest.raises(SpecError, match="quiet: wanted less than a trial, found 30 of 30 milliseconds"):
        task(bin=10.0, quiet=30.0)
    with pytest.raises(SpecError, match=r"fold: wanted a number below folds \(3\), found 3"):
        task(fold=3)
    with pytest.raises(SpecError, match="wanted a path of spike trains, or synthetic"):
        SpikeTrains(file=str(tmp_path / "none.csv"))


def test_a_file_of_the_repository_is_read_from_its_path():
    own = SpikeTrains(file=str(Path(__file__).parent / "spikes.csv"), bin=20.0)
    assert own.trials.units == ("a", "b", "c")
    assert own.trials.counts.shape == (30, 5, 3)

"""The grasshopper's recordings: what is read, and what a linear decoder makes of it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.tasks import grasshopper
from evogen.tasks.grasshopper import Grasshopper, recorded

KEYS = [Key(3).child(row) for row in range(2)]
pytestmark = pytest.mark.skipif(
    not Path(str(grasshopper.metadata.distribution("nitime").locate_file("nitime"))).is_dir(),
    reason="nitime is not installed",
)


@pytest.mark.parametrize(("recording", "spikes"), [(1, 929), (2, 868)])
def test_every_spike_is_in_a_bin_and_the_first_half_is_standardised(recording, spikes):
    found = recorded(recording, 2)
    assert found.spikes.sum() == spikes
    assert len(found.spikes) == len(found.envelope) == 5000
    half = found.envelope[:2500].double()
    assert float(half.mean()) == pytest.approx(0, abs=1e-6)
    assert float(half.std(correction=0)) == pytest.approx(1, abs=1e-5)


def test_a_linear_decoder_explains_a_quarter_of_the_envelope():
    spikes, envelope = (part.double().numpy() for part in recorded(1, 2))
    later = np.stack([np.roll(spikes, -lag) for lag in range(20)] + [np.ones(5000)], 1)
    weights = np.linalg.lstsq(later[50:2500], envelope[50:2500], rcond=None)[0]
    rest, said = envelope[2500:-50], later[2500:-50] @ weights
    explained = 1 - ((rest - said) ** 2).sum() / ((rest - rest.mean()) ** 2).sum()
    assert explained == pytest.approx(0.245, abs=0.005)


def test_windows_hold_the_spikes_up_to_now_and_the_envelope_some_steps_ago():
    task = Grasshopper(steps=50, lag=7, warmup=12)
    spikes, envelope = recorded(1, 2)
    first, last = task._span("validation")
    drawn = task.sequences(KEYS, 20, "validation")
    assert (drawn.weight[..., :12] == 0).all()
    assert (drawn.weight[..., 12:] == 1).all()
    for inputs, targets in zip(drawn.inputs.flatten(0, 1), drawn.targets.flatten(0, 1), strict=True):
        starts = [
            at
            for at in range(first, last - 49)
            if torch.equal(spikes[at : at + 50], inputs[:, 0])
            and torch.equal(envelope[at - 7 : at + 43], targets[:, 0])
        ]
        assert len(starts) == 1
        assert starts[0] - 7 >= first


def test_what_cannot_be_asked_is_said(monkeypatch, tmp_path):
    with pytest.raises(SpecError, match=r"warmup: wanted fewer than steps \(10\), found 10"):
        Grasshopper(steps=10, warmup=10)
    monkeypatch.setattr(grasshopper, "data_file", lambda name: tmp_path / name)
    for name in ("grasshopper_spike_times1.txt", "grasshopper_stimulus1.txt"):
        (tmp_path / name).write_text("0 1\n50 nonsense\n")
    with pytest.raises(SpecError, match="wanted lines of"):
        recorded.__wrapped__(1, 2)


def test_without_nitime_the_extra_is_named(monkeypatch):
    def missing(name):
        raise grasshopper.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(grasshopper.metadata, "distribution", missing)
    with pytest.raises(SpecError, match=r"pip install 'evogen\[spikes\]'"):
        grasshopper.data_file("grasshopper_stimulus1.txt")

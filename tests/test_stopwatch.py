import pytest

from evogen import stopwatch


@pytest.fixture(autouse=True)
def ticks(monkeypatch):
    """A clock that goes on by a second each time that it is read."""
    stopwatch.taken()
    now = iter(range(100))
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: float(next(now)))
    yield
    stopwatch.taken()


def test_blocks_add_up_by_what_they_did():
    for _ in range(3):
        with stopwatch.timed("learn"):
            pass
    with stopwatch.timed("score"), stopwatch.timed("tell"):
        pass
    assert stopwatch.taken() == {"learn": 3.0, "tell": 1.0, "score": 3.0}
    assert stopwatch.taken() == {}


def test_block_that_raises_counts_too():
    with pytest.raises(KeyError), stopwatch.timed("learn"):
        raise KeyError
    assert stopwatch.taken() == {"learn": 1.0}


def test_what_others_spent_is_added():
    with stopwatch.timed("learn"):
        pass
    stopwatch.add({"learn": 4.0, "score": 0.5})
    assert stopwatch.taken() == {"learn": 5.0, "score": 0.5}

import pytest

from .searches import create, fill


@pytest.fixture
def search(tmp_path):
    """Return what makes a run of some cohorts, with its experiment; all are closed at the end."""
    opened = []

    def make(cohorts=3, name="walk", **settings):
        text = {"text": settings.pop("text")} if "text" in settings else {}
        run, experiment = create(tmp_path / name, **text)
        opened.append(run)
        fill(run, experiment, cohorts, **settings)
        return run, experiment

    yield make
    for run in opened:
        run.close()

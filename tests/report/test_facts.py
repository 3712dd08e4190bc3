from evogen.report import page
from evogen.report.facts import gather

from .searches import fill


def test_what_is_committed_while_a_run_is_read_is_no_hole(search, monkeypatch):
    run, experiment = search(2)
    rows = run.rows

    def slowly(**limits):
        found = list(rows(**limits))
        fill(run, experiment, 1)  # better candidates than any before
        return found

    monkeypatch.setattr(run, "rows", slowly)
    facts = gather(run)
    assert facts.missing == ()
    assert len(facts.timings) == 2
    assert facts.winner.row == facts.leaders[0]
    assert facts.diversity.cohorts == (0, 1)
    assert sum(facts.outcomes.values()) == len(facts.rows) == 12
    assert page.page([facts])

"""What every metric does, on tiny candidates of each kind of task that it fits: see `evogen.metrics`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from evogen.connectome.birth import Birth
from evogen.learning import Fit
from evogen.learning.none import NoLearner
from evogen.measures import MEASURES
from evogen.metrics import Subject, measured
from evogen.registry import known
from evogen.tasks import TaskKind
from evogen.testing import tiny

AGENTS, STAGES = 2, 2


def subject(kind: TaskKind, numbers: Sequence[int] = (0, 1, 2), broken: int | None = None) -> Subject:
    """Return candidates that nobody taught, with two agents each; the row `broken` is NaN."""
    task, learner = tiny.TASKS[kind], NoLearner()
    phenotype, keys = tiny.phenotype(task, numbers), tiny.keys(numbers)
    fit: Fit = learner.fit(phenotype, task, keys, {})
    if broken is not None:
        flat = fit.flat.clone()
        flat[broken] = torch.nan
        fit = replace(fit, flat=flat)
    stages = getattr(task, "stages", 0)
    fit = replace(fit, after=tuple(fit.flat * (stage + 1) / stages for stage in range(stages)))
    agents = phenotype.agents(fit.flat, [key.child("birth") for key in keys], Birth(agents=AGENTS))
    return Subject(task, learner, phenotype, fit, agents, AGENTS, keys, keys)


def names_what_it_measures(metric: Any) -> None:
    """Every number has a sentence, and a name that nothing else has and a file can write."""
    assert metric.measures
    for name, says in metric.measures.items():
        assert name.isidentifier()
        assert name == name.lower()
        assert says.strip()
        owners = [cls for cls in known("metric").values() if name in cls.measures and cls is not type(metric)]
        assert not owners, name
        assert name not in MEASURES


def fits_some_kind_of_task(metric: Any) -> None:
    """`fits` names the kinds of task on which it means something."""
    assert isinstance(metric.fits, frozenset)
    assert metric.fits
    assert metric.fits <= set(TaskKind)


def measures_what_it_names(metric: Any) -> None:
    """One number a candidate for every name, again the same, and nothing of the subject is changed."""
    for kind in metric.fits:
        asked = subject(kind)
        before = asked.fit.flat.clone()
        found = measured([metric], asked)
        assert found.keys() == metric.measures.keys()
        for each in found.values():
            assert each.shape == (3,)
            assert not each.requires_grad
        assert torch.equal(asked.fit.flat, before)
        _same(measured([metric], asked), found, slice(None))


def measures_alone_as_in_company(metric: Any) -> None:
    """A candidate's numbers are those that it has alone, to the last bit."""
    for kind in metric.fits:
        _same(measured([metric], subject(kind, [1])), measured([metric], subject(kind)), slice(1, 2))


def keeps_a_broken_candidate_to_itself(metric: Any) -> None:
    """A candidate that is NaN changes no number of the others."""
    for kind in metric.fits:
        whole, found = measured([metric], subject(kind)), measured([metric], subject(kind, broken=1))
        others = [0, 2]
        _same({name: each[others] for name, each in found.items()}, whole, others)


def _same(found: Mapping[str, Tensor], other: Mapping[str, Tensor], rows: Any) -> None:
    for name, each in found.items():
        assert torch.equal(each.nan_to_num(), other[name][rows].nan_to_num()), name


FACTS = (
    names_what_it_measures,
    fits_some_kind_of_task,
    measures_what_it_names,
    measures_alone_as_in_company,
    keeps_a_broken_candidate_to_itself,
)
"""Everything that is asked of a metric."""

"""What every learner does, on a tiny task of each kind that it fits: see `evogen.learning.Learner`."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

from evogen.errors import DevelopmentError
from evogen.keys import Key
from evogen.learning import Fit, Resumable
from evogen.phenotype import Phenotype
from evogen.phenotype.rows import gather
from evogen.registry import evolvable_fields
from evogen.tasks import Task, TaskKind
from evogen.testing import tiny

Case = tuple[Task, str]
Values = dict[str, Tensor]


def fit(learner: Any, case: Case, numbers: Sequence[int] = (0, 1, 2), broken: int | None = None) -> Fit:
    """Fit the candidates of these numbers; the candidate `broken` starts with parameters that are NaN."""
    phenotype, task, keys, values = _asked(learner, case, numbers)
    if broken is not None:
        flat = phenotype.flat.clone()
        flat[broken] = torch.nan
        phenotype = dataclasses.replace(phenotype, flat=flat)
    found: Fit = learner.fit(phenotype, task, keys, values)
    return found


def _asked(learner: Any, case: Case, numbers: Sequence[int]) -> tuple[Phenotype, Task, list[Key], Values]:
    task, rule = case
    values = {item.name: _vary(learner, item, numbers) for item in evolvable_fields(type(learner))}
    return tiny.phenotype(task, numbers, rule=rule), task, tiny.keys(numbers), values


def fits_some_kind_of_task(learner: Any) -> None:
    """`fits` names the kinds of task that it can be put on."""
    assert isinstance(learner.fits, frozenset)
    assert learner.fits
    assert learner.fits <= set(TaskKind)


def returns_what_was_learnt(learner: Any) -> None:
    """The tuned parameters are finite and shaped as the innate ones, which stay as they were."""
    for task, rule in _cases(learner):
        phenotype = tiny.phenotype(task, rule=rule)
        innate = phenotype.flat.clone()
        values = {item.name: _vary(learner, item, (0, 1, 2)) for item in evolvable_fields(type(learner))}
        found = learner.fit(phenotype, task, tiny.keys(), values)
        assert torch.equal(phenotype.flat, innate)
        assert found.flat.shape == innate.shape
        assert found.flat.dtype == innate.dtype
        assert found.flat.isfinite().all()
        assert not found.flat.requires_grad
        assert found.curve.shape[0] == 3
        assert found.curve.isfinite().all()
        assert found.steps.shape == (3,)
        assert (found.steps >= 0).all()


def learns_alone_as_in_company(learner: Any) -> None:
    """A candidate's tuned parameters and curve are those that it has alone, to the last bit."""
    for case in _cases(learner):
        _same(fit(learner, case, [1]), fit(learner, case), [0], [1])


def keeps_a_broken_candidate_to_itself(learner: Any) -> None:
    """A candidate that is NaN stays so, and changes no bit of the others."""
    for case in _cases(learner):
        found = fit(learner, case, broken=1)
        _same(found, fit(learner, case), [0, 2], [0, 2])
        assert not found.flat[1].isfinite().all()


def resumes_in_other_company(learner: Any) -> None:
    """A candidate that is taken out on its way, and put together with others, learns as if it had stayed."""
    if not isinstance(learner, Resumable):
        return
    half = max(1, learner.length() // 2)
    for case in _cases(learner):
        parts = []
        for numbers in ([0, 1], [2]):
            asked = _asked(learner, case, numbers)
            parts.append(learner.advance(*asked[:2], learner.begin(*asked), half))
        if learner.length() > half:
            assert (parts[0].fit.steps < fit(learner, case).steps[:2]).all()
        phenotype, task, *_ = _asked(learner, case, [2, 1])
        mixed = learner.advance(phenotype, task, gather(parts[::-1], [[0], [1]]), learner.length())
        _same(mixed.fit, fit(learner, case), [0, 1], [2, 1])


def _cases(learner: Any) -> Iterator[Case]:
    """Every kind of task that it fits, with and without plastic synapses, if it takes these."""
    for kind in sorted(learner.fits):
        yield tiny.TASKS[kind], "none"
        plastic = (tiny.TASKS[kind], "abcd")
        try:
            fit(learner, plastic, [0])
        except DevelopmentError:
            continue
        yield plastic


def _vary(learner: Any, item: dataclasses.Field[Any], numbers: Sequence[int]) -> Tensor:
    """Return the configured value of a field for candidate 0, smaller ones within bounds for others."""
    value = getattr(learner, item.name)
    return torch.tensor([max(value * 0.9**number, item.metadata["low"]) for number in numbers])


def _same(a: Fit, b: Fit, rows: list[int], other: list[int]) -> None:
    assert torch.equal(a.flat[rows], b.flat[other])
    assert torch.equal(a.curve[rows], b.curve[other])
    assert torch.equal(a.steps[rows], b.steps[other])


FACTS = (
    fits_some_kind_of_task,
    returns_what_was_learnt,
    learns_alone_as_in_company,
    keeps_a_broken_candidate_to_itself,
    resumes_in_other_company,
)

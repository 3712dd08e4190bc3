"""The page of a diff: it says what was found, draws it, and believes no text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from evogen.analysis.pairs import Candidate, Pair
from evogen.analysis.pairs.effects import Comparison, compared, effects
from evogen.cohort import Outcome, Ref
from evogen.evaluation import Problem
from evogen.experiment.launch import problem
from evogen.genome import frozen
from evogen.report import difference
from evogen.report.page import document
from evogen.runs import Run
from evogen.runs.records import Row
from evogen.tasks.cartpole import CartPole

from .searches import Page


class Folder:
    def __init__(self, path: str) -> None:
        self.path = Path(path)


def candidate(path: str, fitness: float | None) -> Candidate:
    row = Row(Ref(0, 1), "ab" * 32, (), "random", Outcome.OK, fitness, (), {}, (), 0, "", {})
    return Candidate(cast("Run", Folder(path)), row)


def pair(found: Comparison, path: str = "walk", notes: tuple[str, ...] = ()) -> Pair:
    ends = candidate(path, 1.0), candidate(path, None)
    return Pair(*ends, False, "neither descends from the other", notes, "fresh episodes", found)


@pytest.fixture
def posed(search: Any) -> tuple[Problem, Any, Any]:
    run, experiment = search(cohorts=1)
    a, b = (run.tuned_genome(Ref(0, row)) for row in (0, 1))
    of = problem(experiment, "cpu")
    return replace(of, task=CartPole(episodes=1, report_episodes=1)), a, b


def page(of: Pair) -> Page:
    return Page(document("diff", difference.sections(of)))


def test_the_page_tells_every_difference_and_draws_the_effects(posed: Any) -> None:
    of, a, b = posed
    found = effects(of, compared(of, a, b), agents=2)
    shown = page(pair(found))
    for part in found.parts:
        assert part.group.title in shown.text
    assert "second − first" in shown.text
    assert "How it was found" in shown.text
    labels = [each["aria-label"] for each in shown.named("svg")]
    assert any(label.startswith("Effects on the score") for label in labels)
    assert any(label.startswith("Change of the rule matrix P") for label in labels)
    assert len(shown.named("tr")) == 1 + len(found.parts)


def test_without_effects_there_is_a_list_and_no_chart(posed: Any) -> None:
    of, a, b = posed
    shown = page(pair(compared(of, a, b)))
    assert "Effects" not in shown.text
    assert "born weights" not in shown.text
    assert "Differences" in shown.text


def test_equal_genomes_have_an_empty_page(posed: Any) -> None:
    of, a, _ = posed
    shown = page(pair(compared(of, a, a)))
    assert "No difference: the two genomes are equal." in shown.text
    assert shown.named("svg") == []


def test_genes_of_one_genome_only_are_grey_and_named(posed: Any) -> None:
    of, a, _ = posed
    rules = a.rules
    kept = list(range(1, len(rules.genes)))
    O = frozen(rules.O[np.ix_(kept, kept)])
    fewer = replace(a, rules=replace(rules, genes=rules.genes[1:], O=O))
    assert f"Lost: {rules.genes[0]}. Added: none." in page(pair(compared(of, a, fewer))).text


def test_text_of_runs_is_no_markup(posed: Any) -> None:
    of, a, b = posed
    hostile = "<script>alert(1)</script>"
    found = compared(of, a, b)
    broken = replace(found, parts=tuple(replace(part, failure=hostile) for part in found.parts))
    clean = page(pair(found))
    shown = page(pair(broken, path=hostile, notes=(hostile,)))
    assert hostile in shown.text
    assert len(shown.named("script")) == len(clean.named("script"))


def test_values_are_json_even_where_nothing_is_known(posed: Any) -> None:
    of, _, b = posed
    lost = replace(b, architecture=())
    found = effects(of, compared(of, lost, b), agents=2)
    value = json.loads(json.dumps(difference.values(pair(found)), allow_nan=False))
    assert value["scores"][0] is None
    assert value["whole"] == {"mean": None, "low": None, "high": None}
    assert [each["title"] for each in value["differences"]] == [part.group.title for part in found.parts]

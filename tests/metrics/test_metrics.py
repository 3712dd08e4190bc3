"""Metrics in a search: they are measured beside, can be aimed at, and change nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import experiment_files
import pytest
import torch
from torch import Tensor

import evogen
from evogen import registry
from evogen.errors import SpecError
from evogen.metrics import Subject
from evogen.metrics.topology import Topology
from evogen.registry import register, setting
from evogen.runs import Run
from evogen.tasks import TaskKind

NUMBERS = tuple(Topology.measures)
SMALL = "metrics=[{kind: topology, steps: 4, inputs: 5}]"


def searched(folder: Path, *overrides: str) -> Run:
    return evogen.run(evogen.load(experiment_files.write(folder), overrides), out=folder / "run")


def test_metrics_are_measured_beside_and_change_no_other_bit(tmp_path: Path) -> None:
    for name in ("with", "without"):
        (tmp_path / name).mkdir()
    measured = searched(tmp_path / "with", SMALL)
    plain = searched(tmp_path / "without")
    with measured, plain:
        for ours, other in zip(measured.rows(), plain.rows(), strict=True):
            assert {*ours.metrics} - {*other.metrics} == {*NUMBERS}
            assert {name: ours.metrics[name] for name in other.metrics} == other.metrics
            assert (ours.fitness, ours.scores, ours.curve) == (other.fitness, other.scores, other.curve)
        assert not evogen.replay(measured, measured.resolve("best"))


def test_the_canonical_file_keeps_metrics_and_says_nothing_without(tmp_path: Path) -> None:
    file = experiment_files.write(tmp_path)
    experiment = evogen.load(file, [SMALL])
    assert experiment.metrics == (Topology(steps=4, inputs=5),)
    (tmp_path / "again.yaml").write_text(experiment.yaml)
    (tmp_path / "grammar.bnf").write_text(experiment.grammar)
    assert evogen.load(tmp_path / "again.yaml") == experiment
    assert "metrics" not in evogen.load(file).yaml


def test_a_search_can_aim_at_bound_and_spread_over_what_metrics_measure(tmp_path: Path) -> None:
    found = searched(
        tmp_path,
        SMALL,
        "search.objectives={separation_rank: maximise}",
        "search.constraints={branching_ratio: {at_most: 0.5}}",
        "strategy={kind: map-elites, initial: 4, measures: {small_world: [0, 2, 4], depth: [0, 4, 2]}}",
    )
    with found:
        best = found.candidate(found.resolve("best"))[1]
        assert best.metrics["separation_rank"] > 0


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["metrics=[topologie]"], "metrics.0: unknown metric 'topologie'; did you mean 'topology'?"),
        (["metrics=[{kind: topology, step: 4}]"], "metrics.0.step: unknown key; did you mean 'steps'?"),
        (
            ["metrics=[topology, topology]"],
            "metrics.1: branching_ratio, separation_rank, small_world: measured",
        ),
        (
            ["metrics=[alignment]"],
            "metrics.0: fits tasks of kind classification; this task is of kind control",
        ),
        (
            ["search.objectives={small_world: maximise}"],
            "metric 'topology' measures it: write metrics: [topology]",
        ),
        (
            ["strategy={kind: map-elites, measures: {small_world: [0, 2, 4]}}"],
            "strategy.measures.small_world: unknown measure",
        ),
        (
            ["strategy={kind: islands, inner: {kind: map-elites, measures: {small_world: [0, 2, 4]}}}"],
            "strategy.measures.small_world: unknown measure",
        ),
    ],
)
def test_what_is_wrong_with_metrics_is_named(tmp_path: Path, overrides: list[str], said: str) -> None:
    with pytest.raises(SpecError) as raised:
        evogen.load(experiment_files.write(tmp_path), overrides)
    assert said in str(raised.value)


@contextmanager
def registered() -> Iterator[None]:
    """Register a metric from outside the package, for a while."""

    @register("metric", "size")
    @dataclass(frozen=True)
    class Size:
        """Sum of squared parameters, of those candidates of which it is at most `most`."""

        most: float = setting(1e9, doc="above it, nothing is measured")
        fits: ClassVar[frozenset[TaskKind]] = frozenset(TaskKind)
        measures: ClassVar[Mapping[str, str]] = {"squares": "sum of squared parameters"}

        def measure(self, subject: Subject) -> Mapping[str, Tensor]:
            found = subject.fit.flat.square().sum(1)
            return {"squares": torch.where(found <= self.most, found, torch.nan)}

    yield
    del registry._registered["metric"]["size"]


def test_a_metric_of_another_package_needs_no_other_line(tmp_path: Path) -> None:
    for name in ("some", "none"):
        (tmp_path / name).mkdir()
    with registered():
        with searched(tmp_path / "some", "metrics=[size]") as run:
            assert all(row.metrics["squares"] > 0 for row in run.rows() if row.fitness is not None)
        with searched(tmp_path / "none", "metrics=[{kind: size, most: -1.0}]") as run:
            assert not any("squares" in row.metrics for row in run.rows())  # NaN: not measured

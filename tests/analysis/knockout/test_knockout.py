"""Knock-outs of planted parts: a useless gene costs nothing, an essential one everything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from torch import Tensor

import evogen
from evogen.analysis.knockout import knockout
from evogen.analysis.knockout.silenced import Kind
from evogen.analysis.knockout.worth import Knockout, Label, Part, values
from evogen.cohort import Ref
from evogen.connectome.direct import Direct
from evogen.errors import EvogenError
from evogen.evaluation import assess
from evogen.experiment.launch import problem
from evogen.keys import Key
from evogen.phenotype import Network
from evogen.tasks import Fold
from evogen.testing.tiny import Blobs, Drift, Lessons, Walk
from evogen.variation.sample import sample

from ..planted import CARRIER, USELESS, expressing, noisy, posed, trained

SPACES = Path(__file__).parents[3] / "searchspaces"


def gene(found: Knockout, k: int) -> Part:
    return next(part for part in found.of(Kind.GENE) if part.where == (k,))


@pytest.fixture(scope="module")
def found() -> Knockout:
    return knockout(posed(), trained(), agents=16)


def test_a_gene_that_nobody_expresses_has_exactly_no_effect(found: Knockout) -> None:
    useless = gene(found, USELESS)
    assert (useless.loss, useless.low, useless.high, useless.p) == (0.0, 0.0, 0.0, 1.0)
    assert useless.label is Label.NONE
    assert (useless.predicted, useless.wiring) == (0.0, 0.0)
    through = [part for part in found.of(Kind.PAIR) if part.where != (CARRIER, CARRIER)]
    assert len(through) == 15
    assert {(part.loss, part.label) for part in through} == {(0.0, Label.NONE)}


def test_the_gene_through_which_all_signals_pass_costs_all_that_a_silent_network_loses(
    found: Knockout,
) -> None:
    carrier, everything = gene(found, CARRIER), found.parts[0]
    assert everything.kind is Kind.EVERYTHING
    assert carrier.loss == everything.loss == found.gap > 0.4
    assert carrier.label is Label.ESSENTIAL
    assert carrier.low > 0
    assert carrier.wiring == pytest.approx(1.0)
    itself = next(part for part in found.of(Kind.PAIR) if part.where == (CARRIER, CARRIER))
    assert (itself.loss, itself.label) == (carrier.loss, Label.ESSENTIAL)


def test_the_module_through_which_all_signals_pass_costs_all_of_it_too() -> None:
    genome = trained()
    found = knockout(posed(), genome, agents=8)
    assert len(genome.architecture) == 1
    (module,) = found.of(Kind.MODULE)
    assert (module.loss, module.label) == (found.gap, Label.ESSENTIAL)


def test_a_gene_that_is_expressed_but_cannot_matter_has_no_effect_within_its_interval() -> None:
    of, genome = posed(), noisy()
    found = knockout(of, genome, agents=24)
    useless, carrier = gene(found, USELESS), gene(found, CARRIER)
    assert useless.wiring > 0.05, "its synapses form"
    assert useless.label is Label.NO_EFFECT, "and change how agents are born"
    assert useless.low <= 0 <= useless.high
    assert useless.low < useless.high
    assert useless.p > 0.05
    assert useless.predicted == pytest.approx(0.0, abs=1e-6)
    assert carrier.label is Label.ESSENTIAL
    assert carrier.loss == pytest.approx(found.gap, abs=0.1)


def test_a_gene_that_gets_in_the_way_is_harmful() -> None:
    of, genome = posed(), trained()
    rng = Key(1).generator()
    blocked = expressing(
        genome,
        lambda group, X: np.where(np.arange(4) == USELESS, rng.normal(size=X.shape) * 3, X),
    )
    found = knockout(of, blocked, agents=16)
    assert gene(found, USELESS).label is Label.HARMFUL
    assert gene(found, USELESS).loss < 0


def test_the_intact_scores_are_those_that_the_search_would_report(found: Knockout) -> None:
    assert list(found.intact) == list(assess(posed(), trained(), agents=16))
    assert found.score == pytest.approx(np.mean(found.intact))
    assert (found.examples, found.reported) == (24, "points of the test fold")


def test_predictions_rank_the_parts_as_their_losses_do(found: Knockout) -> None:
    rank, count = found.agreement()
    assert count == 4 + 16 + 1
    assert rank > 0.9
    assert np.isnan(found.agreement(Kind.MODULE)[0]), "one part has no rank"


def test_of_many_pairs_those_of_the_largest_predicted_loss_are_screened() -> None:
    few = knockout(posed(), trained(), agents=8, pairs=2)
    screened = [part for part in few.of(Kind.PAIR) if part.label is not Label.LEFT_OUT]
    assert (few.left_out, len(screened)) == (14, 2)
    assert (CARRIER, CARRIER) in [part.where for part in screened]
    left = [part for part in few.of(Kind.PAIR) if part.label is Label.LEFT_OUT]
    assert all(np.isnan(part.loss) and np.isfinite(part.predicted) for part in left)
    assert knockout(posed(), trained(), agents=8, pairs=0).left_out == 16


def test_too_few_agents_and_answers_that_are_not_finite_are_refused() -> None:
    with pytest.raises(EvogenError, match="agents: wanted at least 6, found 5"):
        knockout(posed(), trained(), agents=5)
    broken = expressing(trained(), lambda _, X: X * np.float32(1e30))
    with pytest.raises(EvogenError, match="answers are not finite; name another"):
        knockout(posed(), broken, agents=8)


@dataclass(frozen=True)
class Picky(Blobs):
    """Blobs that cannot be shown to an agent without a synapse."""

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        if any(not bool(W[row].any()) for W in agents.weights[:1] for row in range(agents.rows)):
            raise ZeroDivisionError("no synapse")
        return Blobs.score(self, agents, keys, fold)


def test_what_cannot_be_scored_says_why_and_leaves_the_others_their_losses() -> None:
    found = knockout(replace(posed(), task=Picky()), trained(), agents=8)
    failed = [part.name for part in found.parts if part.label is Label.FAILED]
    assert failed == ["all synapses", "gene 2", f"module {trained().architecture[0].innovation}", "pair 2>2"]
    assert {part.note for part in found.parts if part.name in failed} == {"ZeroDivisionError: no synapse"}
    assert gene(found, USELESS).label is Label.NONE
    assert np.isnan(found.gap)
    assert values(found)["gap"] is None


def test_where_all_agents_are_alike_verdicts_are_facts_without_a_chance(found: Knockout) -> None:
    assert not found.alike
    of = problem(evogen.load(SPACES / "neurons.yaml"), "cpu")
    genome = sample(of.space, Key(2), Ref(0, 0))
    alike = knockout(replace(of, task=Blobs()), genome, agents=6)
    assert alike.alike
    for part in alike.parts:
        assert part.low == part.loss == part.high
        assert part.p == 1.0 if part.label is Label.NONE else np.isnan(part.p)
        assert (part.label is Label.NONE) == (part.loss == 0)
        assert (part.label is Label.HARMFUL) == (part.loss < 0)
    assert any(part.loss for part in alike.parts)
    assert knockout(replace(of, task=Picky()), genome, agents=6).alike  # though some cannot be scored


@pytest.mark.parametrize(
    ("name", "task", "changes"),
    [
        ("neurons", None, {}),
        ("cartpole", Walk(), {"wiring": Direct()}),
        ("cartpole", Drift(), {}),
        ("joint", Walk(), {}),
        ("digits-life", Lessons(), {}),
    ],
)
def test_every_kind_of_search_has_its_parts(name: str, task: object, changes: dict[str, object]) -> None:
    of = problem(evogen.load(SPACES / f"{name}.yaml"), "cpu")
    of = replace(of, task=task or of.task, **changes)
    genome = sample(of.space, Key(2), Ref(0, 0))
    found = knockout(of, genome, agents=6, pairs=12)
    kinds = {part.kind for part in found.parts}
    genetic, plastic = of.wiring.genetic, bool(found.of(Kind.RULE))
    assert (Kind.GENE in kinds, Kind.PAIR in kinds) == (genetic, genetic)
    assert plastic == (name in ("joint", "digits-life"))
    assert (Kind.CLASS in kinds) == (name == "neurons")
    assert len(found.of(Kind.MODULE)) == len(genome.architecture)
    assert (found.unit is None) == (name == "digits-life")
    assert len(found.of(Kind.TERM)) == (8 if plastic else 0)
    assert sorted(found.learner) == sorted(name for name in genome.plasticity if name.startswith("learner."))
    assert np.isfinite([part.loss for part in found.parts if part.label is not Label.LEFT_OUT]).all()
    text = json.dumps(values(found), allow_nan=False)
    assert len(json.loads(text)["parts"]) == len(found.parts)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evogen.experiment import load
from evogen.keys import Key
from evogen.studies.evolve_rules import QUICK, by_hand, measure
from evogen.studies.evolve_rules_search import (
    ABCD,
    FAMILY,
    Lot,
    best,
    evolved,
    experiment,
    network,
    scored,
)
from evogen.tasks.cartpole_flipped import CartPoleFlipped
from evogen.tasks.cue_reward import CueReward

ROOT = Path(__file__).parents[2]
TASK = CueReward(trials=6)
KEYS = [Key(0), Key(1)]


def test_the_search_of_the_study_is_the_shipped_one():
    shipped, ours = load(ROOT / "searchspaces/plasticity.yaml"), experiment("cartpole-flipped", FAMILY)
    assert shipped.space.plasticity == ours.space.plasticity
    assert shipped.rules["local"] == ours.rules["local"]
    assert shipped.strategy == ours.strategy
    assert shipped.learner == ours.learner
    assert shipped.grammar.split("\n\n")[-1] == ours.grammar


def test_the_shipped_search_is_on_the_task_of_the_study():
    assert load(ROOT / "searchspaces/plasticity.yaml").task == CartPoleFlipped(horizon=300, episodes=2)


def test_a_seed_scores_alone_what_it_scores_in_company():
    net, genes = network(experiment("cue-reward", FAMILY)), by_hand("cue-reward")[:3]
    together = scored(net, TASK, KEYS, [genes, genes], Lot(draws=2, lives=2))
    alone = scored(net, TASK, KEYS[1:], [genes], Lot(draws=2, lives=2))
    assert together.shape == (2, 3)
    np.testing.assert_array_equal(together[1], alone[0])
    assert (together[0] != together[1]).any()


def test_candidates_of_a_seed_meet_the_same_weights_and_lives():
    net, genes = network(experiment("cue-reward", FAMILY)), by_hand("cue-reward")[4]
    (row,) = scored(net, TASK, KEYS[:1], [[genes, genes]], Lot(draws=2, lives=3))
    assert row[0] == row[1]


def test_the_best_of_the_hand_made_is_the_one_with_the_largest_score():
    net, genes = network(experiment("cue-reward", FAMILY)), by_hand("cue-reward")
    lot = Lot(draws=1, lives=4)
    (found,) = best(net, TASK, KEYS[:1], genes, lot, rounds=2)
    rounds = [scored(net, TASK, [KEYS[0].child("round", n)], [genes], lot)[0] for n in range(2)]
    assert found == genes[int(sum(rounds).argmax())]


def test_rules_by_hand_are_of_the_family_and_follow_the_reward_in_the_right_way():
    names = set(experiment("cue-reward", FAMILY).space.plasticity)
    for task, good in (("cue-reward", 1.0), ("cartpole-flipped", -1.0)):
        rules = by_hand(task)
        assert len(rules) == 36
        assert all(set(rule) == names for rule in rules)
        assert {float(np.sign(rule["rule.local.gain"])) for rule in rules} == {0.0, good}


@pytest.mark.parametrize("genes", [FAMILY, ABCD])
def test_a_search_gives_rules_within_their_ranges_the_same_again(genes):
    searched = experiment("cue-reward", genes)
    found = evolved(searched, TASK, KEYS, Lot(1, 2), generations=2)
    assert found == evolved(searched, TASK, KEYS, Lot(1, 2), generations=2)
    assert evolved(searched, TASK, KEYS[1:], Lot(1, 2), generations=2) == found[1:]
    for rule in found:
        assert set(rule) == set(searched.space.plasticity)
        for name, value in rule.items():
            law = searched.space.plasticity[name]
            assert law.low <= value <= law.high


def test_random_weights_without_a_rule_go_on_as_they_began():
    numbers = measure("cue-reward", "random", [0, 1], QUICK)
    assert set(numbers) == {"within", "learnt", "beyond", "last"}
    assert all(len(each) == 2 for each in numbers.values())
    assert max(abs(one) for each in numbers.values() for one in each) <= 100.0

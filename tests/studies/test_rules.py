"""Lives under given rules, and the study of evolved ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import evogen
from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.errors import RunError, SpecError
from evogen.experiment.spec import Experiment
from evogen.genetics.adhesion import adhesion_mask
from evogen.genome import Rules, frozen
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.space import SearchSpace
from evogen.studies import Options, rules
from evogen.studies.rules_arms import ARMS, EVOLVED, RANDOM, RulesArm
from evogen.studies.rules_lives import World, bodies, live, reached, root
from evogen.studies.rules_rows import Entry, contrasts
from evogen.studies.rules_search import GRAMMAR, SEARCH
from evogen.tasks.cartpole import CartPole

ROOT = Path(__file__).parents[2]
ARM = {arm.name: arm for arm in ARMS}
TASK = CartPole(episodes=1)
WORLD = World(TASK, PPO(iterations=2, horizon=16), Birth(agents=2, degree=30.0))


@pytest.fixture(scope="module")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Experiment:
    folder = tmp_path_factory.mktemp("search")
    (folder / "single.bnf").write_text(GRAMMAR)
    (folder / "search.yaml").write_text(SEARCH)
    return evogen.load(folder / "search.yaml")


@pytest.fixture(scope="module")
def space(experiment: Experiment) -> SearchSpace:
    return experiment.space


def winner(genes: int = 5) -> Rules:
    rng = np.random.default_rng(0)
    mask = frozen(rng.random((genes, genes)) < 0.4)
    identities = tuple(range(70, 70 + genes))
    return Rules(
        identities, frozen(rng.normal(size=(genes, genes))), frozen(rng.normal(size=(3, 6))), 0.1, mask
    )


def keys(count: int) -> list[Key]:
    return [root("rules", seed) for seed in range(count)]


def test_the_studys_own_search_is_the_shipped_one(experiment: Experiment) -> None:
    shipped = evogen.load(ROOT / "searchspaces/synaptogen-rules.yaml")
    assert shipped.yaml == experiment.yaml
    kept = [line for line in shipped.grammar.splitlines() if line and not line.startswith("#")]
    assert kept == GRAMMAR.splitlines()


def test_the_search_varies_rules_only_and_inherits_no_expression(experiment: Experiment) -> None:
    assert experiment.space.rules is not None
    assert experiment.space.rules.evolve
    assert experiment.space.rules.mask == "random"
    assert not experiment.space.architecture.evolve
    assert not experiment.space.plasticity
    assert experiment.inheritance.value == "baldwinian"
    assert isinstance(experiment.wiring, SynaptoGen)
    assert not experiment.wiring.tune_rules


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_gives_sound_rules_that_no_life_tunes(arm: RulesArm, space: SearchSpace) -> None:
    made = arm.rules(winner(), space, keys(3))
    genes = 39 if arm.name == "adhesion" else 5
    assert [each.genes for each in made] == [tuple(range(1, genes + 1))] * 3
    body = bodies(made, arm.wiring(SynaptoGen()), WORLD)
    assert not {"O", "c"} & {slot.name for slot in body.slots}
    assert {"O", "c"} <= body.constants.keys()


def test_drawn_rules_differ_between_seeds_and_evolved_ones_do_not(space: SearchSpace) -> None:
    one, other = RANDOM.rules(winner(), space, keys(2))
    assert not np.array_equal(one.O, other.O)
    for each in EVOLVED.rules(winner(), space, keys(2)):
        assert np.array_equal(each.O, winner().O)
        assert np.array_equal(each.mask, winner().mask)


def test_random_rules_follow_the_law_of_the_searchs_first_genomes(space: SearchSpace) -> None:
    made = RANDOM.rules(winner(8), space, keys(100))
    O = np.stack([each.O for each in made])
    assert O.std() == pytest.approx(1 / 8, rel=4 / np.sqrt(2 * O.size))
    density = np.mean([each.mask for each in made])
    assert space.rules is not None
    assert density == pytest.approx(space.rules.density, abs=4 * 0.5 / np.sqrt(O.size))


def test_shuffled_rules_hold_the_same_pairs_elsewhere(space: SearchSpace) -> None:
    (made,) = ARM["shuffled"].rules(winner(), space, keys(1))
    own = winner()
    assert made.mask is not None
    assert own.mask is not None
    assert not np.array_equal(made.O, own.O)
    pairs = sorted(zip(made.O.ravel(), made.mask.ravel(), strict=True))
    assert pairs == sorted(zip(own.O.ravel(), own.mask.ravel(), strict=True))
    assert np.array_equal(made.c, own.c)


def test_uniform_rules_have_the_mean_probability_and_no_other_difference(space: SearchSpace) -> None:
    (made,) = ARM["uniform"].rules(winner(), space, keys(1))
    own = winner()
    assert own.mask is not None
    assert made.mask is None
    assert np.ptp(made.O) == 0
    mean = np.mean(own.mask / (1 + np.exp(-own.O / own.temperature)))
    assert 1 / (1 + np.exp(-made.O[0, 0] / made.temperature)) == pytest.approx(mean, rel=1e-5)
    assert np.array_equal(made.c, own.c)


def test_rules_made_by_hand_are_what_they_say(space: SearchSpace) -> None:
    hand = {name: ARM[name].rules(winner(), space, keys(1))[0] for name in ("dense", "self", "adhesion")}
    assert not hand["dense"].O.any()
    assert hand["dense"].mask is None
    assert np.array_equal(hand["self"].mask, np.eye(5))
    assert np.array_equal(hand["adhesion"].mask, adhesion_mask()[1])
    assert ARM["adhesion"].wiring(SynaptoGen()).mask == "band"
    assert ARM["dense"].wiring(SynaptoGen()).mask == "forbid"


def test_arms_of_as_many_genes_begin_a_seed_with_equal_expression(space: SearchSpace) -> None:
    several = [
        bodies(ARM[name].rules(winner(), space, keys(2)), SynaptoGen(tune_rules=False), WORLD)
        for name in ("evolved", "random", "dense")
    ]
    for body in several[1:]:
        assert np.array_equal(body.flat.numpy(), several[0].flat.numpy())
    assert not np.array_equal(several[0].flat[0].numpy(), several[0].flat[1].numpy())


def test_a_life_alone_is_its_life_among_others_bit_for_bit(space: SearchSpace) -> None:
    made, wiring = RANDOM.rules(winner(), space, keys(3)), SynaptoGen(tune_rules=False)
    lives = [root("x", seed) for seed in range(3)]
    together, alone = live(made, wiring, WORLD, lives), live(made[:1], wiring, WORLD, lives[:1])
    assert np.array_equal(together.scores[:1], alone.scores)
    assert np.array_equal(together.curve[:1], alone.curve)
    assert together.scores.shape == (3, 2)
    assert together.steps == 2 * 16 * WORLD.learner.environments


def test_the_threshold_is_reached_where_the_curve_first_is_there() -> None:
    curve = np.array([[1.0, 5.0, 9.0, 5.0], [0.0, 1.0, 2.0, 3.0], [7.0, 0.0, 0.0, 0.0]])
    assert np.array_equal(reached(curve, 5.0), [2.0, np.nan, 1.0], equal_nan=True)
    assert np.isnan(reached(curve, None)).all()


def test_a_curve_of_nought_says_that_no_episode_has_ended() -> None:
    curve = np.array([[0.0, 0.0, -500.0, -90.0], [0.0, -120.0, -110.0, -101.0]])
    assert np.array_equal(reached(curve, -100.0), [4.0, np.nan], equal_nan=True)


def entry(part: str, arm: RulesArm, scores: np.ndarray, curve: np.ndarray) -> Entry:
    life = rules.Lives(scores, curve, reached(curve, 475.0) * 100, 100 * curve.shape[1])
    return Entry(part, TASK, arm, life)


def test_a_life_that_never_gets_there_counts_with_all_its_steps() -> None:
    curve = np.array([[500.0, 500.0], [0.0, 500.0], [0.0, 0.0]])
    made = entry("long life", EVOLVED, np.full((3, 2), 9.0), curve)
    assert made.steps.tolist() == [100.0, 200.0, 200.0]
    assert made.failed == 1


def test_a_contrast_is_of_pairs_and_says_so_where_nothing_is_told_apart() -> None:
    rng = np.random.default_rng(0)
    hard = rng.normal(0, 100, (12, 1))  # what a seed adds to both arms alike
    curve = np.zeros((12, 2))
    better = entry("acrobot", EVOLVED, 300 + hard + rng.normal(0, 1, (12, 2)), curve)
    other = entry("acrobot", RANDOM, 290 + hard + rng.normal(0, 1, (12, 2)), curve)
    by_measure = {item["measure"]: item for item in contrasts([better, other])}
    assert by_measure["score"]["p"] < 0.01
    assert by_measure["score"]["difference"]["mean"] == pytest.approx(10, abs=2)
    assert by_measure["steps"]["p"] == 1.0
    same = contrasts([better, replace(other, lives=better.lives)])
    assert {item["p"] for item in same} == {1.0}


def test_short_lives_are_compared_by_score_and_long_ones_by_steps() -> None:
    pairs = [
        entry(part, arm, np.full((3, 2), 9.0), np.zeros((3, 2)))
        for part in ("short life", "long life")
        for arm in (EVOLVED, RANDOM)
    ]
    measures = {(item["part"], item["measure"]) for item in contrasts(pairs)}
    assert measures == {("short life", "score"), ("long life", "steps")}


TINY = rules.Effort(
    seeds=2,
    agents=2,
    episodes=1,
    long=2,
    elsewhere=1,
    transfer=("acrobot",),
    overrides=(
        "search.cohorts=2",
        "search.cohort_size=2",
        "strategy.population=2",
        "learner.iterations=1",
        "learner.horizon=16",
    ),
)


def test_the_study_searches_lives_and_prints_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "QUICK", TINY)
    said: list[str] = []
    found = rules.run(Options(quick=True, out=tmp_path / "out"), said.append)
    assert {row["arm"] for row in found.record["rows"] if row["part"] == "short life"} == set(ARM)
    elsewhere = {row["arm"] for row in found.record["rows"] if row["part"] == "acrobot"}
    assert elsewhere == {"evolved", "random", "uniform"}
    assert "transfer to acrobot" in found.text
    assert "not told apart" in found.text
    assert max(len(line) for line in found.text.splitlines() if not line.startswith("winner")) <= 80
    assert (tmp_path / "out/table.html").exists()
    again = rules.run(
        Options(quick=True, out=tmp_path / "other", run=tmp_path / "out/search", arms=("random",)),
        said.append,
    )
    rows = {(row["part"], row["arm"]): row for row in found.record["rows"]}
    for row in again.record["rows"]:
        assert row == rows[row["part"], row["arm"]]
    assert not (tmp_path / "other/search").exists()


def test_a_wrong_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--arms: unknown 'randm'; did you mean 'random'"):
        rules.run(Options(arms=("randm",), out=tmp_path), print)
    with pytest.raises(SpecError, match="--tasks: unknown 'cartpole'"):
        rules.run(Options(tasks=("cartpole",), out=tmp_path), print)
    with pytest.raises(RunError):
        rules.run(Options(run=tmp_path / "none", out=tmp_path), print)


def test_a_run_of_another_kind_is_refused(tmp_path: Path) -> None:
    short = [
        "search.cohorts=1",
        "search.cohort_size=1",
        "task.lessons=5",
        "task.questions=10",
        "birth.agents=1",
    ]
    with evogen.run(evogen.load(ROOT / "searchspaces/digits-life.yaml", short), out=tmp_path / "run"):
        pass
    with pytest.raises(SpecError, match="wanted a search with wiring: synaptogen and learner: ppo"):
        rules.run(Options(run=tmp_path / "run", out=tmp_path / "out"), print)

import numpy as np
import pytest
from scipy import stats

from evogen.errors import SpecError
from evogen.genetics import ndge as module
from evogen.genetics.ndge import RuleTest, ndge, reduced
from evogen.keys import Key

from .worlds import NAMES, World, noise, planted


def run(world: World) -> RuleTest:
    return ndge(world.expression, world.contact, world.synapse, names=NAMES[: world.expression.shape[1]])


def test_each_pair_is_students_pooled_t_test_of_its_coexpression() -> None:
    world = noise(Key(1), classes=9, genes=4)
    found = run(world)
    touch, wired = world.contact > 0, world.synapse > 0
    for u in range(4):
        for v in range(4):
            z = np.log1p(np.outer(world.expression[:, u], world.expression[:, v]))
            ones, zeros = z[touch & wired], z[touch & ~wired]
            t, p = stats.ttest_ind(ones, zeros, equal_var=True)
            assert found.beta[u, v] == pytest.approx(ones.mean() - zeros.mean(), abs=1e-12)
            assert found.t[u, v] == pytest.approx(t, rel=1e-9)
            assert found.p[u, v] == pytest.approx(p, rel=1e-9)


def test_hand_computed_pair() -> None:
    # z = ln(1 + pre * post): synaptic pairs 0->1 and 2->1 have ln 2 and ln 4, contact-only ones ln 1.
    expression = np.array([[1.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    contact = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    synapse = np.array([[0, 1, 0], [0, 0, 0], [0, 1, 0]])
    found = ndge(expression, contact, synapse, names=("u", "v"))
    beta = 1.5 * np.log(2)  # (ln 2 + 2 ln 2) / 2
    assert found.beta[0, 1] == pytest.approx(beta)
    # s^2 = 2 (ln 2 / 2)^2 / 2 = (ln 2)^2 / 4, error = s sqrt(1/2 + 1/2)
    assert found.t[0, 1] == pytest.approx(beta / (np.log(2) / 2))
    # The reverse order: 1 -> 0 and 1 -> 2 are contact-only with the same z.
    assert found.t[1, 0] == pytest.approx(-found.t[0, 1])
    assert (found.synaptic, found.apart, found.uncontacted) == (2, 2, 0)


def test_planted_pair_is_the_strongest_rule_and_its_reverse_is_none() -> None:
    found = run(planted(Key(2), classes=40, genes=8, pre=3, post=5))
    assert np.unravel_index(np.argmax(found.t), found.t.shape) == (3, 5)
    assert found.rules[3, 5]
    assert not found.rules[5, 3]
    names, mask = found.kept()
    assert {NAMES[3], NAMES[5]} <= set(names)
    assert mask[names.index(NAMES[3]), names.index(NAMES[5])]
    assert mask.sum() == found.rules.sum()


def test_avoided_pair_is_negative_not_a_rule() -> None:
    world = planted(Key(3), classes=40, genes=4, pre=0, post=1)
    reverse = World(world.expression, world.contact, world.contact * (world.synapse == 0))
    found = run(reverse)
    assert found.negative[0, 1]
    assert not found.rules[0, 1]


def test_genes_that_never_differ_tell_nothing() -> None:
    world = noise(Key(4), classes=9, genes=4)
    world.expression[:, 1] = 0.0
    world.expression[:, 2] = 0.3
    found = run(world)
    assert found.t[1].tolist() == [0.0] * 4
    assert (found.t[2, 2], found.beta[2, 2], found.p[2, 2]) == (0.0, 0.0, 1.0)
    assert found.t[2, 3] != 0


def test_perfect_separation_is_the_strongest_evidence() -> None:
    expression = np.array([[0.0], [1.0], [1.0], [1.0]])
    contact = 1 - np.eye(4)
    synapse = contact * np.outer(expression[:, 0], expression[:, 0])
    found = ndge(expression, contact, synapse, names=("u",))
    assert found.beta[0, 0] == pytest.approx(np.log(2))
    assert found.p[0, 0] < 1e-50
    assert found.rules.all()


def test_synapses_without_contact_take_no_part_and_are_counted() -> None:
    world = noise(Key(5), classes=9, genes=3)
    more = world.synapse.copy()
    far = np.argwhere(world.contact == 0)[:5]
    more[tuple(far.T)] = 1
    found = run(World(world.expression, world.contact, more))
    assert found.uncontacted == 5
    assert np.array_equal(found.t, run(world).t)


def test_blocks_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    world = noise(Key(6), classes=9, genes=7)
    whole = run(world)
    monkeypatch.setattr(module, "BLOCK", 150)
    assert np.allclose(run(world).t, whole.t, rtol=1e-12)


def test_reduced_keeps_order_and_rules() -> None:
    rules = np.zeros((4, 4), dtype=np.bool_)
    rules[3, 1] = True
    names, mask = reduced("abcd", rules)
    assert names == ("b", "d")
    assert mask.tolist() == [[False, False], [True, False]]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"expression": np.ones(3)}, "expression: wanted two axes"),
        ({"expression": np.full((5, 2), np.nan)}, r"found nan at row 0, column 0"),
        ({"expression": -np.ones((5, 2))}, r"expression: wanted finite numbers >= 0, found -1.0"),
        ({"expression": [["a"]]}, "expression: wanted a table of numbers"),
        ({"contact": np.ones((4, 5))}, r"contact: wanted shape \(5, 5\).*found \(4, 5\)"),
        ({"synapse": np.full((5, 5), np.inf)}, "synapse: wanted finite numbers"),
        ({"synapse": np.zeros((5, 5))}, "no pair of classes in contact has a synapse"),
        ({"contact": np.eye(5)}, "every pair of classes in contact has a synapse"),
        ({"names": ("a",)}, r"names: wanted one per column of expression \(2\), found 1"),
        ({"alpha": 0.0}, "alpha: wanted a level between 0 and 1"),
    ],
)
def test_wrong_tables_are_refused(change: dict[str, object], text: str) -> None:
    tables: dict[str, object] = {
        "expression": np.arange(10.0).reshape(5, 2),
        "contact": np.ones((5, 5)),
        "synapse": np.eye(5),
        "names": ("a", "b"),
    }
    with pytest.raises(SpecError, match=text):
        ndge(**(tables | change))  # type: ignore[arg-type]

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evogen.diff import Difference, Kind, diff
from evogen.genome import Gene, Genome, Rules, frozen

RULES = Rules((1, 2, 3), frozen(np.arange(9.0).reshape(3, 3)), frozen(np.ones((2, 4))))
MODULE = Gene(7, (3, 4, 5), {"l0.X": frozen(np.ones((2, 3))), "l0.b": frozen([1.0, 2.0])})
GENOME = Genome(RULES, Gene(6, ()), (MODULE, Gene(8, (9,))), {"lr": 0.5, "kind": "a", "steps": 3})


def with_rules(**changes: object) -> Genome:
    return replace(GENOME, rules=replace(RULES, **changes))  # type: ignore[arg-type]


def only(a: Genome, b: Genome) -> Difference:
    (difference,) = diff(a, b)
    return difference


def test_equal_genomes_do_not_differ() -> None:
    assert diff(GENOME, replace(GENOME)) == ()


def test_a_changed_rule_shows_in_its_row_and_its_column() -> None:
    O = RULES.O.copy()
    O[0, 2] += 3.0
    row, column = diff(GENOME, with_rules(O=O))
    assert (row.path, column.path) == ("O[1,:]", "O[:,3]")
    assert row.chromosome == "rules"
    assert row.kind is Kind.CHANGED
    assert row.magnitude == column.magnitude == pytest.approx(3.0)
    assert (row.before, row.after) == pytest.approx((np.sqrt(5), np.sqrt(26)))


def test_a_lost_rule_gene_is_one_difference() -> None:
    child = with_rules(genes=(1, 3), O=RULES.O[np.ix_([0, 2], [0, 2])])
    difference = only(replace(GENOME, architecture=()), replace(child, architecture=()))
    assert (difference.path, difference.kind, difference.after) == ("genes.2", Kind.LOST, None)
    assert difference.magnitude == pytest.approx(np.sqrt(3**2 + 4**2 + 5**2 + 1**2 + 7**2))


def test_rules_are_compared_by_gene_identity_not_by_place() -> None:
    turned = with_rules(genes=(3, 1, 2), O=RULES.O[np.ix_([2, 0, 1], [2, 0, 1])])
    X = frozen(np.ones((2, 3)))
    moved = replace(
        turned,
        architecture=(replace(MODULE, expression={**MODULE.expression, "l0.X": X}), *GENOME.architecture[1:]),
    )
    difference = only(GENOME, moved)
    assert (difference.path, difference.before, difference.after) == ("genes.order", (1, 2, 3), (3, 1, 2))


def test_conductances_temperature_and_mask_are_compared() -> None:
    child = with_rules(c=np.full((2, 4), 2.0), temperature=0.3, mask=np.ones((3, 3)))
    found = {difference.path: difference for difference in diff(GENOME, child)}
    assert sorted(found) == ["c", "mask", "temperature"]
    assert found["c"].magnitude == pytest.approx(np.sqrt(8))
    assert found["mask"].kind is Kind.ADDED
    assert found["temperature"].magnitude == pytest.approx(0.2)


def test_a_chromosome_without_rules_differs_by_its_genes() -> None:
    difference = only(GENOME, replace(GENOME, rules=None))
    assert (difference.path, difference.kind, difference.before) == ("genes", Kind.LOST, (1, 2, 3))


def test_a_codon_is_found_by_the_modules_innovation_id() -> None:
    changed = replace(MODULE, codons=(3, 9, 5, 1))
    difference = only(GENOME, replace(GENOME, architecture=(changed, GENOME.architecture[1])))
    assert (difference.chromosome, difference.path) == ("architecture", "7.codons")
    assert (difference.before, difference.after) == ((3, 4, 5), (3, 9, 5, 1))
    assert difference.magnitude == 2


def test_added_lost_and_reordered_modules() -> None:
    first, second = GENOME.architecture
    added = only(GENOME, replace(GENOME, architecture=(Gene(9, (1, 2)), first, second)))
    assert (added.path, added.kind, added.after) == ("9", Kind.ADDED, (1, 2))
    lost = only(GENOME, replace(GENOME, architecture=(second,)))
    assert (lost.path, lost.kind, lost.before) == ("7", Kind.LOST, (3, 4, 5))
    order = only(GENOME, replace(GENOME, architecture=(second, first)))
    assert (order.path, order.before, order.after) == ("order", (6, 7, 8), (6, 8, 7))


def test_expression_differs_by_the_norm_of_its_difference() -> None:
    grown = replace(MODULE, expression={"l0.X": frozen(np.ones((3, 3))), "l0.T": frozen([[2.0]])})
    found = diff(GENOME, replace(GENOME, architecture=(grown, GENOME.architecture[1])))
    assert [(each.path, each.kind, each.magnitude) for each in found] == [
        ("7.l0.T", Kind.ADDED, 2.0),
        ("7.l0.X", Kind.CHANGED, pytest.approx(np.sqrt(3))),
        ("7.l0.b", Kind.LOST, pytest.approx(np.sqrt(5))),
    ]


def test_plasticity_is_compared_by_name() -> None:
    child = replace(GENOME, plasticity={"lr": 0.25, "kind": "b", "noise": 1.0})
    found = {each.path: (each.kind, each.magnitude) for each in diff(GENOME, child)}
    assert found == {
        "kind": (Kind.CHANGED, 1.0),
        "lr": (Kind.CHANGED, 0.25),
        "noise": (Kind.ADDED, 1.0),
        "steps": (Kind.LOST, 1.0),
    }


@st.composite
def some_genome(draw: st.DrawFn) -> Genome:
    small = st.sampled_from([0.0, 0.5, 1.0])
    genes = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True)))
    g = len(genes)

    def array(rows: int, columns: int) -> object:
        numbers = draw(st.lists(small, min_size=rows * columns, max_size=rows * columns))
        return frozen(np.reshape(numbers, (rows, columns)))

    rules = Rules(genes, array(g, g), array(1, 2), 0.1, draw(st.none() | st.just(frozen(np.eye(g)))))  # type: ignore[arg-type]
    names = draw(st.lists(st.integers(10, 13), max_size=3, unique=True))
    modules = tuple(
        Gene(name, (draw(st.integers(0, 1)),), {"l0.X": array(draw(st.integers(1, 2)), g)})  # type: ignore[dict-item]
        for name in names
    )
    plasticity = draw(st.dictionaries(st.sampled_from(["a", "b"]), small))
    return Genome(draw(st.sampled_from([rules, None])), Gene(1, ()), modules, plasticity)


@settings(deadline=None)
@given(some_genome(), some_genome())
def test_there_is_a_difference_exactly_where_ids_differ(a: Genome, b: Genome) -> None:
    assert (diff(a, b) == ()) == (a.id == b.id)


@settings(deadline=None)
@given(some_genome(), some_genome())
def test_looking_back_swaps_added_and_lost(a: Genome, b: Genome) -> None:
    back = {Kind.ADDED: Kind.LOST, Kind.LOST: Kind.ADDED, Kind.CHANGED: Kind.CHANGED}
    forth = {(each.chromosome, each.path, each.kind, each.magnitude) for each in diff(a, b)}
    assert {(each.chromosome, each.path, back[each.kind], each.magnitude) for each in diff(b, a)} == forth

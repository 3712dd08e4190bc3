from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from evogen.diff import Difference, Kind, What, diff
from evogen.diff.difference import Labelled
from evogen.errors import GenomeError
from evogen.genome import Gene, Genome, Rules, frozen

from .genomes import genomes

RULES = Rules((1, 2, 3), frozen(np.arange(9.0).reshape(3, 3)), frozen(np.ones((2, 4))))
MODULE = Gene(7, (3, 4, 5), {"l0.X": frozen(np.ones((2, 3))), "l0.b": frozen([1.0, 2.0])})
GENOME = Genome(RULES, Gene(6, ()), (MODULE, Gene(8, (9,))), {"lr": 0.5, "kind": "a", "steps": 3})


def with_rules(**changes: object) -> Genome:
    return replace(GENOME, rules=replace(RULES, **changes))  # type: ignore[arg-type]


def with_module(**changes: object) -> Genome:
    module = replace(MODULE, **changes)  # type: ignore[arg-type]
    return replace(GENOME, architecture=(module, GENOME.architecture[1]))


def only(a: Genome, b: Genome) -> Difference:
    (difference,) = diff(a, b)
    return difference


def test_equal_genomes_do_not_differ() -> None:
    assert diff(GENOME, replace(GENOME)) == ()


def test_a_changed_rule_is_one_difference_in_the_row_of_its_presynaptic_gene() -> None:
    O = RULES.O.copy()
    O[0, 2] += 3.0
    row = only(GENOME, with_rules(O=O))
    assert (row.what, row.path, row.chromosome, row.kind) == (What.O_ROW, "O[1,:]", "rules", Kind.CHANGED)
    assert row.magnitude == pytest.approx(3.0)
    before, after = row.before, row.after
    assert isinstance(before, Labelled)
    assert isinstance(after, Labelled)
    assert (before.columns, before.values.tolist(), after.values.tolist()) == ((3,), [2.0], [5.0])


def test_a_lost_rule_gene_is_one_difference() -> None:
    child = with_rules(genes=(1, 3), O=RULES.O[np.ix_([0, 2], [0, 2])])
    difference = only(replace(GENOME, architecture=()), replace(child, architecture=()))
    assert (difference.path, difference.kind, difference.after) == ("genes.2", Kind.LOST, None)
    assert difference.magnitude == pytest.approx(np.sqrt(3**2 + 4**2 + 5**2 + 1**2 + 7**2))


def test_the_columns_of_a_lost_rule_gene_are_no_difference_of_expression() -> None:
    kept = [0, 2]
    child = replace(
        with_rules(genes=(1, 3), O=RULES.O[np.ix_(kept, kept)]),
        architecture=(
            replace(MODULE, expression={**MODULE.expression, "l0.X": frozen(np.ones((2, 2)))}),
            GENOME.architecture[1],
        ),
    )
    assert only(GENOME, child).path == "genes.2"


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


def test_rows_of_two_masks_are_compared() -> None:
    other = np.ones((3, 3))
    other[1, 0] = 0
    row = only(with_rules(mask=np.ones((3, 3))), with_rules(mask=other))
    assert (row.path, row.kind, row.magnitude) == ("mask[2,:]", Kind.CHANGED, 1.0)


def test_a_genome_without_rules_differs_by_all_of_them() -> None:
    difference = only(GENOME, replace(GENOME, rules=None))
    assert (difference.path, difference.kind, difference.before) == ("genes", Kind.LOST, RULES)


def test_a_codon_is_found_by_the_modules_innovation_id() -> None:
    difference = only(GENOME, with_module(codons=(3, 9, 5, 1)))
    assert (difference.chromosome, difference.path) == ("architecture", "7.codons")
    assert (difference.before, difference.after) == ((3, 4, 5), (3, 9, 5, 1))
    assert difference.magnitude == 2


def test_the_place_and_the_link_of_a_gene_are_compared() -> None:
    found = diff(GENOME, with_module(module=2, layer=1, link=8))
    assert [(each.path, each.before, each.after) for each in found] == [
        ("7.link", None, 8),
        ("7.module", 0, 2),
        ("7.layer", 0, 1),
    ]


def test_added_lost_and_reordered_modules() -> None:
    first, second = GENOME.architecture
    added = only(GENOME, replace(GENOME, architecture=(Gene(9, (1, 2)), first, second)))
    assert (added.path, added.kind, added.magnitude) == ("9", Kind.ADDED, 2.0)
    lost = only(GENOME, replace(GENOME, architecture=(second,)))
    assert (lost.path, lost.kind, lost.magnitude) == ("7", Kind.LOST, 3.0)
    order = only(GENOME, replace(GENOME, architecture=(second, first)))
    assert (order.path, order.before, order.after) == ("order", (7, 8), (8, 7))


def test_interfaces_are_compared_whatever_their_ids() -> None:
    sight = {"in.X": frozen(np.ones((4, 3)))}
    a = replace(GENOME, interface=Gene(6, (), sight))
    b = replace(GENOME, interface=Gene(60, (), sight))
    difference = only(a, b)
    assert (difference.path, difference.before, difference.after) == ("interface.id", 6, 60)
    assert [each.path for each in diff(GENOME, b)] == ["interface.id", "interface.in.X"]


def test_expression_differs_by_the_norm_of_its_difference() -> None:
    found = diff(GENOME, with_module(expression={"l0.X": frozen(np.ones((3, 3))), "l0.T": frozen([[2.0]])}))
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


@pytest.mark.parametrize(
    ("genome", "text"),
    [
        (replace(GENOME, architecture=(MODULE, MODULE)), "innovation id 7 occurs twice"),
        (with_rules(genes=(1, 1, 3)), "rule gene 1 occurs twice"),
        (with_rules(O=np.ones((2, 2))), "rules.O has shape"),
        (with_rules(mask=np.ones((3, 2))), "rules.mask has shape"),
    ],
)
def test_genomes_whose_parts_have_no_identity_are_refused(genome: Genome, text: str) -> None:
    with pytest.raises(GenomeError, match=text):
        diff(GENOME, genome)


@settings(deadline=None, max_examples=60)
@given(genomes(), genomes())
def test_there_is_a_difference_exactly_where_ids_differ(a: Genome, b: Genome) -> None:
    assert (diff(a, b) == ()) == (a.id == b.id)


@settings(deadline=None, max_examples=60)
@given(genomes(), genomes())
def test_looking_back_swaps_added_and_lost(a: Genome, b: Genome) -> None:
    back = {Kind.ADDED: Kind.LOST, Kind.LOST: Kind.ADDED, Kind.CHANGED: Kind.CHANGED}
    forth = {(each.path, each.kind, each.magnitude) for each in diff(a, b)}
    assert {(each.path, back[each.kind], each.magnitude) for each in diff(b, a)} == forth

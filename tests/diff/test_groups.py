"""Differences as a reader counts them, and what they mean in a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from variation import neural

from evogen.diff import apply, diff
from evogen.diff.groups import MOST, Group, grouped
from evogen.diff.meaning import meaning
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.grammar.plan import INPUT, OUTPUT, Plan, Projection
from evogen.grammar.plan import Group as Neurons

RULES = Rules((1, 2, 3), frozen(np.zeros((3, 3))), frozen(np.ones((2, 4))), 0.1, frozen(np.ones((3, 3))))
X = np.zeros((16, 128))
MODULE = Gene(7, (3, 4, 5), {"l0.X": frozen(X), "l0.T": frozen(np.zeros((16, 2)))})
GENOME = Genome(RULES, Gene(6, (), {"in.T": frozen([[1.0]])}), (MODULE,), {"lr": 0.5})


def lines(a: Genome, b: Genome) -> list[tuple[str, str]]:
    return [(group.title, group.detail) for group in grouped(diff(a, b))]


def with_module(**changes: object) -> Genome:
    return replace(GENOME, architecture=(replace(MODULE, **changes),))  # type: ignore[arg-type]


def test_thousands_of_entries_of_expression_are_one_line() -> None:
    changed = X.copy()
    changed[:, :8] = 0.1
    b = with_module(expression={"l0.X": frozen(changed), "l0.T": frozen(np.ones((16, 2)))})
    detail = "l0.T 32 of 32, l0.X 128 of 2,048; norm 5.77"
    assert lines(GENOME, b) == [("gene 7: expression", detail)]


def test_a_row_of_rules_and_of_the_mask_is_one_line() -> None:
    O, mask = np.zeros((3, 3)), np.ones((3, 3))
    O[1, :2], mask[1, 0] = 3.0, 0.0
    b = replace(GENOME, rules=replace(RULES, O=frozen(O), mask=frozen(mask)))
    assert lines(GENOME, b) == [("rule gene 2: its rules", "2 pairs, 1 of the mask, norm 4.36")]


def test_values_are_told_before_and_after() -> None:
    b = replace(GENOME, rules=replace(RULES, temperature=0.25), plasticity={"lr": 0.125, "steps": 3})
    assert lines(GENOME, b) == [
        ("temperature", "0.1 → 0.25"),
        ("lr", "0.5 → 0.125"),
        ("steps added", "3"),
    ]


def test_genes_codons_links_and_the_interface_have_their_lines() -> None:
    b = replace(
        with_module(codons=(3, 9, 5, 1), link=8),
        interface=Gene(6, (), {"in.T": frozen([[2.0]])}),
        architecture=(*with_module(codons=(3, 9, 5, 1), link=8).architecture, Gene(8, (1,), link=7)),
    )
    assert lines(GENOME, b) == [
        ("interface: expression", "in.T 1 of 1; norm 1"),
        ("gene 7: codons", "2 of 4 changed, 3 → 4 codons"),
        ("gene 7: link added", "8"),
        ("gene 8 added", "1 codon, linked to gene 7"),
    ]


def test_groups_hold_every_difference_once_and_are_not_too_many() -> None:
    genes = tuple(range(1, 100))
    many = replace(GENOME, rules=Rules(genes, frozen(np.zeros((99, 99))), RULES.c))
    b = replace(GENOME, rules=Rules(genes, frozen(np.diag(np.arange(1.0, 100))), RULES.c))
    found = grouped(diff(many, b))
    assert len(found) == MOST
    assert found[-1].title == f"the {100 - MOST} smallest differences"
    inside = [each for group in found for each in group.differences]
    assert apply(inside, many).id == b.id
    assert len({id(each) for each in inside}) == len(inside) == 99
    smallest: Group = found[-1]
    assert smallest.magnitude < min(group.magnitude for group in found[:-1]) * 10
    assert smallest.differences[0].gene == 1


def plan(*links: Projection, width: int = 8, act: str = "tanh", **neuron: object) -> Plan:
    hidden = Neurons(7, "l0", width, act, **neuron)  # type: ignore[arg-type]
    return Plan((Neurons(1, INPUT, 4), hidden, Neurons(1, OUTPUT, 2)), links)


IN, OUT = Projection(0, 1, 7), Projection(1, 2, 7)


def test_equal_plans_mean_the_same() -> None:
    assert meaning(plan(IN, OUT), plan(IN, OUT)) == ()


def test_what_became_of_neurons_is_said() -> None:
    wide = plan(IN, OUT, width=12, act="relu", neuron="leaky", settings={"tau": 3.0})
    assert meaning(plan(IN, OUT), wide) == (
        "gene 7 l0: 8 → 12 neurons, tanh → relu, rate → leaky, tau – → 3",
    )


def test_what_became_of_links_is_said() -> None:
    sparse = IN._replace(density=0.5, rule="abcd")
    assert meaning(plan(IN, OUT), plan(sparse, OUT)) == ("link in → gene 7 l0: density 1 → 0.5, none → abcd",)
    assert meaning(plan(IN, OUT), plan(OUT)) == ("link in → gene 7 l0 lost",)
    assert meaning(plan(OUT), plan(OUT, IN, Projection(1, 1, 7))) == ("2 links added",)


def test_a_group_that_came_or_went_is_said() -> None:
    empty = Plan((Neurons(1, INPUT, 4), Neurons(1, OUTPUT, 2)), ())
    assert meaning(plan(IN, OUT), empty) == ("gene 7 l0 lost (8 neurons)", "2 links lost")
    assert meaning(empty, plan(IN, OUT)) == ("gene 7 l0 added (8 neurons)", "2 links added")


def test_a_redrawn_codon_of_a_neuron_is_told_by_what_it_says() -> None:
    space = neural.space_of(structure="flat")
    a = neural.drawn(space)
    first = a.architecture[0]
    told = set()
    for codon in range(0, 60):
        codons = (*first.codons[:1], codon, *first.codons[2:])
        b = replace(a, architecture=(replace(first, codons=codons), *a.architecture[1:]))
        told.update(meaning(neural.planned(space, a), neural.planned(space, b)))
    name = f"neuron {first.innovation}"
    assert told
    assert all(name in text for text in told), "nothing is said of other neurons"

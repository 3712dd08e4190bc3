"""Small networks for trials: one hidden layer of one neuron kind and one rule, a row for every seed.

All that a seed draws (first weights, learning, episodes) follows from the study, the task and the seed, so
that arms with equal shapes begin with equal weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from evogen.connectome.direct import Direct
from evogen.genome import Gene, Genome
from evogen.grammar.plan import INPUT, OUTPUT, Group, Plan, Projection
from evogen.keys import Key
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.registry import evolvable_fields, known

HIDDEN = "l0"


@dataclass(frozen=True)
class Net:
    """A network, input - hidden - output.

    Attributes:
        hidden: units.
        neuron: kind of the hidden units.
        activation: of the hidden units.
        rule: name of the plasticity rule of the link from the input.
        readout: that of the link into the output.
        rules: configured rules by name, where they are not as registered.
        recurrent: whether the hidden layer hears itself, through a link without a rule.
    """

    hidden: int
    neuron: str = "rate"
    activation: str = "tanh"
    rule: str = "none"
    readout: str = "none"
    rules: Mapping[str, object] = field(default_factory=dict)
    recurrent: bool = False


def roots(study: str, task: str, seeds: Sequence[int]) -> list[Key]:
    """Return the key of everything that each seed decides in a study's task.

    Pilots, after which sizes were set, had other keys.
    """
    return [Key(seed).child("published", study, task) for seed in seeds]


def grown(
    net: Net, task: Any, keys: Sequence[Key], plasticity: Sequence[Mapping[str, Any]] | None = None
) -> Phenotype:
    """Develop one network a key, with free weights drawn from it.

    Args:
        net: their structure.
        task: which says inputs and outputs.
        keys: one a row.
        plasticity: genes of each row, `rule.NAME.FIELD` to a number; None: as the rules are configured.
    """
    rules = {name: cls() for name, cls in known("rule").items()} | dict(net.rules)
    embryos = []
    hidden, outer = 1, 2  # innovation ids: a row's draws are told apart by its key
    for number, key in enumerate(keys):
        groups = (
            Group(outer, INPUT, task.inputs),
            Group(hidden, HIDDEN, net.hidden, net.activation, net.neuron),
            Group(outer, OUTPUT, task.outputs),
        )
        links = [Projection(0, 1, hidden, rule=net.rule), Projection(1, 2, hidden, rule=net.readout)]
        links[1:1] = [Projection(1, 1, hidden)] if net.recurrent else []
        given = {} if plasticity is None else plasticity[number]
        genome = Genome(None, Gene(outer, ()), (Gene(hidden, ()),), given)
        how = Development(Direct(), rules, key.child("innate"), normalised=task.normalised)
        embryos.append(embryo(how, genome, Plan(groups, tuple(links))))
    return develop(how, embryos)


def values(learner: Any, rows: int) -> dict[str, Tensor]:
    """Return the evolvable fields of a learner as constants, (P,) each."""
    return {
        each.name: torch.full((rows,), float(getattr(learner, each.name)))
        for each in evolvable_fields(type(learner))
    }

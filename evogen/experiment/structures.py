"""What the settings of an architecture must agree with: its start, the task, the learner and the wiring."""

from __future__ import annotations

from collections.abc import Mapping

from evogen.connectome import Wiring
from evogen.experiment.grammars import samples
from evogen.grammar.architecture import CIRCUIT
from evogen.learning import Learner
from evogen.learning.none import NoLearner
from evogen.schema import Inheritance, Where
from evogen.space import ArchitectureSpace

_DEFAULTS: Mapping[str, object] = {"structure": "flat", "layers": 2, "weights": "trained"}
_MAPPINGS: Mapping[str, tuple[str, ...]] = {"net": ("flat", "structured")}


def agree(
    space: ArchitectureSpace, where: Where, *, learner: Learner, wiring: Wiring, inheritance: Inheritance
) -> None:
    """Refuse settings that contradict each other.

    Raises:
        SpecError: one that has no meaning for the start's type, a structure that the genome is too small for,
            or weights that nothing trains or nothing carries.
    """
    _mapped(space, where)
    if space.type == CIRCUIT and space.max_modules != 1:
        raise (where / "max_modules").error(f"a circuit is one gene: wanted 1, found {space.max_modules}")
    if space.type in ("module", CIRCUIT):
        for name, default in _DEFAULTS.items():
            if (found := getattr(space, name)) != default:
                what = f"<{space.start}> speaks of {space.type}s"
                text = f"{what}, which have their own layers and trained weights"
                raise (where / name).error(f"{text}: wanted {default}, or a start of neurons; found {found}")
        return
    _placed(space, where)
    _weighed(space, where, learner, wiring, inheritance)


def _mapped(space: ArchitectureSpace, where: Where) -> None:
    wanted = _MAPPINGS.get(space.type, ("genes",))
    if space.mapping not in wanted:
        text = f"wanted {' or '.join(wanted)}, because the start <{space.start}> has type {space.type}"
        raise (where / "mapping").error(f"{text}; found {space.mapping}")


def _placed(space: ArchitectureSpace, where: Where) -> None:
    shape = space.shape
    if space.mapping != "genes" and shape.layered:
        text = f"mapping: {space.mapping} knows structures of one layer: flat, modules, coupled"
        raise (where / "structure").error(f"{text}; found {space.structure}")
    if shape.modular and space.outputs == 1:
        raise (where / "structure").error(
            f"the task has one output, so one module: wanted flat or layered, found {space.structure}"
        )
    if shape.modular and space.mapping == "genes" and space.max_modules < space.outputs:
        raise (where / "max_modules").error(
            f"more classes than the grammar can read out: structure {space.structure} has a module of a gene "
            f"or more, for each of the outputs; wanted at least {space.outputs}, found {space.max_modules}"
        )


def _weighed(
    space: ArchitectureSpace, where: Where, learner: Learner, wiring: Wiring, inheritance: Inheritance
) -> None:
    place, idle = where / "weights", isinstance(learner, NoLearner)
    if space.weights == "evolved" and not idle:
        raise place.error("evolved weights are not trained: wanted learner: none, or weights: evolved+tuned")
    if space.weights != "evolved" and idle:
        raise place.error(f"learner: none trains nothing: wanted evolved, found {space.weights}")
    if space.weights == "trained" or inheritance is Inheritance.LAMARCKIAN:
        return
    if wiring.genetic or not _carries(space):
        why = "the wiring makes weights of expression" if wiring.genetic else "not every synapse has one"
        raise place.error(
            f"found {space.weights}, but <{space.start}> carries no weights ({why}), so that nothing would "
            "be inherited: wanted inheritance: lamarckian, or a start of terms with [weight,...]"
        )


def _carries(space: ArchitectureSpace) -> bool:
    """Return whether sentences say the weight of every synapse."""
    links = (link for plan in samples(space) for link in plan.projections)
    return all(link.weights or link.rows == () for link in links)

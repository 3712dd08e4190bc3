"""The arms of the joint study: which chromosomes evolve, and how candidates are proposed.

A frozen chromosome is the same in every candidate of a search: rules and architecture as one draw by the law
of the first genomes has them (another one for each seed), plasticity as the declared defaults of the rule and
the learner have it. To the architecture belong the neurons' identities, from which their innate expression is
drawn; where nothing else may differ, each candidate has a draw of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from evogen.cohort import Individual, Ref
from evogen.experiment.spec import Experiment
from evogen.strategies import Scene, State, Told
from evogen.studies.joint_tasks import World
from evogen.variation.sample import innovations, sample

CHROMOSOMES = ("rules", "architecture", "plasticity")
RANDOM = "strategy={kind: random}"


@dataclass(frozen=True)
class JointArm:
    """One way to search.

    Attributes:
        name, says: for the table.
        frozen: chromosomes that are the same in every candidate.
        evolves: whether candidates are bred from better ones; if not, each is a new draw.
    """

    name: str
    says: str
    frozen: tuple[str, ...] = ()
    evolves: bool = True

    @property
    def chromosome(self) -> str | None:
        """The one chromosome that alone is frozen, if it is one."""
        return self.frozen[0] if len(self.frozen) == 1 else None

    def overrides(self, world: World) -> tuple[str, ...]:
        """Return the settings by which this arm's search differs from that of the first arm."""
        held = {
            "rules": ("rules.evolve=false",),
            "architecture": ("architecture.evolve=false",),
            "plasticity": world.defaults,
        }
        changes = tuple(text for chromosome in self.frozen for text in held[chromosome])
        return changes if self.evolves else (*changes, RANDOM)

    def experiment(self, loaded: Experiment) -> Experiment:
        """Return the search; one in which no chromosome may vary draws innate expression."""
        return replace(loaded, strategy=Innate()) if self.frozen == CHROMOSOMES else loaded


@dataclass(frozen=True)
class Innate:
    """A strategy: one genome for all, whose neurons have identities and so innate expression of their own."""

    many: ClassVar[bool] = False

    def start(self) -> State:
        """Return the empty state."""
        return {}

    def ask(
        self,
        state: State,  # noqa: ARG002
        cohort: int,
        size: int,
        *,
        scene: Scene,
    ) -> tuple[Individual, ...]:
        """Return `size` copies with identities of their own."""
        found = []
        for ref in (Ref(cohort, row) for row in range(size)):
            genome, ids = sample(scene.space, scene.key, ref, root=scene.root), innovations(ref)
            interface = replace(genome.interface, innovation=next(ids))
            modules = tuple(replace(gene, innovation=next(ids)) for gene in genome.architecture)
            found.append(Individual(replace(genome, interface=interface, architecture=modules)))
        return tuple(found)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:  # noqa: ARG002
        """Return the state as it was."""
        return state


JOINT = JointArm("joint", "rules, architecture and plasticity evolve together")
ARMS = (
    JOINT,
    *(
        JointArm(f"{name}-frozen", f"{name} the same in all candidates, the rest evolves", (name,))
        for name in CHROMOSOMES
    ),
    JointArm("random", "all three drawn anew for every candidate: nothing evolves", (), evolves=False),
    JointArm("all-frozen", "one genome for all; only innate expression differs", CHROMOSOMES, evolves=False),
)
BY_NAME: Mapping[str, JointArm] = {arm.name: arm for arm in ARMS}

"""TPE: a tree-structured Parzen estimator over the whole genome (Optuna's TPESampler).

The told candidates are split into good ones, the best tenth and at most 25, and the others. For densities
l(x) of the good and g(x) of the others, the next genome is the one with the largest l(x) / g(x) among
`candidates` draws from l (Bergstra et al. 2011; for the joint densities Falkner et al. 2018; Watanabe 2023).
Failed candidates rank below all others, and who keeps the constraints ranks before who does not: TPE looks at
the order only, so no fitness is made up for anyone. A genome of TPE has no parents.

The parameters are: the number of modules; of each module every choice that the grammar leaves, in the order
of its codons, named by its symbol or terminal and by how often the module met that before; every entry of O
and c within `span` initial standard deviations of 0; every bit of a random mask; every plasticity gene in its
unit interval. A choice that fewer than 4 of the told candidates had to make is drawn as a new genome's. The
gene count of the rules does not vary.

Rules have g^2 + 2 n^2 parameters, or 2 g^2 + 2 n^2 with a random mask, and to TPE each is a dimension. At 300
parameters a candidate takes about 0.3 s to propose with `joint` densities and 1 s with `independent` ones.
Expect slow progress with either, and prefer rules that are held, or few genes.
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
import optuna
from deap import tools
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from optuna.search_space import intersection_search_space
from optuna.trial import TrialState, create_trial

from evogen.cohort import Individual, Ref
from evogen.genome import Array, Gene, Genome, Rules, Value, frozen
from evogen.grammar import CODONS, Grammar
from evogen.grammar.cells import TYPES
from evogen.grammar.derivation import Choices, Growing, Reading, expand, within
from evogen.grammar.model import Dynamic, Numeric, Rule, Scale
from evogen.registry import register, setting
from evogen.space import ArchitectureSpace, SearchSpace
from evogen.strategies import Scene, State, Told
from evogen.variation.sample import innovations, sample

GOOD = 25  # Optuna's most members of the good density: as many best ones are never forgotten
MET = 4  # candidates that had to make a choice before it is modelled
Choose = Callable[[str, BaseDistribution, Any], Any]


@register("strategy", "tpe")
@dataclass(frozen=True)
class TPE:
    """Settings of the tree-structured Parzen estimator; one objective, any number of constraints."""

    many: ClassVar[bool] = False
    startup: int = setting(
        16,
        low=1,
        high=GOOD,
        doc="successful candidates before the first model; until then genomes are sampled",
    )
    window: int = setting(
        100, low=1, doc=f"candidates told last that the model knows, beside the {GOOD} best"
    )
    candidates: int = setting(24, low=1, doc="draws from the good density, of which one is taken")
    model: Literal["joint", "independent"] = setting(
        "joint", doc="one density of all parameters that every genome has, or one of each parameter"
    )
    span: float = setting(
        4.0, low=0.1, high=1000, doc="bound of an entry of O and c, in initial standard deviations"
    )

    def start(self) -> State:
        """Return an empty memory: lists of [cohort, row, fitness, violation]."""
        return {"recent": [], "best": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        """Return `size` genomes that are likelier under the good than under the others."""
        refs = [Ref(cohort, row) for row in range(size)]
        told = sorted({one.ref: one for one in _read([*state["best"], *state["recent"]])}.values())
        if sum(one.fitness is not None for one in told) < self.startup:
            return tuple(Individual(sample(scene.space, scene.key, ref, root=scene.root)) for ref in refs)
        with _quiet():
            model = self._model(told, scene)
            return tuple(Individual(self._draw(model, ref, scene), operator="tpe") for ref in refs)

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:  # noqa: ARG002
        """Return the state with the results in the window, and the best among them with the best ever."""
        best = [*_read(state["best"]), *(one for one in results if one.fitness is not None)]
        recent = [*_read(state["recent"]), *results][-self.window :]
        return {"recent": _write(recent), "best": _write(tools.selBest(best, GOOD, fit_attr="merit"))}

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        """Return the state with candidates of another island, which are modelled like those told."""
        return self.tell(state, results, scene=scene)

    def _model(self, told: Sequence[Told], scene: Scene) -> _Model:
        order = sorted(told, key=lambda one: (one.fitness is not None, one.merit), reverse=True)
        ranks = {one.ref: rank for rank, one in enumerate(order)}
        study = optuna.create_study(study_name="tpe", direction="minimize")
        found = [_parameters(scene.stock(one.ref), scene.space, self.span) for one in told]
        met = Counter(name for parameters in found for name in parameters)
        modelled = {name for name, times in met.items() if times >= MET}
        for one, parameters in zip(told, found, strict=True):  # by place: to Optuna, older ones weigh less
            known = {name: parameters[name] for name in parameters if name in modelled}
            study.add_trial(
                create_trial(
                    params={name: value for name, (_, value) in known.items()},
                    distributions={name: distribution for name, (distribution, _) in known.items()},
                    value=ranks[one.ref],
                )
            )
        shared: dict[str, BaseDistribution] = {}
        if self.model == "joint":
            shared = intersection_search_space(study.get_trials(deepcopy=False))
        return _Model(study, modelled, shared)

    def _draw(self, model: _Model, ref: Ref, scene: Scene) -> Genome:
        own = scene.key.child("tpe", ref.cohort, ref.row)
        sampler = TPESampler(
            seed=own.child("sampler").integer() % 2**32,
            n_startup_trials=0,
            n_ei_candidates=self.candidates,
            multivariate=self.model == "joint",
            constant_liar=False,
        )
        trial = create_trial(state=TrialState.RUNNING)
        drawn = sampler.sample_relative(model.study, trial, model.shared)

        def choose(name: str, distribution: BaseDistribution, fresh: Any) -> Any:
            if name in drawn:
                return drawn[name]
            if name in model.known:
                return sampler.sample_independent(model.study, trial, name, distribution)
            return fresh

        fresh, ids = sample(scene.space, scene.key, ref, root=scene.root), innovations(ref)
        grammar, rng = scene.space.architecture.grammar, own.child("modules").generator()
        parts = _walk(fresh, scene.space, choose, lambda _: Growing(grammar, rng), span=self.span)
        if not scene.space.architecture.evolve:
            return replace(fresh, rules=parts.rules, plasticity=parts.plasticity)
        if scene.space.architecture.type in TYPES:  # neuron groups have places, which were drawn
            pairs = zip(fresh.architecture, parts.modules, strict=True)
            placed = tuple(replace(gene, codons=codons) for gene, codons in pairs)
            return Genome(parts.rules, fresh.interface, placed, parts.plasticity)
        interface, *modules = [Gene(next(ids), codons) for codons in ((), *parts.modules)]
        return Genome(parts.rules, interface, tuple(modules), parts.plasticity)


class _Model(NamedTuple):
    """What was told, for Optuna.

    Attributes:
        study: the told candidates; its values are their ranks, 0 is the best.
    known: the names of all parameters of the study.
        shared: those that every candidate has, if they are modelled jointly.
    """

    study: optuna.Study
    known: set[str]
    shared: dict[str, BaseDistribution]


class _Parts(NamedTuple):
    """What TPE chooses of a genome; without modules where the architecture does not evolve."""

    rules: Rules | None
    modules: tuple[tuple[int, ...], ...]
    plasticity: dict[str, Value]


def _parameters(genome: Genome, space: SearchSpace, span: float) -> dict[str, tuple[BaseDistribution, Any]]:
    """Return the distribution and the value of every parameter of a genome, by name."""
    found: dict[str, tuple[BaseDistribution, Any]] = {}

    def note(name: str, distribution: BaseDistribution, value: Any) -> Any:
        found[name] = distribution, value
        return value

    def reading(module: int) -> Reading:
        return Reading(space.architecture.grammar, genome.architecture[module].codons)

    _walk(genome, space, note, reading, span=span)
    return found


def _walk(
    genome: Genome, space: SearchSpace, choose: Choose, choices: Callable[[int], Choices], *, span: float
) -> _Parts:
    """Go through all parameters of a genome and let each be chosen anew.

    Args:
        genome: what there is, within the space.
        space: what may vary.
        choose: maps a parameter's name, distribution and present value to the value wanted.
        choices: what module number i, from 0, chooses presently.
        span: see TPE.
    """
    rules = genome.rules
    modules: tuple[tuple[int, ...], ...] = ()
    if space.rules is not None and space.rules.evolve and rules is not None:
        rules = _rules(rules, choose, span=span, mask=space.rules.mask == "random")
    if space.architecture.evolve:
        modules = _modules(genome, space.architecture, choose, choices)
    plasticity = {
        name: distribution.value(
            choose(
                f"plasticity.{name}", FloatDistribution(0.0, 1.0), distribution.unit(genome.plasticity[name])
            )
        )
        for name, distribution in space.plasticity.items()
    }
    return _Parts(rules, modules, plasticity)


def _rules(rules: Rules, choose: Choose, *, span: float, mask: bool) -> Rules:
    g, n = rules.O.shape[0], rules.c.shape[0]

    def chosen(name: str, array: Array, distribution: BaseDistribution, values: list[Any]) -> Array:
        found = [choose(f"{name}.{place}", distribution, value) for place, value in enumerate(values)]
        return frozen(np.reshape(np.array(found, dtype=np.float32), array.shape))

    def bounded(name: str, array: Array, bound: float) -> Array:
        values = np.clip(array.astype(float), -bound, bound).ravel().tolist()
        return chosen(name, array, FloatDistribution(-bound, bound), values)

    O = bounded("O", rules.O, span / g)
    c = bounded("c", rules.c, span / (math.sqrt(2) * n))
    allowed = rules.mask
    if mask and allowed is not None:
        bits = chosen("mask", allowed, CategoricalDistribution((0, 1)), allowed.astype(int).ravel().tolist())
        allowed = bits if bits.any() else allowed
    return replace(rules, O=O, c=c, mask=allowed)


def _modules(
    genome: Genome, space: ArchitectureSpace, choose: Choose, choices: Callable[[int], Choices]
) -> tuple[tuple[int, ...], ...]:
    genes = genome.architecture
    if space.mapping == "structured":  # its lists are no derivation each: they stay as they were drawn
        return tuple(gene.codons for gene in genes)
    count, placed = len(genes), space.type in TYPES
    if space.min_modules < space.max_modules and not placed:
        count = choose("modules", IntDistribution(space.min_modules, space.max_modules), count)
    grown = []
    for module in range(count):
        naming = _Naming(space.grammar, choices(module), choose, f"module.{module}")
        context = space.context(genes[module].module, genes[module].layer, genes) if placed else None
        expand(space.grammar, space.start, naming, context)
        grown.append(tuple(naming.codons))
    return tuple(grown)


@dataclass
class _Naming:
    """Names the choices of one module's derivation and lets each be chosen anew.

    Attributes:
        present: what the derivation would choose.
        codons: those of what was chosen instead, the smallest that say so.
    """

    grammar: Grammar
    present: Choices
    choose: Choose
    name: str
    codons: list[int] = field(default_factory=list)
    _met: Counter[str] = field(default_factory=Counter)

    @property
    def used(self) -> int:
        return len(self.codons)

    def alternative(self, rule: Rule, depth: int, among: tuple[int, ...]) -> int:
        present = self.present.alternative(rule, depth, among)
        if len(among) == 1:
            return present
        all_of_it = CategoricalDistribution(range(len(rule.alternatives)))
        chosen: int = self.choose(self._next(f"<{rule.symbol}>"), all_of_it, present)
        if chosen not in within(self.grammar, rule, depth, among=among):
            chosen = present
        self.codons.append(among.index(chosen))
        return chosen

    def pick(self, dynamic: Dynamic, count: int) -> int:
        index = self.present.pick(dynamic, count)
        if count > 1:
            index = self.choose(self._next(f"@{dynamic.context}"), IntDistribution(0, count - 1), index)
        self.codons.append(max(index, 0))
        return index

    def value(self, numeric: Numeric) -> float:
        value = self.present.value(numeric)
        if numeric.low < numeric.high:
            name = self._next(f"{numeric.name}@{numeric.place.line}:{numeric.place.column}")
            value = self.choose(name, _distribution(numeric), value)
        self.codons.append(round(numeric.unit(value) * (CODONS - 1)))
        return value

    def _next(self, kind: str) -> str:
        self._met[kind] += 1
        return f"{self.name}.{kind}.{self._met[kind]}"


def _distribution(numeric: Numeric) -> BaseDistribution:
    if numeric.scale is Scale.INT:
        return IntDistribution(int(numeric.low), int(numeric.high))
    if numeric.scale is Scale.CHOICE:
        return CategoricalDistribution(numeric.values)
    return FloatDistribution(numeric.low, numeric.high, log=numeric.scale is Scale.LOG)


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence Optuna's log, and its warnings about features that may still change, inside the block."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


def _read(records: Sequence[tuple[int, int, float | None, float]]) -> list[Told]:
    return [
        Told(Ref(cohort, row), fitness, violation=violation) for cohort, row, fitness, violation in records
    ]


def _write(pool: Sequence[Told]) -> list[list[float | None]]:
    return [[*told.ref, told.fitness, told.violation] for told in pool]

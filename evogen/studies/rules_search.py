"""The search that the study of evolved rules makes where it is given none.

It is that of searchspaces/synaptogen-rules.yaml.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from evogen.budget import finished
from evogen.connectome.synaptogen import SynaptoGen
from evogen.engine import Committed, Event
from evogen.errors import SpecError
from evogen.experiment import experiment_of, load, open, resume, run
from evogen.experiment.spec import Experiment
from evogen.genome import Rules
from evogen.learning.ppo import PPO
from evogen.runs import Run

GRAMMAR = """\
<single> @type(module) ::= layer:dense [width,int,1,64,64] act:selu conn:full neuron:rate plastic:none
                           readout:sum conn:full plastic:none
"""
SEARCH = """\
name: synaptogen-rules
seed: 1
task: {kind: cartpole, episodes: 4}
wiring: {kind: synaptogen, tune_rules: false}
birth: {agents: 4, degree: 10, counts: poisson, conductance: drawn}
rules: {genes: 6, min_genes: 2, max_genes: 16, transmitters: 3, mask: random, density: 1}
architecture: {grammar: single.bnf, start: single, max_modules: 1, evolve: false}
learner: {kind: ppo, iterations: 14, learning_rate: 0.01}
strategy: {kind: genetic, population: 32, elite: 0, tournament: 4, mutate_rules: 0.8, rules_sigma: 4}
inheritance: baldwinian
search: {cohorts: 35, cohort_size: 32, lookahead: 2, lives: 2}
"""


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found.

    Attributes:
        experiment: what was searched.
        rules: the winner's.
        path, candidate: where it is kept.
        fitness: the winner's in the search, on which it was chosen.
        fingerprint: of the run.
    """

    experiment: Experiment
    rules: Rules
    path: str
    candidate: str
    fitness: float
    fingerprint: str

    @property
    def wiring(self) -> SynaptoGen:
        """The wiring of the search."""
        wiring = self.experiment.wiring
        assert isinstance(wiring, SynaptoGen)
        return wiring

    @property
    def learner(self) -> PPO:
        """The learner of the search."""
        learner = self.experiment.learner
        assert isinstance(learner, PPO)
        return learner


def given(path: Path) -> Found:
    """Return what a run found.

    Raises:
        RunError: there is no such run, or it has no winner.
        SpecError: its search is of another kind than this study's.
    """
    with open(path) as made:
        return _found(made)


def searched(folder: Path, *, overrides: tuple[str, ...], workers: int, say: Callable[[str], None]) -> Found:
    """Make the search in a folder, go on with it, or take it if it is there."""
    path = folder / "search"

    def tell(event: Event) -> None:
        if isinstance(event, Committed):
            best = max((each.fitness for each in event.evaluations if each.fitness is not None), default=0.0)
            say(f"search: cohort {event.told}, best of it {best:.0f}")

    parallel = workers if workers > 1 else 0
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "single.bnf").write_text(GRAMMAR, encoding="utf-8")
    (folder / "search.yaml").write_text(SEARCH, encoding="utf-8")
    experiment = load(folder / "search.yaml", overrides)
    if path.is_dir():
        with open(path) as before:
            if experiment_of(before) != experiment:
                raise SpecError(f"{path} was made by another search (--quick or not): name another --out")
        made = resume(path, workers=parallel, on_event=tell)
    else:
        made = run(experiment, workers=parallel, out=path, on_event=tell)
    with closing(made):
        if not finished(made, experiment_of(made).search):
            raise KeyboardInterrupt
        return _found(made)


def _found(made: Run) -> Found:
    experiment, best = experiment_of(made), made.best()
    if not isinstance(experiment.wiring, SynaptoGen) or not isinstance(experiment.learner, PPO):
        raise SpecError(f"{made.path}: wanted a search with wiring: synaptogen and learner: ppo")
    if experiment.wiring.mask != "forbid" or experiment.space.plasticity:
        raise SpecError(
            f"{made.path}: wanted a search of rules alone, with wiring.mask: forbid and no other gene"
        )
    if best is None:
        raise SpecError(f"{made.path}: no candidate has a fitness, so there are no rules to study")
    individual, evaluation = made.candidate(best)
    rules = individual.genome.rules
    assert rules is not None
    assert evaluation.fitness is not None
    return Found(experiment, rules, str(made.path), str(best), evaluation.fitness, made.fingerprint())

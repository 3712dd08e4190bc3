"""The study of evolved rules: how well do they let a new life learn, and do they serve another task?

The rules (O, c, mask) of a search's winner stand against rules drawn by the same law, against what is left of
them without any structure, and against rules made by hand. Every life has expression that no search saw,
tunes expression only, and ends in agents with as few synapses as in the search. Measured are the born agents'
score after a life as short as the search's, and the environment steps that a longer one needs to the
threshold; then both on tasks that the rules were not evolved for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from evogen.studies import Findings, Options, Study, refuse_unknown
from evogen.studies.export import write_all
from evogen.studies.recipes import RECIPES
from evogen.studies.rules_arms import ARMS, EVOLVED, RANDOM, UNIFORM, RulesArm
from evogen.studies.rules_lives import Lives, World, live, root
from evogen.studies.rules_rows import Entry, record
from evogen.studies.rules_search import Found, given, searched
from evogen.studies.rules_table import lines
from evogen.tasks import ControlTask

TITLE = "Evolved wiring rules: what they are worth to a new life, and on another task"
FOLDER, QUICK_FOLDER = Path("runs/study-rules"), Path("runs/study-rules-quick")
TRANSFER = ("mountain-car", "acrobot", "lunar-lander")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How much of the study is done.

    Attributes:
        seeds: fresh lives of each arm.
        agents, episodes: born of each life, and behind the score of each.
        long: iterations of the lives that are timed to the threshold.
        elsewhere: iterations of a life on another task, with its recipe's other settings.
        transfer: names of those tasks.
        overrides: of the search, where the study makes it.
    """

    seeds: int = 24
    agents: int = 20
    episodes: int = 5
    long: int = 60
    elsewhere: int = 36
    transfer: tuple[str, ...] = ("mountain-car", "acrobot")  # LunarLander takes far longer: --tasks names it
    overrides: tuple[str, ...] = ()


QUICK = Effort(
    seeds=10,
    agents=8,
    episodes=3,
    long=30,
    elsewhere=12,
    transfer=("acrobot",),
    overrides=("search.cohorts=6", "search.cohort_size=16", "strategy.population=16"),
)


def run(options: Options, say: Say) -> Findings:
    """Search if no run is given, let all arms live, and return the table.

    Raises:
        SpecError: an option is wrong.
        RunError: the run is not there or damaged.
    """
    effort = QUICK if options.quick else Effort()
    if options.seeds is not None:
        effort = replace(effort, seeds=options.seeds)
    refuse_unknown(options, tasks=list(TRANSFER), arms=[arm.name for arm in ARMS])
    folder = options.out or (QUICK_FOLDER if options.quick else FOLDER)
    if options.run is not None:
        found = given(options.run)
    else:
        found = searched(folder, overrides=effort.overrides, workers=options.workers, say=say)
    entries: list[Entry] = []
    for name, task, world, arms in _plan(found, effort, options, say):
        for arm in arms:
            entries.append(Entry(name, task, arm, _lives(found, arm, name, world, effort.seeds)))
            say(f"{name}, {arm.name}: score {entries[-1].lives.scores.mean():.1f}")
    whole = record(TITLE, found, entries, effort, options.command)
    text = "\n".join([TITLE, "", *lines(found, entries, whole)])
    return Findings(text, whole, write_all(folder, text, whole))


def _plan(
    found: Found, effort: Effort, options: Options, say: Say
) -> list[tuple[str, ControlTask, World, Sequence[RulesArm]]]:
    """Return (name, task, world, arms) of everything that is to be lived."""
    experiment, birth = found.experiment, replace(found.experiment.birth, agents=effort.agents)
    arms = [arm for arm in ARMS if options.arms is None or arm.name in {*options.arms, EVOLVED.name}]
    home = cast("ControlTask", replace(experiment.task, episodes=effort.episodes))  # type: ignore[type-var]
    longer = replace(found.learner, iterations=effort.long)
    planned: list[tuple[str, ControlTask, World, Sequence[RulesArm]]] = [
        ("short life", home, World(home, found.learner, birth), arms),
        ("long life", home, World(home, longer, birth), arms),
    ]
    for name in options.tasks if options.tasks is not None else effort.transfer:
        recipe = RECIPES[name]
        try:
            task = recipe.play(effort.episodes)
        except ValueError as error:
            say(f"left out {name}: {error}")
            continue
        learner = replace(recipe.ppo, iterations=effort.elsewhere)
        planned.append((name, task, World(task, learner, birth), (EVOLVED, RANDOM, UNIFORM)))
    return planned


def _lives(found: Found, arm: RulesArm, name: str, world: World, seeds: int) -> Lives:
    keys = [root(name, seed) for seed in range(seeds)]
    # rules of a seed are the same on every task: what is drawn for `random` is tried everywhere
    rules = arm.rules(found.rules, found.experiment.space, [root("rules", seed) for seed in range(seeds)])
    return live(rules, arm.wiring(found.wiring), world, keys)


STUDY = Study("rules", TITLE, run)

"""Seconds per solved CartPole genome, evogen against the classic way; milliseconds to bear agents.

A genome (the reference's: 4-128-2, SELU, g = 16 genes, n = 3 transmitters, drawn at random) is solved if its
agents, born in the reference regime (degree 1e5, binomial counts, mean conductance), average 475 over 100
episodes that training never saw: 10 agents, 10 episodes each. The test is the same for every row.

    evogen     cohorts of fresh genomes under PPO, all of a cohort in one batch, on one thread: trained on the
               mean network, or through the noise of the biological regime (degree 100, Poisson counts, drawn
               conductances)
    two cores  two processes at once with a cohort each; from their common start to the end of the last
    classic    one model at a time under Stable-Baselines3's DQN with the reference's hyperparameters, for
               500,000 steps; tested every 10,000 steps and stopped at the first pass (extra `bench`)
    births     100 agents of one genome of g = 64: a whole birth, and the draw of its synapses alone

Seconds are those of training alone: no start of a process, no development, no test. Seconds per solved genome
are the seconds of all trainings, failed ones too, over the number solved. Rows run one after the other.

`python benchmarks/synaptogen.py [--quick] [--json FILE] [--classic-seeds N] [--device cuda]`
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from births import births, lines_of
from inner_loop import SynaptoGenNet, candidate

from evogen.connectome.birth import Birth
from evogen.connectome.synaptogen import SynaptoGen
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.registry import evolvable_fields
from evogen.tasks import Fold
from evogen.tasks.cartpole import CartPole

TASK = CartPole()
REFERENCE = Birth(agents=10, degree=1e5)
BIOLOGICAL = Birth(agents=10, degree=100.0, counts="poisson", conductance="drawn", training="noise")
TRAININGS = {"mean": REFERENCE, "noise": BIOLOGICAL}
ONE, TWO = "evogen, one core, {}", "evogen, two cores, {}"
CLASSIC = "classic, one core"
FAST = {
    "learning_rate": 0.02,
    "epochs": 2,
    "gamma": 0.99,
    "gae_lambda": 0.97,
}  # chosen on other seeds than these
STEPS, EVERY = 500_000, 10_000
FAR = 1000  # first seed of the cohorts of two processes, apart from those of one


@dataclass(frozen=True)
class Budget:
    """How much is run.

    Attributes:
        alone, beside: trainings of evogen's rows on one core, and on two.
        cohorts: repeats of each of these rows.
        size: genomes of a cohort.
        ppo: evogen's hyperparameters, where they are not its defaults.
        models: classic ones, one after the other.
        steps, every: of a classic model, and from one test of it to the next.
        rate: its learning rate.
    """

    alone: tuple[str, ...]
    beside: tuple[str, ...]
    cohorts: int
    size: int
    ppo: Mapping[str, float]
    models: int
    steps: int
    every: int
    rate: float


@dataclass(frozen=True)
class Cost:
    """What one training of `trained` genomes took, and how many of them were solved."""

    seconds: float
    cpu: float
    trained: int
    solved: int
    scoring: float
    steps: int


def cohort(size: int, key: Key, birth: Birth, device: str = "cpu") -> Phenotype:
    """Return fresh random genomes as evogen develops them for CartPole."""
    development = Development(SynaptoGen(), {}, key, device=device, birth=birth, normalised=TASK.normalised)
    return develop(development, [embryo(development, *candidate(key.child(row))) for row in range(size)])


def solved(phenotype: Phenotype, flat: torch.Tensor, key: Key) -> torch.Tensor:
    """Return (P,) bool: 10 agents of each genome, born in the reference regime, average 475 or more."""
    rows, agents = phenotype.rows, REFERENCE.agents
    born = phenotype.agents(flat, [key.child("birth", row) for row in range(rows)], REFERENCE)
    keys = [key.child("test", row, agent) for row in range(rows) for agent in range(agents)]
    return TASK.score(born, keys, Fold.SEARCH).reshape(rows, agents).mean(1) >= TASK.threshold


def learn(phenotype: Phenotype, key: Key, ppo: Mapping[str, float]) -> tuple[torch.Tensor, int]:
    """Return the parameters that evogen's PPO finds and the steps of the cohort."""
    learner = PPO(**ppo)  # type: ignore[arg-type]
    values = {
        field.name: torch.full((phenotype.rows,), float(getattr(learner, field.name))).to(phenotype.flat)
        for field in evolvable_fields(PPO)
    }
    fit = learner.fit(phenotype, TASK, [key.child("learn", row) for row in range(phenotype.rows)], values)
    return fit.flat, int(fit.steps.sum())


def train(
    budget: Budget, training: str, seed: int, meet: Callable[[], object] = int
) -> tuple[Cost, float, float]:
    """Train and test one cohort; return its cost, and when training began and ended.

    Args:
        budget: the cohort's size and PPO's hyperparameters.
        training: `mean` or `noise`.
        seed: of the genomes and of everything else.
        meet: called before and after training, to wait for another process.
    """
    torch.set_num_threads(1)
    key = Key(seed)
    warm = key.child("warm")
    learn(cohort(2, warm, TRAININGS[training]), warm, {"iterations": 1})  # what only the first call costs
    phenotype = cohort(budget.size, key, TRAININGS[training])
    meet()
    start, cpu = time.monotonic(), time.process_time()
    flat, steps = learn(phenotype, key, budget.ppo)
    end, cpu = time.monotonic(), time.process_time() - cpu
    meet()
    passed = int(solved(phenotype, flat, key).sum())
    return Cost(end - start, cpu, budget.size, passed, time.monotonic() - end, steps), start, end


def train_beside(budget: Budget, training: str, seed: int, gate: Any) -> tuple[Cost, float, float]:
    """Train one of two cohorts that begin together."""
    return train(budget, training, seed, lambda: gate.wait(600))


def train_two(budget: Budget, training: str, seed: int) -> Cost:
    """Train two cohorts in two processes at once; seconds from their common start to the end of the last."""
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(2, mp_context=context) as pool:
        gate = manager.Barrier(2)
        jobs = [pool.submit(train_beside, budget, training, 2 * seed + n, gate) for n in range(2)]
        costs, starts, ends = zip(*(job.result() for job in jobs), strict=True)
    return Cost(
        max(ends) - min(starts),
        sum(cost.cpu for cost in costs),
        sum(cost.trained for cost in costs),
        sum(cost.solved for cost in costs),
        max(cost.scoring for cost in costs),
        sum(cost.steps for cost in costs),
    )


def classic(budget: Budget, seed: int) -> Cost:
    """Train one model by DQN until it first passes the test, or to the end of its steps."""
    import gymnasium
    from stable_baselines3 import DQN

    development = Development(SynaptoGen(), {}, Key(seed))
    one = develop(development, [embryo(development, *candidate(Key(seed).child(0)))])
    model = DQN(
        "MlpPolicy", gymnasium.make("CartPole-v1"), learning_rate=budget.rate, batch_size=64,
        buffer_size=100_000, learning_starts=1000, gamma=0.99, target_update_interval=10, train_freq=256,
        gradient_steps=128, exploration_fraction=0.16, exploration_final_eps=0.04, seed=seed, device="cpu",
    )  # fmt: skip
    nets = SynaptoGenNet(), SynaptoGenNet()
    model.q_net.q_net, model.q_net_target.q_net = nets
    with torch.no_grad():
        for net in nets:
            for slot in one.slots:
                net.values[slot.name.replace(".", "_")].copy_(one.values(one.flat)[slot.name])
    model.policy.optimizer = torch.optim.Adam(model.q_net.parameters(), lr=budget.rate)
    tests: list[bool] = []
    paused = paused_cpu = 0.0

    def go_on(_locals: dict[str, Any], _globals: dict[str, Any]) -> bool:
        nonlocal paused, paused_cpu
        if model.num_timesteps % budget.every == 0:
            start, cpu = time.monotonic(), time.process_time()
            tests.append(bool(solved(one, flat_of(nets[0], one), Key(seed).child("tested", len(tests)))))
            paused, paused_cpu = paused + time.monotonic() - start, paused_cpu + time.process_time() - cpu
        return not (any(tests) or model.num_timesteps >= budget.steps)

    start, cpu = time.monotonic(), time.process_time()
    model.learn(STEPS, callback=go_on)  # whose exploration falls over all steps, however few are taken
    spent, cpu = time.monotonic() - start, time.process_time() - cpu
    return Cost(spent - paused, cpu - paused_cpu, 1, int(any(tests)), paused, model.num_timesteps)


def flat_of(net: SynaptoGenNet, one: Phenotype) -> torch.Tensor:
    """Return the parameters (1, D) of a classic module as the phenotype holds them."""
    flat = one.flat.clone()
    for slot in one.slots:
        part = net.values[slot.name.replace(".", "_")].detach()
        flat[0, slot.start : slot.start + slot.size] = part.flatten()
    return flat


def accelerated(device: str, ppo: Mapping[str, float]) -> dict[int, float]:
    """Return candidate-steps per second by size of the cohort."""
    found = {}
    for size in (256, 1024, 4096):
        for iterations in (1, 4):
            phenotype = cohort(size, Key(0), REFERENCE, device)
            torch.cuda.synchronize()
            start = time.perf_counter()
            _, steps = learn(phenotype, Key(0), {**ppo, "iterations": iterations})
            torch.cuda.synchronize()
            found[size] = steps / (time.perf_counter() - start)
    return found


def per_solved(costs: Sequence[Cost], unit: str = "seconds") -> float:
    """Return seconds (or `cpu`) of all trainings over the genomes solved; inf if none was."""
    count = sum(cost.solved for cost in costs)
    spent: float = sum(getattr(cost, unit) for cost in costs)
    return spent / count if count else math.inf


def table(rows: Mapping[str, Sequence[Cost]]) -> list[str]:
    """Return a line for each way of training: per solved genome, and least and most of its repeats."""
    lines = [
        f"{'':28}{'genomes':>8}{'solved':>7}{'steps':>11}{'s':>9}{'CPU-s':>9}{'s/solved':>10}"
        f"{'(least..most)':>18}{'CPU-s/solved':>14}{'tests s':>9}"
    ]
    for name, costs in rows.items():
        genomes, steps = sum(cost.trained for cost in costs), sum(cost.steps for cost in costs)
        seconds, cpu = sum(cost.seconds for cost in costs), sum(cost.cpu for cost in costs)
        each = sorted(per_solved([cost]) for cost in costs)
        span = f"({each[0]:.2f}..{each[-1]:.2f})"
        lines.append(
            f"{name:28}{genomes:8}{sum(cost.solved for cost in costs):7}{steps:11,}{seconds:9.1f}{cpu:9.1f}"
            f"{per_solved(costs):10.2f}{span:>18}{per_solved(costs, 'cpu'):14.2f}"
            f"{sum(cost.scoring for cost in costs):9.1f}"
        )
    return lines


def ratios(rows: Mapping[str, Sequence[Cost]], budget: Budget) -> tuple[dict[str, dict[str, float]], str]:
    """Return classic over ours, in seconds and CPU-seconds per solved genome by row, and what that is."""
    ours = {name: costs for name, costs in rows.items() if name != CLASSIC}
    models = rows.get(CLASSIC, [])
    if not models:
        return {}, "not measured, no classic model was asked for"
    count = sum(cost.solved for cost in models)
    spent = {unit: sum(getattr(cost, unit) for cost in models) / max(count, 1) for unit in ("seconds", "cpu")}
    found = {
        name: {
            unit: total / per_solved(costs, unit) if sum(cost.solved for cost in costs) else math.nan
            for unit, total in spent.items()
        }
        for name, costs in ours.items()
    }
    if count:
        return found, "classic per solved genome over evogen's"
    when = f"after {budget.steps:,} of {STEPS:,} steps"
    return found, f"only a bound, at least this: no classic model was solved {when}"


def parsed() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="small cohorts, one classic model of 3,000 steps"
    )
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    parser.add_argument("--cohorts", type=int, default=3, help="repeats of every row of evogen's (3)")
    parser.add_argument("--size", type=int, default=32, help="genomes of a cohort (32)")
    parser.add_argument("--iterations", type=int, default=24, help="of evogen's PPO (24)")
    parser.add_argument(
        "--classic-seeds", type=int, default=2, help="classic models, one after the other (2); 0: none"
    )
    parser.add_argument("--classic-rate", type=float, default=3e-3, help="their learning rate (3e-3)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: time its cohorts too")
    return parser.parse_args()


def budget_of(options: argparse.Namespace) -> Budget:
    """Return what the options ask for."""
    ppo, models = {**FAST, "iterations": options.iterations}, options.classic_seeds
    both, rate = tuple(TRAININGS), options.classic_rate
    if options.quick:
        return Budget(both, both[:1], 1, 8, {**ppo, "iterations": 12}, min(models, 1), 3000, 1500, rate)
    return Budget(both, both, options.cohorts, options.size, ppo, models, STEPS, EVERY, rate)


def record(budget: Budget, rows: Mapping[str, Sequence[Cost]], **found: Any) -> dict[str, Any]:
    """Return what is written: all figures, with what made them."""
    packages = ["torch", "numpy", "gymnasium"] + ["stable-baselines3"] * (budget.models > 0)
    return {
        "training": {name: [asdict(cost) for cost in costs] for name, costs in rows.items()},
        "seconds_per_solved": {name: finite(per_solved(costs)) for name, costs in rows.items()},
        "cpu_seconds_per_solved": {name: finite(per_solved(costs, "cpu")) for name, costs in rows.items()},
        **found,
        "budget": asdict(budget),
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "machine": {"cores": os.cpu_count(), "kind": platform.machine()},
        "seeds": {"one core, classic": "0, 1, ...", "two cores": f"{FAR}, {FAR + 1}, ..."},
        "command": sys.argv,
    }


def measured(budget: Budget) -> dict[str, list[Cost]]:
    """Return what every repeat of every row took, one after the other."""
    again, rows = range(budget.cohorts), {}
    for training in budget.alone:
        rows[ONE.format(training)] = [train(budget, training, seed)[0] for seed in again]
    for training in budget.beside:
        rows[TWO.format(training)] = [train_two(budget, training, FAR // 2 + seed) for seed in again]
    if budget.models:
        rows[CLASSIC] = [classic(budget, seed) for seed in range(budget.models)]
    return rows


def finite(value: float) -> float | None:
    """Return the value as JSON can hold it: None for infinity."""
    return value if math.isfinite(value) else None


def main() -> None:
    """Measure, print and write."""
    options = parsed()
    budget = budget_of(options)
    torch.set_num_threads(1)
    rows = measured(budget)
    print("\n".join(table(rows)))
    ratio, meaning = ratios(rows, budget)
    print(f"\n{'ratio':28}{'seconds':>9}{'CPU-s':>9}   {meaning}")
    for name, value in ratio.items():
        print(f"{name:28}{value['seconds']:9.1f}{value['cpu']:9.1f}")
    born = births(REFERENCE, BIOLOGICAL, quick=options.quick)
    print("\n" + "\n".join(lines_of(born)))
    speeds: dict[int, float] = {}
    if options.device == "cpu":
        print("\ncuda: not measured; --device cuda asks for it")
    elif not torch.cuda.is_available():
        print("\ncuda: not measured, no GPU here")
    else:
        speeds = accelerated(options.device, budget.ppo)
        print(f"\ncandidate-steps/s on {torch.cuda.get_device_name()}")
        print("\n".join(f"cohort of {size:<18}{speed:12,.0f}" for size, speed in speeds.items()))
    if options.json:
        plain = {name: {unit: finite(x) for unit, x in value.items()} for name, value in ratio.items()}
        found = {"ratio": plain, "ratio_means": meaning}
        text = json.dumps(record(budget, rows, **found, births=born, cuda_steps_per_s=speeds), indent=2)
        Path(options.json).write_text(text)


if __name__ == "__main__":
    main()

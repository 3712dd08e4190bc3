"""Speed of the batched inner loop: candidate-steps per second on one core.

One candidate-step is one environment step of one candidate, with its share of the learning. The genome is the
reference's: CartPole-v1, 4-128-2, SELU, g = 16 genes, n = 3 transmitters, every chromosome's numbers trained.

    batched    evogen's PPO over cohorts of 1, 8, 32 and 128 candidates: the same mathematics in one process,
               cohort sizes in turn, median of 5 repeats
    classic    one candidate under Stable-Baselines3 in the same process: the reference's DQN with its
               hyperparameters, and PPO with exactly evogen's own hyperparameters (extra `bench`)

`python benchmarks/inner_loop.py [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch

from evogen.connectome.synaptogen import SynaptoGen
from evogen.genome import Gene, Genome, Rules, frozen
from evogen.grammar.plan import Group, Plan, Projection
from evogen.keys import Key
from evogen.learning.ppo import PPO
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.registry import evolvable_fields
from evogen.tasks.cartpole import CartPole

SIZES = (1, 8, 32, 128)
GENES, TRANSMITTERS, HIDDEN = 16, 3, 128


def candidate(key: Key) -> tuple[Genome, Plan]:
    """Return a random genome of the reference's shape and its plan."""
    rng = key.generator()
    O = rng.normal(0, 1 / GENES, (GENES, GENES))
    c = rng.normal(0, 1 / (2**0.5 * TRANSMITTERS), (TRANSMITTERS, 2 * TRANSMITTERS))
    rules = Rules(tuple(range(GENES)), frozen(O), frozen(c))
    module = 1 + 2 * int(rng.integers(2**30))
    genome = Genome(rules, Gene(module + 1, ()), (Gene(module, ()),))
    groups = (
        Group(module + 1, "in", CartPole.inputs),
        Group(module, "l0", HIDDEN, "selu"),
        Group(module + 1, "out", CartPole.outputs),
    )
    return genome, Plan(groups, (Projection(0, 1, module), Projection(1, 2, module)))


def cohort(size: int) -> Phenotype:
    """Return `size` developed candidates."""
    development = Development(SynaptoGen(), {}, Key(0))
    return develop(development, [embryo(development, *candidate(Key(0).child(row))) for row in range(size)])


def learn(size: int, iterations: int) -> float:
    """Return candidate-steps per second of one inner loop."""
    phenotype, learner = cohort(size), PPO(iterations=iterations)
    keys = [Key(1).child(row) for row in range(size)]
    values = {
        field.name: torch.full((size,), float(getattr(learner, field.name)))
        for field in evolvable_fields(PPO)
    }
    start = time.perf_counter()
    fit = learner.fit(phenotype, CartPole(), keys, values)
    return float(fit.steps.sum()) / (time.perf_counter() - start)


def peak_memory(size: int) -> float:
    """Return the peak resident memory in GB of a fresh process that trains one cohort."""
    code = f"import sys; sys.path.insert(0, 'benchmarks'); import inner_loop as b; b.report_memory({size})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def report_memory(size: int) -> None:
    """Train one cohort and print this process's peak resident memory in GB."""
    torch.set_num_threads(1)
    learn(size, 2)
    status = Path("/proc/self/status").read_text()  # not ru_maxrss, which a child inherits from its parent
    print(int(status.split("VmHWM:")[1].split()[0]) / 2**20)


class SynaptoGenNet(torch.nn.Module):
    """The same network for one candidate as a classic module: weights from expression at every pass."""

    def __init__(self, outputs: int = CartPole.outputs) -> None:
        super().__init__()
        genome, plan = candidate(Key(0).child(0))
        development = Development(SynaptoGen(), {}, Key(0))
        one = develop(development, [embryo(development, genome, plan)])
        self._layout, self._tau = one.layout.pairs, one.constants["temperature"]
        values = {name: value for name, value in one.values(one.flat).items() if name != "temperature"}
        self.values = torch.nn.ParameterDict(
            {name.replace(".", "_"): torch.nn.Parameter(value.clone()) for name, value in values.items()}
        )
        self.outputs = outputs

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        """Return (B, outputs)."""
        values = {name.replace("_", "."): value for name, value in self.values.items()}
        first, second = SynaptoGen().weights(values | {"temperature": self._tau}, self._layout)
        hidden = torch.selu(observation.float() @ first[0] + values["1.b"][0])
        return hidden @ second[0] + values["2.b"][0]


def classic_dqn(steps: int = 6000) -> float:
    """Return environment steps per second of the reference's way: one model, DQN, its hyperparameters."""
    import gymnasium
    from stable_baselines3 import DQN

    model = DQN(
        "MlpPolicy", gymnasium.make("CartPole-v1"), learning_rate=3e-3, batch_size=64, buffer_size=100_000,
        learning_starts=1000, gamma=0.99, target_update_interval=10, train_freq=256, gradient_steps=128,
        exploration_fraction=0.16, exploration_final_eps=0.04, seed=0, device="cpu",
    )  # fmt: skip
    model.q_net.q_net, model.q_net_target.q_net = SynaptoGenNet(), SynaptoGenNet()
    model.policy.optimizer = torch.optim.Adam(model.q_net.parameters(), lr=3e-3)
    return _timed(model, steps)


def classic_ppo(steps: int = 4096) -> float:
    """Return environment steps per second of PPO with evogen's own hyperparameters and an equal critic."""
    import stable_baselines3
    from stable_baselines3.common.env_util import make_vec_env

    ours = PPO()
    model = stable_baselines3.PPO(
        "MlpPolicy", make_vec_env("CartPole-v1", ours.environments), learning_rate=ours.learning_rate,
        n_steps=ours.horizon, batch_size=ours.horizon * ours.environments // ours.minibatches,
        n_epochs=ours.epochs, gamma=ours.gamma, gae_lambda=ours.gae_lambda, clip_range=ours.clip_range,
        ent_coef=ours.entropy, max_grad_norm=ours.clip, seed=0, device="cpu",
        policy_kwargs={"net_arch": {"pi": [], "vf": [ours.critic]}},
    )  # fmt: skip
    model.policy.action_net = SynaptoGenNet()
    model.policy.optimizer = torch.optim.Adam(model.policy.parameters(), lr=ours.learning_rate)
    return _timed(model, steps)


def _timed(model: object, steps: int) -> float:
    start = time.perf_counter()
    model.learn(steps)  # type: ignore[attr-defined]
    return model.num_timesteps / (time.perf_counter() - start)  # type: ignore[attr-defined]


def table(speeds: dict[str, list[float]], memory: dict[str, float]) -> list[str]:
    """Return the lines of the table: median, range, ratios, peak memory."""
    one, best = statistics.median(speeds["cohort of 1"]), statistics.median(next(reversed(speeds.values())))
    best = statistics.median(speeds.get("cohort of 32", [best]))
    lines = [f"{'':26}{'steps/s':>9}{'min':>9}{'max':>9}{'x cohort of 1':>15}{'32 over it':>12}{'GB':>7}"]
    for name, each in speeds.items():
        middle = statistics.median(each)
        gigabytes = f"{memory[name]:7.2f}" if name in memory else ""
        lines.append(
            f"{name:26}{middle:9,.0f}{min(each):9,.0f}{max(each):9,.0f}"
            f"{middle / one:15.1f}{best / middle:12.1f}{gigabytes}"
        )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="small cohorts, two repeats, no classic trainer")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sizes, repeats, iterations = ((1, 4), 2, 1) if options.quick else (SIZES, 5, 4)
    runs = {f"cohort of {size}": partial(learn, size, iterations) for size in sizes}
    if not options.quick:
        runs |= {"classic DQN, reference": classic_dqn, "classic PPO, as ours": classic_ppo}
    learn(sizes[0], 1)
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            speeds[name].append(run())
    memory = {f"cohort of {size}": peak_memory(size) for size in sizes}
    print("\n".join(table(speeds, memory)))
    if options.json:
        versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
        record = {
            "steps_per_s": speeds,
            "gb": memory,
            "versions": versions,
            "command": sys.argv,
            "seeds": [0, 1],
        }
        Path(options.json).write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()

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
import resource
import statistics
import subprocess
import sys
import time

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
TARGETS = {"32 over 1": 5.0, "32 over classic": 80.0, "memory GB at 128": 2.0}


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
        field.name: torch.full((size,), float(getattr(learner, field.name))) for field in evolvable_fields(PPO)
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
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)


class SynaptoGenNet(torch.nn.Module):
    """The same network for one candidate, as a classic module: weights from expression at every forward pass."""

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


def classic_dqn(steps: int) -> float:
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


def classic_ppo(steps: int) -> float:
    """Return environment steps per second of PPO with evogen's own hyperparameters and an equal critic."""
    from stable_baselines3 import PPO as ClassicPPO
    from stable_baselines3.common.env_util import make_vec_env

    ours = PPO()
    model = ClassicPPO(
        "MlpPolicy", make_vec_env("CartPole-v1", ours.environments), learning_rate=ours.learning_rate,
        n_steps=ours.horizon, batch_size=ours.horizon * ours.environments // ours.minibatches,
        n_epochs=ours.epochs, gamma=ours.gamma, gae_lambda=ours.gae_lambda, clip_range=ours.clip_range,
        ent_coef=ours.entropy, max_grad_norm=ours.clip, vf_coef=ours.value_weight, seed=0, device="cpu",
        policy_kwargs={"net_arch": {"pi": [], "vf": [ours.critic]}},
    )  # fmt: skip
    model.policy.action_net = SynaptoGenNet()
    model.policy.optimizer = torch.optim.Adam(model.policy.parameters(), lr=ours.learning_rate)
    return _timed(model, steps)


def _timed(model: object, steps: int) -> float:
    start = time.perf_counter()
    model.learn(steps)  # type: ignore[attr-defined]
    return model.num_timesteps / (time.perf_counter() - start)  # type: ignore[attr-defined]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small cohorts, two repeats, no classic trainer")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    sizes, repeats, iterations = ((1, 4), 2, 1) if options.quick else (SIZES, 5, 4)
    learn(sizes[0], 1)
    speeds: dict[int, list[float]] = {size: [] for size in sizes}
    classic: dict[str, list[float]] = {} if options.quick else {"DQN (reference)": [], "PPO (ours)": []}
    for _ in range(repeats):
        for size in sizes:
            speeds[size].append(learn(size, iterations))
        if classic:
            classic["DQN (reference)"].append(classic_dqn(6000))
            classic["PPO (ours)"].append(classic_ppo(4096))
    memory = {size: peak_memory(size) for size in sizes}
    one = statistics.median(speeds[sizes[0]])
    rows = []
    print(f"{'':24}{'steps/s':>10}{'min':>10}{'max':>10}{'x cohort of 1':>15}{'GB':>7}")
    for size in sizes:
        middle = statistics.median(speeds[size])
        low, high = min(speeds[size]), max(speeds[size])
        rows.append({"cohort": size, "steps_per_s": speeds[size], "gb": memory[size]})
        print(f"cohort of {size:<14}{middle:>10,.0f}{low:>10,.0f}{high:>10,.0f}{middle / one:>15.1f}{memory[size]:>7.2f}")
    for name, each in classic.items():
        middle = statistics.median(each)
        rows.append({"classic": name, "steps_per_s": each})
        ratio = statistics.median(speeds[32]) / middle
        print(f"{'classic ' + name:24}{middle:>10,.0f}{min(each):>10,.0f}{max(each):>10,.0f}   cohort of 32: {ratio:.0f} x")
    if options.json:
        versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
        record = {"rows": rows, "versions": versions, "command": sys.argv, "seeds": [0, 1], "targets": TARGETS}
        with open(options.json, "w") as file:
            json.dump(record, file, indent=2)


if __name__ == "__main__":
    main()

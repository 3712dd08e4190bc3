"""What plasticity costs: a plastic life against the same life with static weights, on one core.

32 candidates live 64 episodes of CartPole each, 200 steps, in a network 4-64-2; in the second table the 64
hidden units also hear each other. Every synapse follows the rule. Both lives run in turn in one process, step
by step with their environments; a life's time is the sum over its steps of the fastest repeat, and a rule's
ratio is to the static life of the same network. A life's memory follows from the shapes:

    bytes = 4 P B (sum over links and memories of the rule: pre post, pre or post)

and stands beside what the state of a life takes, and beside the peak of a process that lives it.

`python benchmarks/plasticity.py [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evogen.connectome.direct import Direct
from evogen.genome import Gene, Genome
from evogen.grammar.plan import Group, Plan, Projection
from evogen.keys import Key
from evogen.phenotype import Development, Network, develop, embryo
from evogen.plasticity import Extent
from evogen.plasticity.local import Local
from evogen.registry import known
from evogen.tasks.cartpole import CartPole

CANDIDATES, EPISODES, STEPS, HIDDEN = 32, 64, 200, 64
BELOW = 6.0  # the promise: so many times the time of a static life, at most
LOCAL: Mapping[str, Local] = {
    "Hebb": Local(("A", "clamp")),
    "ABCD, decay": Local(("A", "B", "C", "D", "decay", "clamp")),
    "Oja": Local(("A", "oja")),
    "BCM": Local(("A", "bcm", "clamp")),
    "STDP": Local(("A", "clamp"), factors="stdp"),
    "eligibility, modulator": Local(("A", "eligibility", "clamp"), modulator="global", eligible="before"),
    "short-term": Local(("short",)),
    "ABCD, max norm": Local(("A", "B", "C", "D"), norm="max"),
    "STDP, reserve": Local(("A", "range", "reserve"), factors="stdp"),
}
RULES = ("static", *LOCAL, "rule abcd")
NETWORKS = ("4-64-2", "4-64-2, recurrent")


def network(rule: str, shape: str, candidates: int = CANDIDATES) -> Network:
    """Return the candidates' networks, born alike in all arms."""
    kind = {"static": "none", "rule abcd": "abcd"}.get(rule, "local")
    own = LOCAL.get(rule, Local())
    rules = {name: part() for name, part in known("rule").items()} | {"local": own}
    development = Development(Direct(), rules, Key(0))
    groups = (
        Group(1, "in", CartPole.inputs),
        Group(3, "l0", HIDDEN, "tanh"),
        Group(1, "out", CartPole.outputs),
    )
    links = [Projection(0, 1, 3, rule=kind), Projection(1, 2, 3, rule=kind)]
    links += [Projection(1, 1, 3, rule=kind)] if shape == NETWORKS[1] else []
    genome = Genome(None, Gene(1, ()), (Gene(3, ()),))
    found = develop(development, [embryo(development, genome, Plan(groups, tuple(links)))] * candidates)
    return found.network(found.flat).detach()


def predicted(rule: str, shape: str, candidates: int = CANDIDATES) -> int:
    """Return the bytes that plasticity remembers, from the shapes alone."""
    own = Local(("A",)) if rule == "rule abcd" else LOCAL.get(rule)
    if own is None:
        return 0
    pairs = [(CartPole.inputs, HIDDEN), (HIDDEN, CartPole.outputs)]
    pairs += [(HIDDEN, HIDDEN)] if shape == NETWORKS[1] else []
    numbers = 0
    for pre, post in pairs:
        size = {Extent.SYNAPSE: pre * post, Extent.PRE: pre, Extent.POST: post}
        numbers += sum(size[extent] for extent in own.memory.values())
    return 4 * candidates * EPISODES * numbers


@torch.no_grad()
def live(agents: Network, steps: int) -> np.ndarray:
    """Return the seconds of each step of one life, environments and all."""
    task, seconds = CartPole(episodes=EPISODES), np.zeros(steps)
    keys = [Key(1).child(row) for row in range(agents.rows)]
    played, state = task.start(keys, EPISODES, agents.device, again=True), agents.start(EPISODES)
    for step in range(steps):
        start = time.perf_counter()
        output, state = agents.live(played.observation.to(agents.dtype), state)
        played.step(task.act(output))
        seconds[step] = time.perf_counter() - start
    assert bool(output.isfinite().all())
    return seconds


def remembered(agents: Network) -> int:
    """Return the bytes of the fast weights and all else that rules remember in a life."""
    state = agents.start(EPISODES)
    return sum(part.numel() * part.element_size() for name, part in state.items() if ">" not in name)


def peak(rule: str, shape: str, steps: int) -> float:
    """Return the peak resident megabytes of a fresh process that lives this life."""
    code = "import sys; sys.path.insert(0, 'benchmarks'); import plasticity as b; "
    code += f"b.report({rule!r}, {shape!r}, {steps})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def report(rule: str, shape: str, steps: int) -> None:
    """Live once and print this process's peak resident memory in MB."""
    torch.set_num_threads(1)
    live(network(rule, shape), steps)
    status = Path("/proc/self/status").read_text()  # not ru_maxrss, which a child inherits from its parent
    print(int(status.split("VmHWM:")[1].split()[0]) / 1024)


def compare(shape: str, steps: int, repeats: int, rules: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return what each rule's life takes in a network."""
    agents = {rule: network(rule, shape) for rule in rules}
    fastest = {rule: np.full(steps, np.inf) for rule in rules}
    for _ in range(repeats):
        for rule in rules:
            fastest[rule] = np.minimum(fastest[rule], live(agents[rule], steps))
    found = {}
    for rule in rules:
        seconds = float(fastest[rule].sum())
        found[rule] = {
            "seconds": seconds,
            "ratio": seconds / float(fastest["static"].sum()),
            "predicted_bytes": predicted(rule, shape),
            "bytes": remembered(agents[rule]),
            "peak_mb": peak(rule, shape, min(steps, 20)),
        }
        assert found[rule]["bytes"] == found[rule]["predicted_bytes"], rule
    return found


def table(shape: str, found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the lines of a network's table."""
    lines = [f"{shape:26}{'s a life':>10}{'x static':>10}{'MB foreseen':>13}{'MB':>8}{'peak - static':>15}"]
    for rule, row in found.items():
        foreseen, real = row["predicted_bytes"] / 2**20, row["bytes"] / 2**20
        more = row["peak_mb"] - found["static"]["peak_mb"]
        lines.append(
            f"{rule:26}{row['seconds']:10.3f}{row['ratio']:10.2f}{foreseen:13.1f}{real:8.1f}{more:15.1f}"
        )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="ten steps, one network, three rules")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    steps, repeats, shapes = (10, 2, NETWORKS[:1]) if options.quick else (STEPS, 3, NETWORKS)
    rules = ("static", "Hebb", "rule abcd") if options.quick else RULES
    found = {shape: compare(shape, steps, repeats, rules) for shape in shapes}
    for shape in shapes:
        print("\n".join([*table(shape, found[shape]), ""]))
    hebb = found[NETWORKS[0]]["Hebb"]["ratio"]
    print(f"{NETWORKS[0]}, Hebb: {hebb:.2f} times a static life (promised: {BELOW:g} at most)")
    if options.json:
        versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
        record = {"steps": steps, "lives": found, "versions": versions, "command": sys.argv, "seeds": [0, 1]}
        Path(options.json).write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()

"""Speed of the way from codons to a network, for genomes whose genes are neurons, on one core.

    decode     codons to sentences
    plan       codons to a plan: decoding and the structure's wiring
    develop    plans to one batched network of the cohort, ready to learn
    floor      what no way of developing can leave out: drawing the cohort's innate numbers and laying out its
               padded tensors, without looking at any gene
    learn      the inner loop of searchspaces/neurons.yaml over the same networks (iris, 40 epochs)
    share      of plan and develop in the time of learn

in genomes per second, for cohorts of random genomes of 20 neurons in each of the five structures
(grammars/neurons.bnf: every neuron chooses its own sources). Then one genome of 10 to 10,000 neurons:
microseconds and peak memory a neuron. The weights between two hidden layers are one padded matrix, whoever is
connected, so that structures of several layers take memory with the square of their width; they end at 1,000.

Times are CPU seconds of this process, which uses one thread.

`python benchmarks/grammar.py [--quick] [--json FILE]`
"""

from __future__ import annotations

import argparse
import itertools
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evogen.connectome.direct import Direct
from evogen.draws import mixed, normal
from evogen.genome import Genome
from evogen.grammar import load
from evogen.grammar.architecture import plan_of
from evogen.grammar.plan import Plan
from evogen.grammar.sentence import sentence
from evogen.keys import Key
from evogen.learning.supervised import Supervised
from evogen.phenotype import Development, Phenotype, develop, embryo
from evogen.registry import evolvable_fields
from evogen.space import ArchitectureSpace
from evogen.tasks.table import Table
from evogen.variation.sample import genes

STRUCTURES = ("flat", "layered", "modules", "coupled", "layered-modules")
SCALED = {"flat": 10_000, "modules": 10_000, "layered-modules": 1_000, "layered": 1_000}
NEURONS, COHORT, EPOCHS, BATCH = 20, 128, 40, 15  # the last two: searchspaces/neurons.yaml
GRAMMAR = load(Path(__file__).parent.parent / "grammars" / "neurons.bnf")


@dataclass(frozen=True)
class Bench:
    """A cohort of random genomes of one structure, and its ways to a network."""

    space: ArchitectureSpace
    genomes: tuple[Genome, ...]
    development: Development

    def decode(self) -> int:
        """Return how many words and numbers the sentences of all genomes have."""
        space, leaves = self.space, 0
        for genome in self.genomes:
            contexts: dict[tuple[int, int], Any] = {}
            for gene in genome.architecture:
                place = gene.module, gene.layer
                if place not in contexts:
                    contexts[place] = space.context(*place, genome.architecture)
                leaves += len(sentence(space.grammar, space.start, gene.codons, contexts[place]))
        return leaves

    def plan(self) -> list[Plan]:
        """Return the plans of all genomes."""
        return [plan_of(self.space, one, self.space.inputs, self.space.outputs) for one in self.genomes]

    def develop(self, plans: Sequence[Plan]) -> Phenotype:
        """Return the cohort's one phenotype."""
        formed = [
            embryo(self.development, genome, plan) for genome, plan in zip(self.genomes, plans, strict=True)
        ]
        return develop(self.development, formed)

    def learn(self, phenotype: Phenotype, epochs: int) -> None:
        """Train the cohort for so many epochs."""
        learner = Supervised(epochs=epochs, batch=BATCH)
        keys = [Key(2).child(row) for row in range(phenotype.rows)]
        values = {
            field.name: torch.full((phenotype.rows,), float(getattr(learner, field.name)))
            for field in evolvable_fields(Supervised)
        }
        learner.fit(phenotype, Table(), keys, values)


def bench(structure: str, neurons: int, cohort: int) -> Bench:
    """Return a cohort of random genomes."""
    space = ArchitectureSpace(
        GRAMMAR,
        start="coupled" if structure == "coupled" else "neuron",
        structure=structure,  # type: ignore[arg-type]
        min_modules=neurons,
        initial_modules=neurons,
        max_modules=neurons,
        inputs=Table().inputs,
        outputs=Table().outputs,
    )
    found = []
    for row in range(cohort):
        interface, *own = genes(space, Key(0).child(structure, row), itertools.count(1 + row * 2 * neurons))
        found.append(Genome(None, interface, tuple(own)))
    return Bench(space, tuple(found), Development(Direct(), {}, Key(1)))


def floor(phenotype: Phenotype) -> None:
    """Draw as many numbers as the cohort has synapses, and make its padded tensors."""
    synapses = sum(int(mask.sum()) for mask in phenotype.masks)
    normal(mixed(mixed(mixed(1, np.arange(synapses)), 2), 3))
    for shape in (phenotype.flat.shape, *(mask.shape for mask in phenotype.masks)):
        torch.from_numpy(np.zeros(shape)).float()


def timed(work: Callable[[], object], repeats: int) -> float:
    """Return the median CPU seconds of one call."""
    work()
    found = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return statistics.median(found)


def rates(structure: str, cohort: int, repeats: int) -> dict[str, float]:
    """Return genomes per second by step, and the share of plan and develop in the inner loop's time."""
    one = bench(structure, NEURONS, cohort)
    plans = one.plan()
    phenotype = one.develop(plans)
    phenotype = replace(phenotype, flat=phenotype.flat.clone())
    seconds = {
        "decode": timed(one.decode, repeats),
        "plan": timed(one.plan, repeats),
        "develop": timed(lambda: one.develop(plans), repeats),
        "both": timed(lambda: one.develop(one.plan()), repeats),
        "floor": timed(lambda: floor(phenotype), repeats),
        "learn": timed(lambda: one.learn(phenotype, EPOCHS), max(1, repeats // 10)),
    }
    return {name: cohort / took for name, took in seconds.items()} | {
        "share of learning": seconds["both"] / seconds["learn"]
    }


def scale(structure: str, neurons: int, repeats: int) -> dict[str, float]:
    """Return microseconds a neuron by step, and KB of peak memory a neuron, of one genome."""
    one = bench(structure, neurons, 1)
    plans = one.plan()
    seconds = {"plan": timed(one.plan, repeats), "develop": timed(lambda: one.develop(plans), repeats)}
    return {name: 1e6 * took / neurons for name, took in seconds.items()} | {
        "kb": peak_memory(structure, neurons)
    }


def peak_memory(structure: str, neurons: int) -> float:
    """Return the KB that planning and developing add to the peak of a fresh process, a neuron."""
    code = (
        "import sys; sys.path.insert(0, 'benchmarks'); import grammar as b; "
        f"b.report_memory({structure!r}, {neurons})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout) / neurons


def report_memory(structure: str, neurons: int) -> None:
    """Print by how many KB one genome raises the peak resident memory of this process."""
    torch.set_num_threads(1)
    bench(structure, 4, 1).develop(bench(structure, 4, 1).plan())
    one = bench(structure, neurons, 1)
    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what there is
    before = _peak()
    one.develop(one.plan())
    print(_peak() - before)


def _peak() -> int:
    status = Path("/proc/self/status").read_text()  # not ru_maxrss, which a child inherits from its parent
    return int(status.split("VmHWM:")[1].split()[0])


def table(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the lines of genomes per second, and of the inner loop's share."""
    columns = ("decode", "plan", "develop", "both", "floor", "learn")
    heads = "".join(f"{name:>10}" for name in ("decode", "plan", "develop", "plan+dev", "floor", "learn"))
    lines = [f"{'genomes/s':18}{heads}{'share':>8}"]
    for structure, one in found.items():
        each = "".join(f"{one[name]:10,.0f}" for name in columns)
        lines.append(f"{structure:18}{each}{one['share of learning']:8.1%}")
    return lines


def scaling(found: dict[str, dict[int, dict[str, float]]]) -> list[str]:
    """Return the lines of time and memory a neuron."""
    heads = f"{'us plan':>10}{'us develop':>12}{'us both':>10}{'peak KB':>10}"
    lines = ["", f"{'a neuron':18}{'neurons':>9}{heads}"]
    for structure, sizes in found.items():
        for neurons, one in sizes.items():
            both = one["plan"] + one["develop"]
            lines.append(
                f"{structure:18}{neurons:9,}{one['plan']:10.1f}{one['develop']:12.1f}{both:10.1f}{one['kb']:10.1f}"
            )
    return lines


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="a small cohort, two structures, 100 neurons")
    parser.add_argument("--json", metavar="FILE", help="write what is printed there")
    options = parser.parse_args()
    torch.set_num_threads(1)
    structures, cohort, repeats = (("flat", "modules"), 8, 2) if options.quick else (STRUCTURES, COHORT, 20)
    found = {structure: rates(structure, cohort, repeats) for structure in structures}
    print(f"cohorts of {cohort} genomes of {NEURONS} neurons; learning: iris, {EPOCHS} epochs")
    print("\n".join(table(found)))
    largest = {"flat": 100} if options.quick else SCALED
    sizes = {
        structure: {
            neurons: scale(structure, neurons, repeats // 2)
            for neurons in (10, 100, 1_000, 10_000)
            if neurons <= largest[structure]
        }
        for structure in largest
    }
    print("\n".join(scaling(sizes)))
    if options.json:
        versions = {"torch": torch.__version__, "numpy": np.__version__, "python": platform.python_version()}
        record = {"genomes_per_s": found, "a_neuron": sizes, "cohort": cohort, "neurons": NEURONS}
        record |= {"versions": versions, "command": sys.argv, "seeds": [0, 1, 2]}
        Path(options.json).write_text(json.dumps(record, indent=2))


if __name__ == "__main__":
    main()

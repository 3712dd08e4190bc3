"""The grammar and the experiment that every search of the study starts from; both lie in its folder.

What differs between sets, seeds and arms is set on top, as `--set` would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from evogen.studies.grammar.arms import Arm
from evogen.studies.grammar.sets import FOLDS, Size

GRAMMAR = """\
# Neuron groups for telling classes apart: a gene is a group of one to eight neurons of one kind.

<group> @type(neurons) ::= group:neurons [size,choice,1,1,2,4,8] <act> <ways> <readout>
<act>     ::= act:relu | act:square | act:gauss | act:sin | act:identity
<ways>    ::= conn:full <from> | conn:sparse [density,float,1,0.1,1.0] <from>
<from>    ::= from:all {2} | from:inputs | from:below
<readout> ::= readout:sum {2} | readout:sum couple:to <module>      # couple:to counts in coupled modules only
<module> @dynamic(modules) ::= ...

# All groups in one sentence, for the flat mapping.

<net> @type(net) ::= <cell> | <cell> <net> {12}
<cell> ::= at:cell <module> <group>

# The plain network that stands beside them.

<mlp> @type(module) ::= layer:dense [width,int,1,4,64] <mlp-act> conn:full neuron:rate plastic:none
                        readout:sum conn:full plastic:none
<mlp-act> ::= act:relu | act:tanh
"""
SEARCH = """\
name: grammar
task: {kind: table, file: iris, folds: 5, measure: log-loss}
wiring: direct
architecture: {grammar: classify.bnf, start: group}
learner:
  kind: supervised
  learning_rate: {log: [0.003, 0.03]}
  weight_decay: {log: [0.01, 3.0]}
  noise: {uniform: [0.0, 0.5]}
strategy: {kind: genetic, elite: 2, tournament: 3, mutate_codon: 0.8, resize_architecture: 0.3}
search: {lookahead: 1}
"""
SIZE, DENSITY = 3.75, 0.7  # neurons of a new group, and share of its ways in, on average


def written(folder: Path) -> Path:
    """Write both files and return the experiment's."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("classify.bnf", GRAMMAR), ("search.yaml", SEARCH)):
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return folder / "search.yaml"


def settings(name: str, size: Size, arm: Arm, seed: int, *, cohorts: int, cohort_size: int) -> list[str]:
    """Return what a search sets on top of the file, `PATH=VALUE` each.

    Args:
        name: of the set.
        size: of the set.
        arm: whose search it is.
        seed: of the split, and root of the search's randomness.
        cohorts: of a search that is no multiple of it.
        cohort_size: candidates of each.
    """
    found = {
        "seed": seed,
        "task.file": name,
        "task.folds": FOLDS,
        "task.split_seed": seed,
        "architecture.start": arm.start,
        "search.cohorts": cohorts * arm.shares,
        "search.cohort_size": cohort_size,
        **dict(_learner(size, arm)),
        **_genes(size, arm),
    }
    if arm.strategy == "random":
        found["strategy"] = "random"
    else:
        found["strategy.population"] = cohort_size
    return [f"{path}={value}" for path, value in found.items()]


def _learner(size: Size, arm: Arm) -> Iterator[tuple[str, object]]:
    yield "inheritance", "baldwinian" if arm.weights == "trained" else "lamarckian"
    if arm.weights == "evolved":
        yield "learner", "none"
    else:
        yield "learner.epochs", size.epochs
        yield "learner.batch", size.batch


def _genes(size: Size, arm: Arm) -> Mapping[str, object]:
    """Return bounds on genomes: new ones have about as many weights as the bound on a winner's allows."""
    if arm.start == "mlp":
        return {}
    outputs = size.classes if arm.structure in ("flat", "layered") else 1.5
    neurons = size.limit / (size.inputs * DENSITY + 1 + outputs)
    most = max(size.classes, 3, round(neurons / SIZE))
    genes = {
        "architecture.structure": arm.structure,
        "architecture.weights": arm.weights,
        "search.constraints": f"{{parameters: {{at_most: {size.limit}}}}}",
    }
    if arm.mapping == "genes":
        return genes | {
            "architecture.min_modules": 2,
            "architecture.initial_modules": most,
            "architecture.max_modules": 2 * most,
        }
    return genes | {"architecture.mapping": arm.mapping}

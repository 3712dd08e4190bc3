"""A small experiment, in files."""

from __future__ import annotations

from pathlib import Path

GRAMMAR = """\
<reflex> @type(module) ::= layer:dense [width,int,1,2,4] act:tanh readout:sum <rule>
<rule> ::= plastic:none | plastic:abcd
"""
EXPERIMENT = """\
task: {kind: cartpole, episodes: 1, report_episodes: 1}
wiring: synaptogen
birth: {agents: 2}
rules: {genes: 4, min_genes: 2, max_genes: 8}
architecture: {grammar: small.bnf, start: reflex}
plasticity:
  abcd: {eta: {log: [1e-3, 0.5]}, A: {uniform: [-1, 1]}, decay: 0.1}
learner: none
strategy: {kind: genetic, population: 4}
search: {cohorts: 3, cohort_size: 4}
"""


def write(folder: Path, *, experiment: str = EXPERIMENT, grammar: str = GRAMMAR) -> Path:
    """Write both files and return the path of the experiment's."""
    (folder / "small.bnf").write_text(grammar)
    path = folder / "small.yaml"
    path.write_text(experiment)
    return path

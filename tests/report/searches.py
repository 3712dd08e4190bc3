"""Run folders with real genomes and invented evaluations, and a page taken apart."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np

import evogen
from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.evaluators import Result
from evogen.genome import frozen
from evogen.grammar.modules import plan
from evogen.keys import Key
from evogen.runs import Run
from evogen.variation.sample import sample

GRAMMAR = """\
<any> @type(module) ::= <layers> readout:sum <conn> <rule>
<layers> ::= <layer> | <layer> <layers>
<layer> ::= layer:dense [width,int,1,4,32] act:tanh <conn> <neuron> <rule>
<conn> ::= conn:full | conn:sparse [density,float,1,0.2,0.9]
<neuron> ::= neuron:rate | neuron:leaky [tau,log,1,1,20]
<rule> ::= plastic:none | plastic:abcd
"""
CONTROL = """\
name: walk
seed: 7
task: {kind: cartpole, episodes: 1}
wiring: synaptogen
birth: {agents: 4}
rules: {genes: 12, min_genes: 4, max_genes: 16}
architecture: {grammar: any.bnf, start: any, initial_modules: 3, max_modules: 4}
plasticity:
  abcd: {eta: {log: [1e-3, 0.5]}, A: {uniform: [-1, 1]}}
learner: ppo
strategy: random
search: {cohorts: 3, cohort_size: 6}
"""
CLASSIFIED = CONTROL.replace("{kind: cartpole, episodes: 1}", "digits").replace("ppo", "supervised")
DIRECT = CONTROL.replace("wiring: synaptogen", "wiring: direct").replace(
    "rules: {genes: 12, min_genes: 4, max_genes: 16}\n", ""
)
ENVIRONMENT = {
    "command": "evogen run walk.yaml",
    "device": "cpu",
    "git": None,
    "versions": {"torch": "2.13.0"},
}
VOID = {"meta", "link", "br", "img", "input", "hr"}


def create(folder, text=CONTROL, *, environment=ENVIRONMENT):
    """Return an empty run of this experiment, open for writing."""
    (folder.parent / "any.bnf").write_text(GRAMMAR)
    (folder.parent / "spec.yaml").write_text(text)
    experiment = evogen.load(folder.parent / "spec.yaml")
    files = {"grammar.bnf": experiment.grammar.encode()}
    run = Run.create(folder, experiment=experiment.yaml, files=files, environment=environment)
    return run, experiment


def fill(run, experiment, cohorts, *, ends=lambda ref: Outcome.OK, message="boom"):
    """Commit cohorts; each child has two parents in the cohort before."""
    for index in range(run.told, run.told + cohorts):
        refs = [Ref(index, row) for row in range(experiment.search.cohort_size)]
        individuals = tuple(_individual(experiment, ref) for ref in refs)
        evaluations = tuple(
            _evaluation(experiment, individual.genome, ref, ends(ref), message)
            for ref, individual in zip(refs, individuals, strict=True)
        )
        run.commit(Cohort(index, individuals), Result(index, evaluations, 1.5, "here"))


def _individual(experiment, ref):
    genome = sample(experiment.space, Key(experiment.seed), ref)
    parents = tuple(Ref(ref.cohort - 1, row) for row in (ref.row, 0)) if ref.cohort else ()
    return Individual(
        genome, tuple(dict.fromkeys(parents)), "crossover+rules.gaussian" if parents else "random"
    )


def _evaluation(experiment, genome, ref, outcome, message):
    if outcome is not Outcome.OK:
        return Evaluation(outcome, message=message)
    random = Key(3).child(*ref).generator()
    level = 20.0 + 10 * ref.cohort + 8 * random.random()
    scores = tuple(level + random.normal(size=experiment.birth.agents))
    curve = tuple(level * (1 - np.exp(-np.arange(10 + ref.row) / 4)))
    tuned, rules = _tuned(experiment, genome, random)
    return Evaluation(
        outcome,
        fitness=math.fsum(scores) / len(scores),
        scores=scores,
        metrics={"expected_score": level},
        curve=curve,
        steps=1000,
        tuned=tuned,
        tuned_rules=rules,
    )


def _tuned(experiment, genome, random):
    space, task = experiment.space.architecture, experiment.task
    found = plan(genome, space.grammar, start=space.start, inputs=task.inputs, outputs=task.outputs)
    tuned = {gene.innovation: {} for gene in genome.genes()}
    if genome.rules is None:
        for link in found.projections:
            pre, post = found.groups[link.pre], found.groups[link.post]
            tuned[link.gene][f"{pre.name}>{post.name}.W"] = frozen(random.normal(size=(pre.size, post.size)))
        return tuned, {}
    g, n = len(genome.rules.genes), genome.rules.c.shape[0]
    for group in found.groups:
        for symbol, width in (("X", g), ("T", n), ("R", 2 * n)):
            tuned[group.gene][f"{group.name}.{symbol}"] = frozen(random.normal(size=(group.size, width)))
    return tuned, {"O": frozen(random.normal(size=(g, g))), "c": genome.rules.c}


@dataclass
class Page(HTMLParser):
    """A page taken apart: `tags` as (name, attributes), and all `text` but that of style and script."""

    source: str
    tags: list = field(default_factory=list)
    words: list = field(default_factory=list)
    open: list = field(default_factory=list)
    inside: dict = field(default_factory=dict)

    def __post_init__(self):
        super().__init__()
        self.feed(self.source)
        self.close()
        assert self.open == [], "tags that were never closed"

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))

    def named(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        where = self.open[-1] if self.open else ""
        if where in ("style", "script"):
            self.inside[where] = data
        else:
            self.words.append(data)

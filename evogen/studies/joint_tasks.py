"""The searches of the joint study: one a task, in which rules, architecture and plasticity can all evolve.

`digits-life` learns in life by a local rule, without a gradient; `cartpole` learns by PPO before its life and
by the same rule in it; `digits` is trained by a gradient alone. No child inherits what its parents learnt, so
that whatever is better was born better. The search of CartPole is that of searchspaces/joint.yaml.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GRAMMAR_FILE = "modules.bnf"
# From grammars/modules.bnf, which an installed package does not carry.
GRAMMAR = """\
<act>     ::= act:tanh {2} | act:relu | act:selu | act:sigmoid
<conn>    ::= conn:full {3} | conn:sparse [density,float,1,0.2,1.0]
<reflex> @type(module) ::= <reflex-layers> <reflex-readout>
<reflex-layers>  ::= <reflex-layer> {3} | <reflex-layer> <reflex-layer>
<reflex-layer>   ::= layer:dense [width,int,1,8,64] <act> <conn> neuron:rate plastic:none
<reflex-readout> ::= readout:sum <conn> plastic:none
<hebbian> @type(module) ::= <hebbian-layers> <hebbian-readout>
<hebbian-layers>  ::= <hebbian-layer> {2} | <hebbian-layer> <hebbian-layers>
<hebbian-layer>   ::= layer:dense [width,int,1,8,64] <act> <conn> neuron:rate <hebbian-or-not>
<hebbian-or-not>  ::= plastic:none {2} | plastic:abcd
<hebbian-readout> ::= readout:sum <conn> plastic:abcd
"""
_RULES = "rules: {genes: 12, min_genes: 6, max_genes: 20, transmitters: 3}"
_HEBBIAN = f"architecture: {{grammar: {GRAMMAR_FILE}, start: hebbian, max_modules: 2}}"
_ABCD = """\
plasticity:
  abcd:
    eta: {log: [0.0001, 0.1]}
    A: {uniform: [-1.0, 1.0]}
    B: {uniform: [-0.2, 0.2]}
    C: {uniform: [-0.2, 0.2]}
    D: {uniform: [-0.05, 0.05]}
    decay: {log: [0.0001, 0.1]}
    oja: {uniform: [0.0, 1.0]}
    bound: {log: [0.01, 1.0]}"""
_SEARCH = """\
strategy: {kind: genetic, population: 12, elite: 2, tournament: 3}
inheritance: baldwinian
search: {cohorts: 12, cohort_size: 12}
"""
_FEW_SYNAPSES = "degree: 100, counts: poisson, conductance: drawn"


@dataclass(frozen=True)
class World:
    """A task of the study and its search.

    Attributes:
        name: for the command line.
        score: what the final score is, in words.
        search: the experiment file in which all three chromosomes evolve.
        defaults: settings that hold plasticity at the declared defaults of the rule and the learner.
        steps: environment steps, examples or lessons of one candidate's inner loop or lessons.
        what: what they are called.
        gradients: gradient steps of one candidate's inner loop.
        decimals: of a score in the table.
    """

    name: str
    score: str
    search: str
    defaults: tuple[str, ...]
    steps: int
    what: str
    gradients: int
    decimals: int


DIGITS_LIFE = World(
    "digits-life",
    "accuracy on the test fold after a new life of lessons",
    f"""\
name: joint
task: {{kind: digits-life, lessons: 100, lives: 2, questions: 50}}
wiring: synaptogen
birth: {{agents: 2, degree: 1.0e5}}
{_RULES}
{_HEBBIAN}
{_ABCD}
learner: none
{_SEARCH}""",
    ("plasticity={}",),
    steps=2 * 2 * 100,
    what="lessons",
    gradients=0,
    decimals=3,
)
CARTPOLE = World(
    "cartpole",
    "return in Gymnasium's CartPole-v1, at most 500",
    f"""\
name: joint
task: {{kind: cartpole, episodes: 2}}
wiring: synaptogen
birth: {{agents: 4, {_FEW_SYNAPSES}}}
{_RULES}
{_HEBBIAN}
{_ABCD}
learner:
  kind: ppo
  learning_rate: {{log: [0.005, 0.05]}}
  entropy: {{log: [0.0001, 0.02]}}
  gae_lambda: {{uniform: [0.8, 0.98]}}
  iterations: 3
  environments: 8
  horizon: 32
  epochs: 2
  minibatches: 1
{_SEARCH}""",
    ("plasticity={}", "learner.learning_rate=0.01", "learner.entropy=0", "learner.gae_lambda=0.95"),
    steps=3 * 8 * 32,
    what="environment steps",
    gradients=3 * 2,
    decimals=1,
)
DIGITS = World(
    "digits",
    "balanced accuracy on the test fold",
    f"""\
name: joint
task: {{kind: table, file: digits}}
wiring: synaptogen
birth: {{agents: 4, {_FEW_SYNAPSES}}}
{_RULES}
architecture: {{grammar: {GRAMMAR_FILE}, start: reflex, max_modules: 2}}
learner:
  kind: supervised
  learning_rate: {{log: [0.002, 0.2]}}
  noise: {{uniform: [0.0, 1.0]}}
  epochs: 4
  batch: 32
{_SEARCH}""",
    ("learner.learning_rate=0.01", "learner.noise=0"),
    steps=4 * 33 * 32,
    what="examples",
    gradients=4 * 33,
    decimals=3,
)
WORLDS: Mapping[str, World] = {world.name: world for world in (DIGITS_LIFE, CARTPOLE, DIGITS)}

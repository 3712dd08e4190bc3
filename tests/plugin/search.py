"""Find the parts of another distribution by name, hold them to their contracts, evaluate a cohort."""

from evogen.cohort import Cohort, Outcome
from evogen.connectome.birth import Birth
from evogen.evaluation import Problem, evaluate
from evogen.grammar import parse
from evogen.keys import Key
from evogen.registry import PACKAGES, find, known
from evogen.space import ArchitectureSpace, Log, RulesSpace, SearchSpace
from evogen.strategies import Scene
from evogen.testing import contract

GRAMMAR = parse(
    """
    <module> @type(module) ::= layer:dense [width,int,1,2,9] act:tanh neuron:outside [theta,float,1,0,1]
                               plastic:outside readout:sum
    """
)

parts = {kind: find(kind, "outside")() for kind in PACKAGES}
facts = [(fact, part) for kind, part in parts.items() for fact in contract(kind, part)]
for fact, part in facts:
    fact(part)

space = SearchSpace(
    RulesSpace(genes=6),
    ArchitectureSpace(GRAMMAR),
    {"learner.rate": Log(0.1, 1.0), "rule.outside.eta": Log(0.1, 1)},
)
problem = Problem(
    space=space,
    task=parts["task"],
    learner=parts["learner"],
    wiring=parts["wiring"],
    rules={name: rule() for name, rule in known("rule").items()},
    birth=Birth(agents=2),
    key=Key(1),
    metrics=(parts["metric"],),
)
strategy = parts["strategy"]
asked = strategy.ask(strategy.start(), 0, 4, scene=Scene(space, {}.__getitem__, Key(2), Key(2)))
found = evaluate(problem, Cohort(0, asked))
assert {one.outcome for one in found} == {Outcome.OK}, found
assert len({one.fitness for one in found}) == 4
assert all(one.metrics["squares"] > 0 for one in found)
print(f"{len(facts)} facts hold")

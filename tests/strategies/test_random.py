from evogen.cohort import Ref
from evogen.genome import Genome
from evogen.grammar import parse
from evogen.keys import Key
from evogen.space import ArchitectureSpace, SearchSpace, Uniform
from evogen.strategies import Scene, Told
from evogen.strategies.random import Random
from evogen.variation.sample import sample

GRAMMAR = parse("<module> @type(module) ::= layer:dense [width,int,1,2,9]")
SPACE = SearchSpace(None, ArchitectureSpace(GRAMMAR), {"a": Uniform(0, 1)})


def nothing(ref: Ref) -> Genome:
    raise AssertionError(f"random search asked for {ref}")


SCENE = Scene(SPACE, nothing, Key(9), Key(9))


def test_every_candidate_is_the_sample_of_its_place() -> None:
    asked = Random().ask(Random().start(), 4, 3, scene=SCENE)
    assert [each.genome for each in asked] == [sample(SPACE, Key(9), Ref(4, row)) for row in range(3)]
    assert {(each.parents, each.operator) for each in asked} == {((), "random")}


def test_results_change_nothing() -> None:
    for learn in (Random().tell, Random().welcome):
        assert learn(Random().start(), [Told(Ref(0, 0), 1.0), Told(Ref(0, 1), None)], scene=SCENE) == {}

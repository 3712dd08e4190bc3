import pytest

from evogen.cohort import Ref
from evogen.errors import GrammarError, SpecError
from evogen.evaluation import conceived
from evogen.experiment import load
from evogen.experiment.launch import problem
from evogen.keys import Key
from evogen.variation.breed import Rates, breed
from evogen.variation.sample import innovations, sample

TEXT = """
task: {{kind: cartpole}}
learner: {learner}
wiring: {wiring}
strategy: random
architecture: {{{architecture}}}
"""


def loaded(tmp_path, architecture, *, wiring="connectome", learner="snes", task=None):
    file = tmp_path / "circuit.yaml"
    text = TEXT.format(architecture=architecture, wiring=wiring, learner=learner)
    file.write_text(text if task is None else text.replace("{kind: cartpole}", task))
    return load(file)


def test_a_circuit_stands_in_the_place_of_a_grammar(tmp_path):
    found = loaded(tmp_path, "circuit: {kind: laminar, neurons: 6}, control: rewired, unfold: 2")
    assert "circuit:laminar" in found.grammar
    assert "control:rewired" in found.grammar
    (tmp_path / "again.yaml").write_text(found.yaml)
    (tmp_path / "grammar.bnf").write_text(found.grammar)
    again = load(tmp_path / "again.yaml")
    assert again == loaded(tmp_path, "circuit: {kind: laminar, neurons: 6}, control: rewired, unfold: 2") or (
        again.yaml.splitlines()[1:] == found.yaml.splitlines()[1:] and again.grammar == found.grammar
    )


def test_lists_are_what_a_genome_chooses_from_and_mutation_changes(tmp_path):
    listed = (
        "circuit: [{kind: laminar, neurons: [4, 6]}, areas], control: [exact, rewired], threshold: [0, 1]"
    )
    found = loaded(tmp_path, f"{listed}, signs: [given, free]")
    posed, words, genomes = problem(found, "cpu"), set(), []
    for row in range(40):
        genomes.append(sample(found.space, Key(1), Ref(0, row)))
        plan = conceived(posed, row, genomes[-1]).embryo.body.plan
        words.add((plan.anatomy.name, plan.anatomy.control, plan.groups[1].size))
    assert {name for name, _, _ in words} == {"laminar", "areas"}
    assert {control for _, control, _ in words} == {"exact", "rewired"}
    assert {size for _, _, size in words} == {16, 24, 100}
    child, how = breed(
        genomes[0], None, space=found.space, key=Key(2), ids=innovations(Ref(1, 0)), rates=Rates()
    )
    assert child.architecture[0].codons != genomes[0].architecture[0].codons
    assert how == "module.redraw" or "redraw" in how


@pytest.mark.parametrize(
    ("architecture", "says"),
    [
        ("circuit: ncpa", "unknown circuit 'ncpa'; did you mean 'ncap'?"),
        ("circuit: ncap", "architecture.circuit: a circuit with 6 in nodes and 2 out nodes"),
        ("circuit: {kind: laminar, layers: 4}", "circuit 'laminar' has no setting 'layers'"),
        ("circuit: {kind: laminar, neurons: 1}", "takes neurons in [2, 256], found 1"),
        ("circuit: {kind: areas, feedback: none}", "takes feedback of kept, left-out, found none"),
        ("circuit: {kind: celegans, part: neurons, entry: body}", "entry: body is for part: motor"),
        ("circuit: laminar, control: rewire", "architecture.control: wanted one of exact"),
        ("circuit: laminar, threshold: often", "architecture.threshold: wanted numbers from 0 on"),
        ("circuit: laminar, control: []", "found an empty list"),
        ("circuit: laminar, max_modules: 3", "a circuit is one gene: wanted 1, found 3"),
        ("circuit: laminar, grammar: x.bnf", "wanted a grammar or a circuit, found both"),
        ("circuit: laminar, start: module", "architecture.start: unknown key"),
    ],
)
def test_a_wrong_circuit_is_refused_where_it_stands(tmp_path, architecture, says):
    with pytest.raises(SpecError) as error:
        loaded(tmp_path, architecture)
    assert says in str(error.value)
    assert "circuit.yaml:6" in str(error.value)


def test_wiring_connectome_wants_a_circuit(tmp_path):
    (tmp_path / "tiny.bnf").write_text("<module> @type(module) ::= layer:dense [width,int,1,2,4] readout:sum")
    with pytest.raises(SpecError, match=r"wiring 'connectome' wanted architecture\.circuit"):
        loaded(tmp_path, "grammar: tiny.bnf")


def test_a_circuit_may_have_free_weights(tmp_path):
    found = loaded(tmp_path, "circuit: {kind: laminar, neurons: 4}", wiring="direct")
    body = conceived(problem(found, "cpu"), 0, sample(found.space, Key(1), Ref(0, 0))).embryo.body
    assert "1>1.W" in body.padded
    assert "theta" not in body.padded


def test_a_learner_without_memory_refuses_cycles_that_are_not_unfolded(tmp_path):
    with pytest.raises(GrammarError, match="a circuit with cycles") as error:
        loaded(tmp_path, "circuit: laminar", learner="dqn")
    assert "unfold: STEPS" in str(error.value)
    assert loaded(tmp_path, "circuit: laminar, unfold: 3", learner="dqn")

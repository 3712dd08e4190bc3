from pathlib import Path

import pytest

import evogen
from evogen.errors import GrammarError, SpecError
from evogen.experiment import Experiment

GRAMMARS = Path(__file__).parents[2] / "grammars"
EXPERIMENT = """\
task: {kind: table, file: iris}
wiring: direct
architecture:
  grammar: neurons.bnf
  start: neuron
  structure: modules
  max_modules: 9
learner: {kind: supervised, epochs: 1}
strategy: {kind: genetic, population: 4}
search: {cohorts: 2, cohort_size: 4}
"""
EVOLVED = ("architecture.weights=evolved", "learner=none")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    for name in ("neurons.bnf", "modules.bnf"):
        (tmp_path / name).write_text((GRAMMARS / name).read_text())
    path = tmp_path / "small.yaml"
    path.write_text(EXPERIMENT)
    return path


def test_the_task_says_how_many_inputs_and_modules_there_are(file: Path) -> None:
    space = evogen.load(file).space.architecture
    assert (space.inputs, space.outputs, space.places, space.depth) == (4, 3, 3, 1)
    assert "inputs" not in evogen.load(file).yaml


def test_the_canonical_file_of_neurons_reads_back(file: Path, tmp_path: Path) -> None:
    experiment = evogen.load(file, ["architecture.structure=layered-modules", "architecture.layers=3"])
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "experiment.yaml").write_text(experiment.yaml)
    (folder / "grammar.bnf").write_text(experiment.grammar)
    again: Experiment = evogen.load(folder / "experiment.yaml")
    assert (again, again.space) == (experiment, experiment.space)


@pytest.mark.parametrize("structure", ["flat", "layered", "modules", "coupled", "layered-modules"])
@pytest.mark.parametrize("start", ["neuron", "coupled", "dense", "sparse", "living"])
def test_every_shipped_start_goes_with_every_structure(file: Path, structure: str, start: str) -> None:
    changes = [f"architecture.structure={structure}", f"architecture.start={start}"]
    assert evogen.load(file, changes).space.architecture.shape.coupled == (structure == "coupled")


@pytest.mark.parametrize(
    "changes",
    [
        ("architecture.start=net", "architecture.mapping=flat"),
        ("architecture.start=net", "architecture.mapping=structured", "architecture.structure=coupled"),
        EVOLVED,
        (*EVOLVED, "architecture.start=dense", "inheritance=lamarckian"),
        ("architecture.weights=evolved+tuned",),
        ("architecture.start=net", "architecture.mapping=flat", "architecture.max_modules=1"),
        ("task=cartpole", "learner=ppo"),
    ],
)
def test_what_agrees_is_loaded(file: Path, changes: tuple[str, ...]) -> None:
    evogen.load(file, changes)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            ("architecture={grammar: modules.bnf, start: reflex, structure: modules}",),
            "architecture.structure: <reflex> speaks of modules, which have their own layers and trained "
            "weights: wanted flat, or a start of neurons; found modules",
        ),
        (
            ("architecture={grammar: modules.bnf, start: reflex, layers: 3}",),
            "architecture.layers: <reflex> speaks of modules",
        ),
        (
            ("architecture={grammar: modules.bnf, start: reflex, weights: evolved}", "learner=none"),
            "architecture.weights: <reflex> speaks of modules",
        ),
        (
            ("architecture={grammar: modules.bnf, start: reflex, mapping: flat}",),
            "architecture.mapping: wanted genes, because the start <reflex> has type module; found flat",
        ),
        (
            ("architecture.start=net",),
            "architecture.mapping: wanted flat or structured, because the start <net> has type net; found "
            "genes",
        ),
        (
            ("architecture.start=net", "architecture.mapping=flat", "architecture.structure=layered"),
            "architecture.structure: mapping: flat knows structures of one layer: flat, modules, coupled; "
            "found layered",
        ),
        (
            ("architecture.max_modules=2",),
            "architecture.max_modules: more classes than the grammar can read out: structure modules has a "
            "module of a gene or more, for each of the outputs; wanted at least 3, found 2",
        ),
        (
            ("task=pendulum", "learner=ppo"),
            "architecture.structure: the task has one output, so one module: wanted flat or layered, found "
            "modules",
        ),
        (
            ("learner=none",),
            "architecture.weights: learner: none trains nothing: wanted evolved, found trained",
        ),
        (
            ("architecture.weights=evolved",),
            "architecture.weights: evolved weights are not trained: wanted learner: none, or weights: "
            "evolved+tuned",
        ),
        (
            (*EVOLVED, "architecture.start=sparse", "inheritance=baldwinian"),
            "architecture.weights: found evolved, but <sparse> carries no weights (not every synapse has "
            "one), so that nothing would be inherited: wanted inheritance: lamarckian",
        ),
        (
            ("architecture.weights=evolved+tuned", "wiring=synaptogen", "inheritance=baldwinian"),
            "architecture.weights: found evolved+tuned, but <neuron> carries no weights (the wiring makes "
            "weights of expression)",
        ),
        (("architecture.inputs=4",), "architecture.inputs: unknown key: the task says it"),
        (
            ("architecture.structure=modular",),
            "architecture.structure: wanted 'flat', 'layered', 'modules', 'coupled' or 'layered-modules'",
        ),
    ],
)
def test_what_contradicts_itself_is_refused(file: Path, changes: tuple[str, ...], text: str) -> None:
    with pytest.raises(SpecError) as caught:
        evogen.load(file, changes)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("line", "error", "text"),
    [
        ("<g> @type(neurons) ::= act:tanh", SpecError, "'g' can give what is no network: gene 2"),
        (
            "<g> @type(neurons) ::= group:neurons neuron:leaky [taw,float,1,1,2]",
            SpecError,
            "neuron 'leaky' takes no number 'taw'; did you mean 'tau'?",
        ),
        (
            "<g> @type(neurons) ::= group:neurons neuron:lif act:tanh",
            SpecError,
            "has no activation function: leave out its act:tanh",
        ),
        ("<g> @type(neurons) ::= group:neurons plastic:hebb", GrammarError, "unknown rule 'hebb'"),
        (
            "<g> @type(neurons) ::= layer:dense",
            GrammarError,
            "no word of a neuron group: unknown kind 'layer'",
        ),
        ("<g> @type(neuron) ::= group:neurons", GrammarError, "has type neuron, wanted"),
    ],
)
def test_a_grammar_that_gives_no_networks_is_refused(
    file: Path, line: str, error: type[Exception], text: str
) -> None:
    (file.parent / "neurons.bnf").write_text(line)
    with pytest.raises(error) as caught:
        evogen.load(file, ["architecture.start=g"])
    assert text in str(caught.value)


@pytest.mark.parametrize("words", ["term:from <source> readout:sum <weight>", "term:from <source> <weight>"])
def test_evolved_weights_that_no_gene_carries_are_refused(file: Path, words: str) -> None:
    readout = "" if "readout" in words else " readout:sum"
    (file.parent / "neurons.bnf").write_text(
        f"<neuron> @type(neurons) ::= group:neurons act:tanh {words}{readout}\n"
        "<source> @dynamic(sources) ::= ...\n<weight> ::= [weight,float,1,-1,1]\n"
    )
    evogen.load(file, [*EVOLVED, "inheritance=lamarckian"])
    with pytest.raises(SpecError, match=r"not every synapse has one.*wanted inheritance: lamarckian"):
        evogen.load(file, [*EVOLVED, "inheritance=baldwinian"])

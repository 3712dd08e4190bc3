from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import experiment_files
import pytest
from experiment_files import EXPERIMENT
from lives import KEY
from search_fakes import Backwards, new_run

import evogen
from evogen.cohort import Individual, Ref
from evogen.engine import drive
from evogen.errors import SpecError
from evogen.genome import Gene, Genome
from evogen.grammar import parse
from evogen.keys import Key
from evogen.registry import known
from evogen.runs import Run
from evogen.schema import Inheritance, Search
from evogen.space import ArchitectureSpace, Log, RulesSpace, SearchSpace
from evogen.strategies import Scene, State, Strategy, Told
from evogen.strategies.genetic import Genetic
from evogen.strategies.islands import Islands
from evogen.strategies.random import Random
from evogen.summary import part_lines

GRAMMAR = parse("<module> @type(module) ::= layer:dense [width,int,1,2,9] act:tanh readout:sum")
SPACE = SearchSpace(RulesSpace(genes=5), ArchitectureSpace(GRAMMAR, initial_modules=2), {"eta": Log(1e-3, 1)})
SIZE = 4


@dataclass(frozen=True)
class Recorder:
    """Breeds nothing of interest and notes what it sees; a state is the list of places that it knows."""

    many: ClassVar[bool] = True
    asked: dict[int, tuple[State, Scene]] = field(default_factory=dict)
    welcomed: list[tuple[int, Told]] = field(default_factory=list)

    def start(self) -> State:
        return {"told": [], "guests": []}

    def ask(self, state: State, cohort: int, size: int, *, scene: Scene) -> tuple[Individual, ...]:
        self.asked[cohort] = state, scene
        genome = Genome(None, Gene(1, ()), (), {"cohort": cohort})
        return (Individual(genome),) * size

    def tell(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        return {**state, "told": [*state["told"], *(list(one.ref) for one in results)]}

    def welcome(self, state: State, results: Sequence[Told], *, scene: Scene) -> State:
        self.welcomed.extend((_island(scene), one) for one in results)
        return {**state, "guests": [*state["guests"], *(list(one.ref) for one in results)]}


def _island(scene: Scene) -> int:
    return next(i for i in range(10) if scene.key == Key(0).child("island", i))


def told(cohort: int, row: int) -> Told:
    """Row 3 is the best of a cohort, row 0 failed, row 2 breaks a constraint."""
    if row == 0:
        return Told(Ref(cohort, row), None)
    return Told(Ref(cohort, row), float(row), (-row / 2,), float(row == 2), {"depth": 3.0, "steps": 8.0})


def stock(ref: Ref) -> Genome:
    raise AssertionError(f"nobody here needs {ref}")


def run(strategy: Islands, cohorts: int, *, lookahead: int = 1) -> list[Any]:
    scene = Scene(SPACE, stock, Key(0), Key(0))
    states = [strategy.start()]
    for cohort in range(cohorts):
        strategy.ask(states[max(0, cohort - lookahead + 1)], cohort, SIZE, scene=scene)
        results = [told(cohort, row) for row in range(SIZE)]
        states.append(
            json.loads(json.dumps(strategy.tell(states[-1], results, scene=scene), allow_nan=False))
        )
    return states


def test_cohorts_belong_to_islands_in_turn() -> None:
    final = run(Islands(Recorder(), count=3), 9)[-1]
    for number, island in enumerate(final["islands"]):
        assert {cohort % 3 for cohort, _ in island["told"]} == {number}
        assert len(island["told"]) == 3 * SIZE


def test_the_best_since_the_last_migration_go_to_the_next_island_of_the_ring() -> None:
    inner = Recorder()
    run(Islands(inner, count=3, every=2, migrants=2), 15)
    # turns 1 and 3 end a period; rows 3 and 1 keep the constraint, first told wins a tie of two cohorts
    assert [(island, *one.ref) for island, one in inner.welcomed] == [
        (1, 0, 3), (1, 3, 3), (2, 1, 3), (2, 4, 3), (0, 2, 3), (0, 5, 3),
        (1, 6, 3), (1, 9, 3), (2, 7, 3), (2, 10, 3), (0, 8, 3), (0, 11, 3),
    ]  # fmt: skip


def test_a_candidate_travels_once_and_never_home() -> None:
    inner = Recorder()
    run(Islands(inner, count=3, every=1, migrants=3), 30)
    assert max(Counter(one.ref for _, one in inner.welcomed).values()) == 1
    assert all(island == (one.ref.cohort + 1) % 3 for island, one in inner.welcomed)
    assert len(inner.welcomed) >= 24


def test_a_migrant_arrives_with_all_that_was_told_of_it_and_the_failed_stay() -> None:
    inner = Recorder()
    run(Islands(inner, count=2, every=1, migrants=SIZE), 8)
    assert {one.ref.row for _, one in inner.welcomed} == {1, 2, 3}
    assert all(one == told(*one.ref) for _, one in inner.welcomed)


def test_no_migrants_make_independent_searches() -> None:
    inner = Recorder()
    run(Islands(inner, count=2, every=1, migrants=0), 8)
    assert not inner.welcomed


@pytest.mark.parametrize("lookahead", [2, 3, 4])
def test_an_island_sees_with_lookahead_what_it_sees_without(lookahead: int) -> None:
    near, far = Recorder(), Recorder()
    run(Islands(near, every=2), 24)
    run(Islands(far, every=2), 24, lookahead=lookahead)
    assert near.asked == far.asked
    assert far.asked[20][0]["told"] == [[cohort, row] for cohort in range(0, 20, 4) for row in range(SIZE)]
    assert far.asked[20][0]["guests"]


def test_more_lookahead_than_islands_is_another_search() -> None:
    near, far = Recorder(), Recorder()
    run(Islands(near), 12)
    run(Islands(far), 12, lookahead=5)
    assert near.asked != far.asked


def test_the_scene_of_an_island_has_a_key_of_its_own_and_the_root_of_all() -> None:
    inner = Recorder()
    run(Islands(inner, count=3), 6)
    assert [_island(scene) for _, scene in inner.asked.values()] == [0, 1, 2, 0, 1, 2]
    assert {scene.root for _, scene in inner.asked.values()} == {Key(0)}


def test_whether_several_objectives_count_is_up_to_the_inner_strategy() -> None:
    assert Islands(Recorder()).many
    assert not Islands(Genetic()).many


@pytest.mark.parametrize("inner", [Genetic(population=4), Random()])
def test_all_islands_hold_the_same_rules_and_modules(inner: Strategy) -> None:
    space = SearchSpace(RulesSpace(evolve=False), ArchitectureSpace(GRAMMAR, evolve=False), SPACE.plasticity)
    scene = Scene(space, stock, Key(0), Key(0))
    strategy = Islands(inner)
    state = strategy.start()
    found = [one.genome for cohort in range(4) for one in strategy.ask(state, cohort, 2, scene=scene)]
    assert len({genome.plasticity["eta"] for genome in found}) == 8
    assert len({genome.architecture[0].codons for genome in found}) == 1
    assert all(
        (genome.rules.O == found[0].rules.O).all() for genome in found if genome.rules and found[0].rules
    )


def test_islands_on_islands_are_refused() -> None:
    with pytest.raises(ValueError, match="islands on islands are not supported"):
        Islands(Islands())


def test_an_inner_strategy_that_takes_no_migrants_is_refused() -> None:
    class Hermit:
        many = False
        start = ask = tell = None

    with pytest.raises(ValueError, match="Hermit has no method `welcome`"):
        Islands(Hermit())  # type: ignore[arg-type]


def fingerprint(folder: Path, strategy: Strategy, cuts: Sequence[int], *, lookahead: int) -> str:
    """Search until each of these cohorts in turn, each time as a new process would."""
    new_run(folder).close()
    for cohorts in cuts:
        with Run.open(folder, write=True) as found:
            drive(
                found,
                strategy,
                Backwards(),
                space=SPACE,
                inheritance=Inheritance.LAMARCKIAN,
                search=Search(cohorts=cohorts, cohort_size=SIZE, lookahead=lookahead, snapshot_every=3),
                key=KEY,
                on_event=lambda _: None,
            )
    with Run.open(folder) as found:
        return found.fingerprint()


def test_lookahead_up_to_the_number_of_islands_and_a_resume_change_no_bit(tmp_path: Path) -> None:
    strategy = Islands(Genetic(population=SIZE), every=1)
    prints = {
        name: fingerprint(tmp_path / name, strategy, cuts, lookahead=lookahead)
        for name, cuts, lookahead in (
            ("classic", [16], 1),
            ("wide", [16], 4),
            ("resumed", [1, 6, 16], 4),
            ("too-wide", [16], 5),
        )
    }
    assert prints["classic"] == prints["wide"] == prints["resumed"] != prints["too-wide"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return experiment_files.write(tmp_path)


def load(file: Path, strategy: str) -> evogen.Experiment:
    line = next(line for line in EXPERIMENT.split("\n") if line.startswith("strategy"))
    file.write_text(EXPERIMENT.replace(line, f"strategy: {strategy}"))
    return evogen.load(file)


INNER = {
    "map-elites": "{kind: map-elites, measures: {synapses: [0, 500, 20]}}",
    "islands": "genetic",
}


@pytest.mark.parametrize("name", known("strategy"))
def test_every_strategy_can_live_on_islands_and_is_written_out(file: Path, tmp_path: Path, name: str) -> None:
    experiment = load(file, f"{{kind: islands, count: 3, inner: {INNER.get(name, name)}}}")
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "experiment.yaml").write_text(experiment.yaml)
    (folder / "grammar.bnf").write_text(experiment.grammar)
    again = evogen.load(folder / "experiment.yaml")
    assert again == experiment
    assert again.strategy == experiment.strategy
    assert type(experiment.strategy) is Islands
    assert type(experiment.strategy.inner) is known("strategy")["genetic" if name == "islands" else name]


def test_the_canonical_file_has_the_inner_strategy_in_full(file: Path) -> None:
    text = load(file, "{kind: islands, inner: {kind: genetic, population: 6}}").yaml
    assert "  inner:\n    kind: genetic\n    population: 6\n    elite: 2\n" in text
    assert "  inner:\n    kind: genetic\n    population: 16\n" in load(file, "islands").yaml


@pytest.mark.parametrize(
    ("inner", "column", "text"),
    [
        ("{kind: genetic, population: 1}", 50, "strategy.inner.population: wanted a number >= 2, found 1"),
        ("{kind: genetic, size: 1}", 50, "strategy.inner.size: unknown key"),
        ("genetc", 27, "strategy.inner: unknown strategy 'genetc'; did you mean 'genetic'?"),
        ("{kind: genetc}", 35, "strategy.inner.kind: unknown strategy 'genetc'"),
        ("{population: 3}", 27, "strategy.inner.kind: wanted the name of a strategy, found null"),
        ("3", 27, "strategy.inner: wanted the name of a strategy, found 3"),
        ("islands", 1, "strategy: inner: islands on islands are not supported"),
    ],
)
def test_a_wrong_inner_strategy_is_shown_in_its_file(file: Path, inner: str, column: int, text: str) -> None:
    with pytest.raises(SpecError) as raised:
        load(file, f"{{kind: islands, inner: {inner}}}")
    line = EXPERIMENT.split("\n").index("strategy: {kind: genetic, population: 4}") + 1
    assert str(raised.value).startswith(f"{file}:{line}:{column}: {text}")


def test_the_listing_names_the_inner_strategy() -> None:
    assert '    inner = "genetic": strategy of every island: a name, or a section' in part_lines("strategy")

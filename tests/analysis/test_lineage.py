import csv
from importlib.util import find_spec

import pytest
from lives import make_genome
from search_fakes import new_run, search

from evogen.analysis.lineage import ancestors, descendants, founders, jumps, main_line, operators, relatives
from evogen.cohort import Cohort, Evaluation, Individual, Outcome, Ref
from evogen.errors import RunError
from evogen.evaluators import Result
from evogen.export.phylogeny import COLUMNS, write_phylogeny

# cohort -> (fitness, parents, operator) of each row:   0:0  0:1   0:2
#                                                         \  /  \   |
#                                                         1:0   1:1 |
#                                                            \  /  \|
#                                                            2:0   2:1 (crashed)
#                                                             |
#                                                            3:0
FAMILY = [
    [(1.0, (), "random"), (3.0, (), "random"), (2.0, (), "random")],
    [(4.0, ((0, 0), (0, 1)), "crossover+rules.gaussian"), (4.0, ((0, 1),), "copy")],
    [(9.0, ((1, 1), (1, 0)), "crossover"), (None, ((1, 1), (0, 2)), "crossover")],
    [(7.0, ((2, 0),), "rules.gaussian")],
]


@pytest.fixture
def family(tmp_path):
    with new_run(tmp_path / "family") as run:
        for cohort, rows in enumerate(FAMILY):
            individuals = tuple(
                Individual(
                    make_genome(10 * cohort + row), tuple(Ref(*parent) for parent in parents), operator
                )
                for row, (_, parents, operator) in enumerate(rows)
            )
            evaluations = tuple(
                Evaluation(Outcome.CRASHED) if fitness is None else Evaluation(Outcome.OK, fitness)
                for fitness, *_ in rows
            )
            run.commit(Cohort(cohort, individuals), Result(cohort, evaluations, 1.0, "here"))
        yield run


def refs(kin):
    return [str(one.ref) for one in kin]


def test_ancestors_come_latest_first_and_once(family):
    found = list(ancestors(family, Ref(3, 0)))
    assert refs(found) == ["3:0", "2:0", "1:1", "1:0", "0:1", "0:0"]
    assert refs(founders(found)) == ["0:1", "0:0"]
    assert refs(ancestors(family, Ref(3, 0), 3)) == ["3:0", "2:0", "1:1"]
    assert found[0].committed == family.timings()[3].committed
    assert [(one.genome, one.operator) for one in found] == [
        (row.genome, row.operator) for row in (family.row(one.ref) for one in found)
    ]


def test_descendants_come_earliest_first(family):
    assert refs(descendants(family, Ref(0, 1))) == ["1:0", "1:1", "2:0", "2:1", "3:0"]
    assert refs(descendants(family, Ref(0, 0))) == ["1:0", "2:0", "3:0"]
    assert refs(descendants(family, Ref(0, 2))) == ["2:1"]
    assert refs(descendants(family, Ref(0, 1), 2)) == ["1:0", "1:1"]
    assert refs(descendants(family, Ref(3, 0))) == []


def test_main_line_takes_the_fitter_parent_and_the_first_of_equals(family):
    line = main_line(family, Ref(3, 0))
    assert refs(line) == ["3:0", "2:0", "1:1", "0:1"]
    assert [jump.gain for jump in jumps(line)] == [-2.0, 5.0, 1.0]
    assert refs(main_line(family, Ref(3, 0), 2)) == ["3:0", "2:0"]
    assert refs(main_line(family, Ref(2, 1))) == ["2:1", "1:1", "0:1"]
    assert len(jumps(main_line(family, Ref(2, 1)))) == 1  # a candidate without a fitness has no gain


def test_operators_are_counted_each(family):
    found = operators(ancestors(family, Ref(3, 0)))
    assert found == {"crossover": 2, "rules.gaussian": 2, "copy": 1, "random": 2}


def test_a_real_search_has_the_ancestors_that_its_rows_say(tmp_path):
    with new_run(tmp_path / "run") as run:
        search(run, 12)
        rows = {row.ref: row for row in run.rows()}
        last = run.resolve("11:2")
        wanted, waiting = set(), [last]
        while waiting:
            ref = waiting.pop()
            wanted.add(ref)
            waiting += [parent for parent in rows[ref].parents if parent not in wanted]
        found = [one.ref for one in ancestors(run, last)]
        assert found == sorted(wanted, reverse=True)
        root = min(wanted)
        below = {one.ref for one in descendants(run, root)}
        assert below == {ref for ref in rows if root in {one.ref for one in ancestors(run, ref)}} - {root}


@pytest.mark.parametrize("parents", ["[[3, 0]]", "[[2, 0], [9, 9]]", "[[9, 9]]", "[[1, 0]]"])
def test_walks_end_in_a_damaged_run(family, parents):
    family._database.execute("UPDATE candidate SET parents = ? WHERE cohort > 0", (parents,))
    assert len(list(ancestors(family, Ref(3, 0)))) <= 8
    assert len(main_line(family, Ref(3, 0))) <= 8
    assert len(list(descendants(family, Ref(0, 0)))) <= 8


def lines(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_parents_of_another_type_are_an_error_of_ours(family):
    family._database.execute("UPDATE candidate SET parents = x'5b5d' WHERE cohort = 2")
    with pytest.raises(RunError, match="parents of candidate 2:0 were altered"):
        list(descendants(family, Ref(0, 0)))


def test_phylogeny_is_written_as_the_standard_says(tmp_path, family):
    out = tmp_path / "all.csv"
    assert write_phylogeny(family, relatives(family), out) == (8, 0)
    assert out.read_text().splitlines()[0] == ",".join(COLUMNS)
    found = lines(out)
    assert [row["id"] for row in found] == list("01234567")
    assert [row["ancestor_list"] for row in found] == [
        "[none]", "[none]", "[none]", "[0,1]", "[1]", "[4,3]", "[4,2]", "[5]",
    ]  # fmt: skip
    assert [row["origin_time"] for row in found] == list("00011223")
    assert [row["destruction_time"] for row in found] == ["2", "2", "3", "3", "3", "inf", "3", "inf"]
    assert [row["candidate"] for row in found][-2:] == ["2:1", "3:0"]
    assert found[6]["fitness"] == ""


def test_ancestry_keeps_the_ids_of_the_whole_phylogeny(tmp_path, family):
    write_phylogeny(family, relatives(family), tmp_path / "all.csv")
    write_phylogeny(family, ancestors(family, Ref(3, 0)), tmp_path / "one.csv")
    whole, part = lines(tmp_path / "all.csv"), lines(tmp_path / "one.csv")
    assert [row for row in whole if row["candidate"] not in ("0:2", "2:1")] == part


def test_parents_that_are_not_older_are_left_out_and_counted(tmp_path, family):
    family._database.execute("UPDATE candidate SET parents = '[[3,0],[0,0]]' WHERE cohort > 0")
    assert write_phylogeny(family, relatives(family), tmp_path / "all.csv").missing == 5


@pytest.mark.parametrize("name", ["all.txt", "no/such/all.csv"])
def test_phylogeny_goes_into_a_csv_file_that_can_be(tmp_path, family, name):
    with pytest.raises(RunError, match=r"wanted the name of a \.csv file"):
        write_phylogeny(family, relatives(family), tmp_path / name)


@pytest.mark.skipif(find_spec("phyloframe") is None, reason="phyloframe is not installed")
def test_phyloframe_reads_the_phylogeny(tmp_path, family):
    import pandas as pd
    from phyloframe import legacy

    write_phylogeny(family, relatives(family), tmp_path / "all.csv")
    frame = pd.read_csv(tmp_path / "all.csv")
    assert legacy.alifestd_validate(frame)
    assert legacy.alifestd_is_sexual(frame)
    parents = [legacy.alifestd_parse_ancestor_ids(text) for text in frame["ancestor_list"]]
    assert [list(one) for one in parents] == [[], [], [], [0, 1], [1], [4, 3], [4, 2], [5]]


@pytest.mark.skipif(find_spec("phylotrackpy") is None, reason="phylotrackpy is not installed")
def test_phylotrackpy_reads_a_line_of_copies(tmp_path):
    from phylotrackpy.systematics import Systematics

    with new_run(tmp_path / "run") as run:
        for cohort in range(4):
            parents = (Ref(cohort - 1, 0),) if cohort else ()
            individual = Individual(make_genome(cohort), parents, "copy")
            result = Result(cohort, (Evaluation(Outcome.OK, 1.0),), 0.0, "here")
            run.commit(Cohort(cohort, (individual,)), result)
        write_phylogeny(run, relatives(run), tmp_path / "all.csv")
    found = Systematics(lambda one: one)
    found.load_from_file(str(tmp_path / "all.csv"), "genome", False, False)
    assert (found.get_num_active(), found.get_num_ancestors(), found.get_num_roots()) == (2, 2, 1)

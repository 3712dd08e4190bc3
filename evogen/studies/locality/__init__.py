"""The study of locality: how much of a network does one mutated codon change?

Equal networks are written in three codes, a list per neuron (genes), a list per non-terminal (structured)
and one list (flat); a codon is redrawn, and the neuron groups that changed are counted. Random networks come
first, then networks that were selected for a task, because selection does not sample all genomes alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from evogen.errors import SpecError
from evogen.keys import Key
from evogen.studies import Findings, Options, Study
from evogen.studies.export import write_all
from evogen.studies.locality.codes import Code, Lists, unread
from evogen.studies.locality.evolve import evolve
from evogen.studies.locality.given import Coded, Given, given
from evogen.studies.locality.measure import Mutation, mutations
from evogen.studies.locality.nets import CODES, INPUTS, network
from evogen.studies.locality.rows import Found, Sample, Selection, contrasts, kinds, record, row
from evogen.studies.locality.sizes import sizes
from evogen.studies.locality.table import lines, verdict
from evogen.studies.store import versions

TITLE = "Locality: how much of a network one mutated codon changes"
FOLDER, QUICK_FOLDER = Path("runs/study-locality"), Path("runs/study-locality-quick")
PAIRS = (("genes", "structured"), ("genes", "flat"), ("structured", "flat"))
KINDS = 10  # neurons of the networks that are told apart by class of codon

Say = Callable[[str], None]
_ROOT = Key(0).child("study", "locality")


@dataclass(frozen=True)
class Effort:
    """How much of the study is done.

    Attributes:
        seeds: independent populations of each kind.
        sizes: neurons of the random networks.
        networks, mutations: of each population, and of each network, in each code.
        population, generations: of a selection.
        genomes: drawn by each initialiser.
    """

    seeds: int = 12
    sizes: tuple[int, ...] = (2, 5, 10, 20)
    networks: int = 20
    mutations: int = 25
    population: int = 40
    generations: int = 40
    genomes: int = 1_000


QUICK = Effort(seeds=4, networks=16, mutations=20, population=20, generations=10, genomes=100)


def run(options: Options, say: Say) -> Findings:
    """Mutate, count and compare; return the table.

    Raises:
        SpecError: an option is wrong.
        RunError: the run is not there or damaged.
    """
    _refuse(options)
    effort = QUICK if options.quick else Effort()
    if options.seeds is not None:
        effort = replace(effort, seeds=options.seeds)
    folder = options.out or (QUICK_FOLDER if options.quick else FOLDER)
    ended = None if options.run is None else given(options.run, _ROOT.child("run"))
    samples = list(_random(effort, say))
    if ended is None:
        evolved, selections = _selected(effort, say)
        pairs = list(zip(evolved[::2], evolved[1::2], strict=True))
    else:
        evolved, selections, pairs = [*_given(ended, effort)], [_ended(ended)], []
    every = [*samples, *evolved]
    found = Found(
        [row(sample, _ROOT.child("intervals")) for sample in every],
        [each for sample in every if sample.size in (KINDS, 0) for each in kinds(sample)],
        contrasts([*_pairs(samples), *pairs], _ROOT.child("contrasts")),
        selections,
        list(sizes(_ROOT.child("sizes"), effort.genomes)),
        {**asdict(effort), "inputs": INPUTS, "size_of_kinds": KINDS, "evolved": _says(effort, ended)},
    )
    whole = record(TITLE, found, versions(), options.command)
    own = [each for each in found.rows if ended is None or each.population == "random"]
    text = "\n".join([TITLE, "", *lines(found), "", *verdict(own)])
    return Findings(text, whole, write_all(folder, text, whole))


def _random(effort: Effort, say: Say) -> Iterator[Sample]:
    for size in effort.sizes:
        found: Mapping[str, list[list[Mutation]]] = {name: [] for name in CODES}
        for seed in range(effort.seeds):
            own = _ROOT.child("random", size, seed)
            rng = own.child("networks").generator()
            networks = [network(size, rng) for _ in range(effort.networks)]
            for name, code in CODES.items():
                genomes = [(code, each[name]) for each in networks]
                found[name].append(_mutated(genomes, own.child("mutations", name), effort.mutations))
        say(f"random networks of {size} neurons: mutated")
        yield from (Sample("random", name, size, seeds) for name, seeds in found.items())


def _selected(effort: Effort, say: Say) -> tuple[list[Sample], list[Selection]]:
    """Return each code's evolved sample followed by the one of random networks of the same sizes."""
    samples, selections = [], []
    for name, code in CODES.items():
        evolved, matched, ends = [], [], []
        for seed in range(effort.seeds):
            own = _ROOT.child("evolved", seed)
            end = evolve(name, own, population=effort.population, generations=effort.generations)
            rng = own.child("matched", name).generator()
            others = [(code, network(len(code.cells(lists)), rng)[name]) for lists in end.genomes]
            count = max(1, effort.networks * effort.mutations // effort.population)
            genomes = [(code, lists) for lists in end.genomes]
            evolved.append(_mutated(genomes, own.child("mutations", name, "evolved"), count))
            matched.append(_mutated(others, own.child("mutations", name, "matched"), count))
            ends.append(_selection(name, genomes, end.first, end.last))
        say(f"evolved networks, {name}: mutated")
        samples += [Sample("evolved", name, 0, evolved), Sample("matched", name, 0, matched)]
        selections.append(_average(ends))
    return samples, selections


def _given(ended: Given, effort: Effort) -> Iterator[Sample]:
    """Yield the sample of a run's genomes and that of random ones; each genome counts as a seed."""
    for name, genomes in (("evolved", ended.evolved), ("new", ended.random)):
        key = _ROOT.child("run", name)
        each = [_mutated([one], key.child(i), effort.mutations) for i, one in enumerate(genomes)]
        yield Sample(name, ended.mapping, 0, each)


def _mutated(genomes: Sequence[Coded], key: Key, count: int) -> list[Mutation]:
    rng = key.generator()
    return [each for code, lists in genomes for each in mutations(code, lists, rng, count)]


def _selection(
    name: str, genomes: Sequence[tuple[Code, Lists]], first: float | None, last: float | None
) -> Selection:
    groups = float(np.mean([len(code.cells(lists)) for code, lists in genomes]))
    never = float(np.mean([unread(code, lists) for code, lists in genomes]))
    return Selection(name, first, last, groups, never, len({lists for _, lists in genomes}), len(genomes))


def _average(each: Sequence[Selection]) -> Selection:
    def mean(name: str) -> float:
        return float(np.mean([getattr(one, name) for one in each]))

    return replace(
        each[0],
        first=mean("first"),
        last=mean("last"),
        groups=mean("groups"),
        unread=mean("unread"),
        genomes=mean("genomes"),
    )


def _ended(ended: Given) -> Selection:
    return _selection(ended.mapping, ended.evolved, None, None)


def _pairs(samples: Sequence[Sample]) -> list[tuple[Sample, Sample]]:
    by = {(sample.code, sample.size): sample for sample in samples}
    sizes = dict.fromkeys(sample.size for sample in samples)
    return [(by[one, size], by[other, size]) for size in sizes for one, other in PAIRS]


def _says(effort: Effort, ended: Given | None) -> str:
    if ended is None:
        return f"{effort.generations} generations of {effort.population}, fitted to a random teacher"
    first, last = ended.cohorts
    return f"{len(ended.evolved)} of cohorts {first} to {last} of {ended.path}"


def _refuse(options: Options) -> None:
    for option, value in (("tasks", options.tasks), ("arms", options.arms)):
        if value is not None:
            raise SpecError(f"--{option}: this study has none; leave it out")
    if options.workers > 1:
        raise SpecError(f"--workers {options.workers}: this study runs in one process; leave it out")


STUDY = Study("locality", TITLE, run)

"""What a trial declares: its claim, arms, tasks, measures and contrasts, and what measures one cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from evogen.errors import SpecError, near

Work = Callable[[str, str, Sequence[int], Mapping[str, float]], Mapping[str, Sequence[float]]]
"""(task, arm, seeds, sizes) -> by measure one number a seed, NaN where the seed failed.

Called once for a cell, so that all seeds can be batched; a measure that makes no sense in a cell is left out.
"""

EXPECTED = ("more", "less", "same")


@dataclass(frozen=True)
class Measure:
    """One number a seed.

    Attributes:
        says: what it is, for the head of a column.
        unit: in which the numbers are given and shown; "%" is 0 to 100.
        better: "more" or "less"; "" where neither is.
        digits: behind the point.
    """

    says: str
    unit: str = ""
    better: str = ""
    digits: int = 2


@dataclass(frozen=True)
class Contrast:
    """What the claim says of two arms on one measure of one task.

    Attributes:
        task, measure, arm: whose numbers.
        against: the other arm; or a number that the claim names.
        expected: "more", "less", or "same" within the margin.
        margin: of "same", in the measure's unit: a difference that would not matter.
        paired: whether seed s shares its random streams in both arms.
        published: the literature's figure for this difference, in words.
        ours: whether it is a question of ours that the claim does not imply: it is tested and corrected with
            the others, and does not count in the verdict on the claim.
    """

    task: str
    measure: str
    arm: str
    against: str | float
    expected: str
    margin: float = 0.0
    paired: bool = False
    published: str = ""
    ours: bool = False

    @property
    def name(self) -> str:
        """Where it stands, for keys and messages."""
        return f"{self.task} {self.measure} {self.arm} {self.against}"

    @property
    def arms(self) -> tuple[str, ...]:
        """Those that it needs."""
        return (self.arm, self.against) if isinstance(self.against, str) else (self.arm,)


@dataclass(frozen=True)
class Effort:
    """How much is done: training seeds of each cell, and sizes that the trial's work understands."""

    seeds: int
    sizes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """A claim of the literature on trial.

    Attributes:
        name: for the command line.
        title: at the head of the table.
        claim: the sentence on trial.
        source: the paper.
        published: the literature's figures in words, or that none was readable.
        arms, tasks: what each is, in one line, by name.
        measures: by name.
        contrasts: that the claim implies, whatever the numbers look like; and such of ours, marked.
        full, quick: efforts.
        work: measures a cell; a function of a module, so that a worker can find it.
        notes: what a reader must know to judge, each a sentence.
        needs: (package, extra) of a task or an arm that needs an optional package; no extra: its data alone.
        only: the arms of a task, where not all of them make sense.
    """

    name: str
    title: str
    claim: str
    source: str
    published: str
    arms: Mapping[str, str]
    tasks: Mapping[str, str]
    measures: Mapping[str, Measure]
    contrasts: tuple[Contrast, ...]
    full: Effort
    quick: Effort
    work: Work
    notes: tuple[str, ...] = ()
    needs: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, measure in self.measures.items():
            self._known(f"measures.{name}.better", measure.better, ("", "more", "less"))
        for number, each in enumerate(self.contrasts):
            where = f"contrasts[{number}]"
            self._known(f"{where}.task", each.task, self.tasks)
            self._known(f"{where}.measure", each.measure, self.measures)
            self._known(f"{where}.expected", each.expected, EXPECTED)
            for arm in each.arms:
                self._known(f"{where}.arm", arm, self.arms_of(each.task))
            if (each.expected == "same") != (each.margin > 0):
                raise SpecError(
                    f"study {self.name}: {where}: 'same' needs a margin above 0, the others none; "
                    f"found expected '{each.expected}', margin {each.margin:g}"
                )
        for name in self.needs:
            self._known("needs", name, tuple(chain(self.tasks, self.arms)))
        for task, arms in self.only.items():
            self._known("only", task, self.tasks)
            for arm in arms:
                self._known(f"only.{task}", arm, self.arms)

    def arms_of(self, task: str) -> tuple[str, ...]:
        """Return the arms that make sense on a task."""
        return self.only.get(task, tuple(self.arms))

    def _known(self, where: str, name: str, names: Sequence[str] | Mapping[str, object]) -> None:
        if name not in names:
            raise SpecError(f"study {self.name}: {where}: unknown '{name}'{near(name, names)}")

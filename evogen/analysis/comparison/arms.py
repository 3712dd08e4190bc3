"""Arms: runs that differ in nothing but their seed, and the tasks that they were made on."""

from __future__ import annotations

import glob
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evogen.analysis.comparison.trials import Settings, Trial
from evogen.errors import RunError

_LONGEST = 48
_PATTERN = "*?["


@dataclass(frozen=True)
class Arm:
    """A group of runs.

    Attributes:
        name: for people.
        trials: by task, in the order of their seeds.
        differs: the settings in which it differs from another arm, as text by dotted path; absent ones are
            left out, and ones that vary inside it say so.
    """

    name: str
    trials: Mapping[str, tuple[Trial, ...]]
    differs: Mapping[str, str]

    @property
    def every(self) -> tuple[Trial, ...]:
        """The trials of all tasks."""
        return tuple(trial for trials in self.trials.values() for trial in trials)


def grouped(trials: Sequence[Trial]) -> list[Arm]:
    """Return arms by the settings of their runs, named by what they differ in."""
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        groups.setdefault(_text(trial.settings), []).append(trial)
    differing = _differing([group[0].settings for group in groups.values()])
    names = _names([group[0].settings for group in groups.values()], differing)
    return _arms(dict(zip(names, groups.values(), strict=True)))


def named(groups: Mapping[str, Sequence[Trial]]) -> list[Arm]:
    """Return arms as somebody named them.

    Raises:
        RunError: a run is in two arms.
    """
    homes: dict[Path, str] = {}
    for name, group in groups.items():
        for trial in group:
            home = homes.setdefault(trial.path.resolve(), name)
            if home != name:
                raise RunError(
                    f"{trial.path} is in the arms '{home}' and '{name}': one observation cannot speak for "
                    "both; leave it out of one"
                )
    return _arms(groups)


def paths_of(texts: Iterable[str]) -> dict[str, list[Path]]:
    """Read `NAME=RUN,RUN` and `NAME=PATTERN`.

    Raises:
        RunError: not of this form, a name that is given twice, or nothing matches.
    """
    found: dict[str, list[Path]] = {}
    for text in texts:
        name, _, rest = (part.strip() for part in text.partition("="))
        words = [word.strip() for word in rest.split(",") if word.strip()]
        if not name or not words:
            raise RunError(f"--arm {text}: wanted NAME=RUN,RUN or NAME=PATTERN, as in --arm wide=runs/wide-*")
        if name in found:
            raise RunError(f"--arm {text}: '{name}' is named twice; give all its runs in one, with commas")
        found[name] = [path for word in words for path in _expanded(word, text)]
    return found


def mixed(arm: Arm) -> list[str]:
    """Return the settings that vary between the runs of one arm."""
    return _differing([trial.settings for trial in arm.every])


def _expanded(word: str, text: str) -> list[Path]:
    if not any(sign in word for sign in _PATTERN) or Path(word).exists():
        return [Path(word)]
    found = sorted(path for path in map(Path, glob.glob(word)) if path.is_dir())
    if not found:
        raise RunError(f"--arm {text}: no folder matches {word}")
    return found


def _arms(groups: Mapping[str, Sequence[Trial]]) -> list[Arm]:
    trials = [trial for group in groups.values() for trial in group]
    labels = _labels([trial.task for trial in trials])
    differing = _differing([trial.settings for trial in trials])
    found = []
    for name, group in groups.items():
        by_task: dict[str, list[Trial]] = {}
        for trial in group:
            by_task.setdefault(labels[_text(trial.task)], []).append(trial)
        kept = {task: tuple(sorted(of_one, key=lambda trial: trial.seed)) for task, of_one in by_task.items()}
        found.append(Arm(name, kept, _differs(group, differing)))
        _refuse_repeats(found[-1])
    return found


def _differs(group: Sequence[Trial], differing: Sequence[str]) -> dict[str, str]:
    found = {}
    for path in differing:
        values = {_value(trial.settings[path]) for trial in group if path in trial.settings}
        if values:
            found[path] = min(values) if len(values) == 1 else f"varies ({', '.join(sorted(values))})"
    return found


def _refuse_repeats(arm: Arm) -> None:
    """A run that is counted twice would be taken for evidence twice."""
    for task, trials in arm.trials.items():
        same = Counter((trial.seed, _text(trial.settings)) for trial in trials)
        (seed, _), count = same.most_common(1)[0]
        if count > 1:
            paths = " and ".join(str(trial.path) for trial in trials if trial.seed == seed)
            raise RunError(
                f"{paths} are the same experiment with the same seed ({seed}) on {task}: one observation, "
                "not two; leave all but one out"
            )


def _labels(tasks: Iterable[Settings]) -> dict[str, str]:
    """Return a short name for each of these tasks, by its text."""
    distinct = {_text(task): task for task in tasks}
    short = {text: str(task.get("id", task.get("kind", "?"))) for text, task in distinct.items()}
    found = {}
    for text, name in short.items():
        alike = [distinct[other] for other in distinct if short[other] == name]
        paths = _differing(alike)
        said = ", ".join(f"{path}={_value(distinct[text].get(path))}" for path in paths)
        found[text] = f"{name} ({said})" if said else name
    return found


def _differing(settings: Sequence[Settings]) -> list[str]:
    """Return the paths at which not all have the same value, or not all have one."""
    paths = dict.fromkeys(path for one in settings for path in one)
    return [path for path in paths if len({_value(one.get(path)) for one in settings}) > 1]


def _names(settings: Sequence[Settings], differing: Sequence[str]) -> list[str]:
    """Name each by the settings that differ; those of a part whose kind differs only where need be."""
    kinds = {path.partition(".")[0] for path in differing if path.endswith(".kind")}
    few = [path for path in differing if path.endswith(".kind") or path.partition(".")[0] not in kinds]
    for paths in (few, differing):
        names = [_name(one, paths) for one in settings]
        if len(set(names)) == len(names) and all(len(name) <= _LONGEST for name in names):
            return names
    return ["all runs"] if len(settings) == 1 else [f"arm {number}" for number in range(1, len(settings) + 1)]


def _name(settings: Settings, paths: Sequence[str]) -> str:
    said = [f"{_short(path, paths)}={_value(settings[path])}" for path in paths if path in settings]
    return ", ".join(said) or ("all runs" if not paths else "default")


def _short(path: str, paths: Sequence[str]) -> str:
    """Return the last word of a path where no other path ends in it, and the part where it is its kind."""
    if path.endswith(".kind"):
        return path.removesuffix(".kind")
    last = path.rpartition(".")[2]
    alone = sum(other.rpartition(".")[2] == last for other in paths) == 1
    return last if alone and "." in path and not path.endswith(".bnf") else path


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _text(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True)

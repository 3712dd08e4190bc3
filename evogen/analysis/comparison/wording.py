"""What a comparison says in sentences, the same on the terminal and on the page; and all of it as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from evogen.analysis.comparison import Comparison, Standing
from evogen.analysis.comparison.claims import LEVEL
from evogen.analysis.comparison.contrasts import Contrast
from evogen.analysis.comparison.fairness import counts
from evogen.analysis.comparison.power import WANTED, Power
from evogen.analysis.comparison.trials import Fate
from evogen.analysis.plain import plain
from evogen.analysis.statistics import Interval, Reached

RULE = (
    f"The rule: an arm is claimed to be better if the exact rank test, two-sided, has p < {LEVEL:g} after "
    "Holm's correction over all comparisons made here. If all arms were equal, that would claim anything at "
    f"all in {100 * LEVEL:.0f} % of such studies at most. Intervals, profiles and effect sizes make no "
    "claims. The rule holds if the number of seeds was fixed before the scores were seen."
)
INTERVALS = (
    "Intervals are 95 % bootstrap intervals over seeds, a seed with its runs on all tasks. Of few seeds they "
    "are too short: of normal scores they hold the true interquartile mean in about 91 %, 94 % and 95 % of "
    "the cases with 5, 10 and 20 seeds."
)


def claim(contrast: Contrast) -> str:
    """Say what is claimed of two arms."""
    verdict = contrast.verdict
    first, second = f"'{verdict.first}'", f"'{verdict.second}'"
    p = f"p = {verdict.adjusted:.2g} after Holm, {verdict.test} test"
    if verdict.better is None:
        return f"no claim about {first} and {second} ({p}); that is no evidence that they are equal"
    worse = second if verdict.better == verdict.first else first
    return f"'{verdict.better}' is better than {worse} ({p})"


def strength(found: Power) -> str:
    """Say what a test finds and what it does not."""
    sizes = {f"{one}" if one == other else f"{one} and {other}" for one, other in found.seeds}
    each = "" if len(found.seeds) < 2 else " and task" if found.tasks == 1 else " and set of tasks"
    seeds = f"{' or '.join(sorted(sizes)) or 'no comparable'} seed{'s' * (sizes != {'1'})} an arm{each}"
    one = f", each one observation on all of its {found.tasks} tasks," if found.tasks > 1 else ""
    shared = f" and {found.comparisons} comparisons" if found.comparisons > 1 else ""
    unit = "sd of the paired differences" if found.test == "signed-rank" else "sd between seeds"
    if math.isinf(found.detectable):
        no = f"the {found.test} test can make no claim, whatever the scores: add seeds."
        return f"With {seeds}{one}{shared} {no}"
    least = "at least " if found.comparisons > 1 or found.tasks > 1 else ""
    shares = ", ".join(f"{100 * share:.0f} % for {d:g}" for d, share in found.found)
    return (
        f"With {seeds}{one}{shared} the {found.test} test finds a difference of {found.detectable:.2g} "
        f"{unit} with a power of {least}{100 * WANTED:.0f} %; by difference, {least}{shares} (of normal "
        "scores with equal spread)."
    )


def powers(comparison: Comparison) -> list[str]:
    """Say the power of each kind of test that was made, once."""
    return list(dict.fromkeys(strength(contrast.power) for contrast in comparison.contrasts))


def reasons(comparison: Comparison) -> list[str]:
    """Say which tests were made and why."""
    found = ((one.verdict.test, one.reason) for one in comparison.contrasts)
    return [f"{test.sentence}: {reason}" for test, reason in dict.fromkeys(found)]


def scales(comparison: Comparison) -> Iterator[str]:
    """Say what 0 and 1 are, where scores were brought to one scale."""
    for task, scale in comparison.scales.items() if comparison.scaled else ():
        why = "as stated" if scale.stated else "the lowest and highest score of these runs"
        yield f"{task}: 0 is {scale.zero:g} and 1 is {scale.one:g}, {why}"


def record(comparison: Comparison) -> dict[str, Any]:
    """Return everything as a JSON value; None where a number is not finite."""
    found: dict[str, Any] = plain(
        {
            "tasks": list(comparison.tasks),
            "by": comparison.options.by.value,
            "measured": comparison.measured,
            "warnings": list(comparison.loud),
            "rule": RULE,
            "level": LEVEL,
            "arms": [_standing(one) for one in comparison.standings],
            "comparisons": [_contrast(one) for one in comparison.contrasts],
            "budgets": [one._asdict() for one in comparison.budgets],
            "scales": {task: vars(scale) for task, scale in comparison.scales.items()},
            "thresholds": dict(comparison.thresholds),
            "profile_levels": comparison.levels.tolist(),
        }
    )
    return found


def _standing(standing: Standing) -> dict[str, Any]:
    share, low, high = (values.tolist() for values in standing.profile)
    fates = counts(standing.arm.trials)
    return {
        "name": standing.arm.name,
        "differs": dict(standing.arm.differs),
        "runs": sum(fates.values()),
        "failed": fates[Fate.FAILED],
        "unfinished": fates[Fate.UNFINISHED],
        "interquartile_mean": _interval(standing.middle),
        "tasks": {
            task: {
                "seeds": [trial.seed for trial in standing.arm.trials[task]],
                "runs": [str(trial.path) for trial in standing.arm.trials[task]],
                "scores": scores.tolist(),
                "interquartile_mean": _interval(standing.by_task[task]),
                "steps_to_threshold": _reached(standing.reached.get(task)),
            }
            for task, scores in standing.scores.items()
        },
        "profile": {"share_above": share, "low": low, "high": high},
    }


def _contrast(contrast: Contrast) -> dict[str, Any]:
    return {
        **contrast.verdict._asdict(),
        "reason": contrast.reason,
        "probability_of_improvement": _interval(contrast.improvement),
        "cliffs_delta": contrast.delta,
        "hedges_g": _interval(contrast.effect),
        "power": {
            "detectable": contrast.power.detectable,
            "wanted": WANTED,
            "found": [{"difference": d, "power": share} for d, share in contrast.power.found],
        },
    }


def _interval(interval: Interval) -> dict[str, float]:
    return {"value": interval.mean, "low": interval.low, "high": interval.high}


def _reached(found: Reached | None) -> dict[str, Any] | None:
    return None if found is None else found._asdict()

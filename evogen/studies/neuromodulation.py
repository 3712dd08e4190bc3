"""The trial of neuromodulated plasticity: does it learn within a life, trained through the whole of it?

Recurrent networks of 20 hidden units live through cue and reward. What a synapse learns in life is a part
that PPO's gradient runs through, from the last trial back to the first: weights, the share alpha of the
learned part that is felt and its rate eta, both a synapse, and the modulator's weights are all trained.

    none       W alone; what is remembered is remembered in activity
    plastic    w = W + alpha F,  F <- clip(F + eta pre post, -1, 1)
    eligible   the same with F <- clip(F + eta e, -1, 1),  e <- lam e + pre post of the steps before
    modulated  the same with F <- clip(F + M eta e, -1, 1),  M = tanh(w_m . a) over input and hidden layer

Pay comes a step after the answer that it is for, so that `eligible` is the control of the modulator: it has
the same trace and no modulator.

Sources: Schmidgall and Hays 2022 (three-factor rules in spiking networks); Miconi et al. 2019,
"Backpropamine" (the form of the rule, textbook).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evogen.learning.ppo import PPO
from evogen.metrics.horizon import live
from evogen.plasticity.local import Local
from evogen.studies.small import Net, grown, roots, values
from evogen.studies.trials import Contrast, Effort, Measure, Trial, trial
from evogen.tasks.cue_reward import CueReward

UNITS = {"rate": ("rate", "tanh"), "lif": ("lif-step", "identity")}
TUNED = {"alpha": 0.1, "eta": 0.05}
RULES: Mapping[str, Local | None] = {
    "none": None,
    "plastic": Local(
        terms=("A", "alpha", "clamp"), granularity="synapse", tuned=TUNED, alpha=0.2, eta=0.2, bound=1.0
    ),
    "eligible": Local(
        terms=("A", "alpha", "eligibility", "clamp"), eligible="before",
        granularity="synapse", tuned=TUNED, alpha=0.2, eta=0.2, lam_e=0.3, bound=1.0,
    ),
    "modulated": Local(
        terms=("A", "alpha", "eligibility", "clamp"), modulator="global", eligible="before",
        granularity="synapse", tuned=TUNED, alpha=0.2, eta=0.2, lam_e=0.3, bound=1.0,
    ),
}  # fmt: skip
SAYS = {
    "none": "no plasticity, a recurrent net",
    "plastic": "Hebbian, not modulated",
    "eligible": "eligibility, not modulated",
    "modulated": "eligibility, gated by a learned modulator",
}


def measure(task: str, arm: str, seeds: Sequence[int], sizes: Mapping[str, float]) -> dict[str, list[float]]:
    """Train one network a seed, all in one batch, and let it live fresh lives."""
    world = CueReward(trials=int(sizes["trials"]))
    keys = roots("neuromodulation", task, seeds)
    body = grown(net(arm), world, keys)
    learner = PPO(
        iterations=int(sizes["iterations"]), environments=int(sizes["environments"]), horizon=world.horizon,
        epochs=2, minibatches=2, learning_rate=0.01, entropy=0.01, gamma=0.9,
    )  # fmt: skip
    fit = learner.fit(body, world, [key.child("learn") for key in keys], values(learner, len(seeds)))
    course = live(
        world,
        body.network(fit.flat).detach(),
        keys=[key.child("fresh") for key in keys],
        lives=int(sizes["lives"]),
        steps=world.horizon,
        marks=(world.horizon,),
    )
    third = 2 * (world.trials // 3)  # whole trials: of their two steps only the second is paid
    parts = {"last": course.reward[..., -third:], "first": course.reward[..., :third]}
    return {name: [200 * float(one) for one in each.mean((1, 2))] for name, each in parts.items()}


def net(arm: str) -> Net:
    """Return the network of an arm."""
    unit, _, name = arm.partition("-")
    neuron, activation = UNITS[unit]
    rule = RULES[name]
    if rule is None:
        return Net(20, neuron, activation, recurrent=True)
    return Net(20, neuron, activation, "local", "local", rules={"local": rule}, recurrent=True)


STUDY = trial(
    Trial(
        name="neuromodulation",
        title="Neuromodulated plasticity, trained through whole lives",
        claim=(
            "Plasticity that a learned modulator gates, trained by gradient through the whole episode, "
            "learns within a life, in spiking networks too; unmodulated plasticity and none do not."
        ),
        source="Schmidgall and Hays 2022 (Meta-SpikePropamine); Miconi et al. 2019 (Backpropamine)",
        published="modulated learns, the others fail; no figure readable",
        arms={f"{unit}-{name}": f"{SAYS[name]}; {unit} units" for unit in UNITS for name in SAYS},
        tasks={"cue-reward": "which of 4 random cues is rewarded is drawn per life"},
        measures={
            "last": Measure("reward in the last third of a life, of the best possible", "%", "more", 1),
            "first": Measure("the same in the first third", "%", "more", 1),
        },
        contrasts=tuple(
            Contrast(
                "cue-reward",
                "last",
                f"{unit}-modulated",
                f"{unit}-{other}",
                "more",
                published="learns, fails",
            )
            for unit in UNITS
            for other in ("eligible", "plastic", "none")
        ),
        full=Effort(seeds=10, sizes={"trials": 20, "iterations": 40, "environments": 16, "lives": 200}),
        quick=Effort(seeds=2, sizes={"trials": 6, "iterations": 2, "environments": 4, "lives": 10}),
        work=measure,
        notes=(
            "Guessing is worth 0 %, and so is every answer that does not follow from what was rewarded.",
            "Sizes were set after pilots of three seeds on other streams, in which the modulated arm led.",
        ),
    )
)

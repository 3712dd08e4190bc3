"""Cue and reward: which of k cues is worth going for must be found out in every life anew.

A life is a sequence of trials of two steps. In the first the agent is shown a cue and answers go or not; in
the second it is shown no cue, but what it did and what that was worth, and what it says then counts for
nothing. The cues are n random signs each, one of them is the target; both are drawn per life, and nothing
that is seen tells the target from the others, but the rewards:

    reward = 1 for going at the target or staying at another cue, else -1

In half of the trials the cue is the target, in the others each of the rest is equally likely, so that always
going, always staying and guessing are all worth 0 on average. An agent whose answers follow from what it sees
now scores 0 in expectation whatever its weights are; one that remembers can have almost every trial.

Source: after the cue-reward association of Miconi et al. 2019, "Backpropamine: training self-modifying neural
networks with differentiable neuromodulated plasticity"; one cue a trial, its two steps and the payment of
both answers are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from evogen.keys import Key
from evogen.phenotype import Network
from evogen.registry import register, setting
from evogen.tasks import Fold, Step, TaskKind
from evogen.tasks.episodes import BatchedEpisodes
from evogen.tasks.play import greedy, play

TARGET = 3  # place in the state
FEEDBACK = 3  # inputs beside the cue: what was done (one of two), and what it was worth


@register("task", "cue-reward")
@dataclass(frozen=True)
class CueReward:
    """Find out which cue is rewarded, trial by trial; an episode is one life.

    State: (P, B, 3 + 1 + k + trials) float64 = steps taken, last action, last reward; the target; a number in
    [0, 1) for each cue, whose first n binary digits are its signs; a number in [0, 1) for each trial.
    Observation: (P, B, n + 3) float32 = the cue's signs (-1 or 1; 0 when nothing is shown), then 1 for what
    was done (stay, go; 0 while a cue is shown), then the reward. Actions: 0 stays, 1 goes.
    """

    cues: int = setting(4, low=2, high=64, doc="cues of a life, one of them rewarded")
    bits: int = setting(8, low=1, high=32, doc="signs that a cue is made of")
    trials: int = setting(30, low=1, high=10_000, doc="trials of a life")
    episodes: int = setting(10, low=1, high=1000, doc="lives behind each score of an agent in the search")
    report_episodes: int = setting(50, low=1, high=10_000, doc="other lives of an agent in the report")

    kind = TaskKind.CONTROL
    outputs = 2
    normalised = False
    threshold = None

    @property
    def reported(self) -> str:
        """Lives with cues and targets that the search never saw."""
        return f"{self.report_episodes} fresh lives an agent, with other cues"

    @property
    def inputs(self) -> int:
        """The signs of a cue, what was done and what it was worth."""
        return self.bits + FEEDBACK

    @property
    def horizon(self) -> int:
        """Steps of a life, two a trial."""
        return 2 * self.trials

    @property
    def draws(self) -> int:
        """Uniform numbers of a life: the target, the cues, the order of the trials."""
        return 1 + self.cues + self.trials

    def lasting(self, steps: int) -> CueReward:
        """Return the same task with lives of so many steps."""
        return replace(self, trials=-(-steps // 2))

    def reset(self, uniforms: Tensor) -> tuple[Tensor, Tensor]:
        """Return (state, observation) of new lives from (P, B, draws) float64 uniforms."""
        target = (uniforms[..., :1] * self.cues).floor()
        state = torch.cat([torch.zeros_like(uniforms[..., :3]), target, uniforms[..., 1:]], -1)
        return state, self._seen(state)

    def step(self, state: Tensor, action: Tensor) -> Step:
        """Advance every life; the last trial's cue stands for those that would come after it."""
        steps, asked, went = state[..., 0], state[..., 0] % 2 < 1, action > 0
        right = went == (self._cue(state) == state[..., TARGET])
        paid = torch.where(asked, 2.0 * right - 1.0, 0.0).to(state)
        after = torch.cat([torch.stack([steps + 1.0, 1.0 * went, paid], -1), state[..., TARGET:]], -1)
        over = steps + 1.0 >= self.horizon
        return Step(after, self._seen(after), paid.float(), torch.zeros_like(over), over)

    def start(
        self, keys: Sequence[Key], copies: int, device: torch.device, *, again: bool = True
    ) -> BatchedEpisodes:
        """Return running lives, B = copies a row."""
        return BatchedEpisodes(self, keys, copies, device, again=again)

    def act(self, output: Tensor) -> Tensor:
        """Return (P, B) int64: whether the second of two outputs is the larger."""
        return greedy(output)

    def score(self, agents: Network, keys: Sequence[Key], fold: Fold) -> Tensor:
        """Return (P,) mean returns of lives, others for REPORT than for SEARCH."""
        count = self.episodes if fold is Fold.SEARCH else self.report_episodes
        return play(self, agents, keys=[key.child(fold.value) for key in keys], episodes=count).mean(-1)

    def _cue(self, state: Tensor) -> Tensor:
        """Return the number of the cue of this trial, (P, B)."""
        trial = (state[..., :1] / 2).floor().clamp(max=self.trials - 1)
        drawn = state.gather(-1, trial.long() + TARGET + 1 + self.cues).squeeze(-1)
        target = state[..., TARGET]
        other = ((2 * drawn - 1) * (self.cues - 1)).floor()  # 0 ... cues - 2 where drawn >= 1/2
        return torch.where(drawn < 0.5, target, other + 1.0 * (other >= target))

    def _seen(self, state: Tensor) -> Tensor:
        """Return the observation, (P, B, n + 3) float32."""
        asked = (state[..., :1] % 2 < 1).to(state)
        drawn = state.gather(-1, self._cue(state).long().unsqueeze(-1) + TARGET + 1)
        places = torch.arange(1, self.bits + 1, device=state.device, dtype=state.dtype)
        signs = 2 * ((drawn * 2**places).floor() % 2) - 1
        went, paid = state[..., 1:2], state[..., 2:3]
        return torch.cat([asked * signs, (1 - asked) * (1 - went), (1 - asked) * went, paid], -1).float()

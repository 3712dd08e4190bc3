"""Replay: some examples of earlier stages are kept and learnt again beside the new ones.

    G(theta) = -mean_b log softmax(f(x_b) over the heads of its own stage)[y_b];   (x_b, y_b) from the store

The store holds `size` examples in all, as many of each stage seen (what does not divide is left empty): when
a stage is added, the others give up some of theirs. Each minibatch is joined by as many stored examples,
drawn with replacement.

Source: experience replay as in Robins 1995 (https://doi.org/10.1080/09540099550039318) and Chaudhry et al.
2019 (https://arxiv.org/abs/1902.10486).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from evogen.keys import Key
from evogen.learning.stages import Guard, Respond, loss_of, taken
from evogen.registry import register, setting
from evogen.tasks import Stage


@register("protection", "replay")
@dataclass(frozen=True)
class Replay:
    """A store of examples; a strength of 1 weighs old and new alike."""

    size: int = setting(200, low=1, high=10**6, doc="examples in the store, at least one of each stage")

    def guard(
        self, state: Sequence[Stage], respond: Respond, keys: Sequence[Key], *, batches: int, size: int
    ) -> Guard | None:
        """Return the cross-entropy on stored examples."""
        counts = self._counts(state)
        ends = np.cumsum(counts)
        drawn = np.stack([key.generator().integers(ends[-1], size=(batches, size)) for key in keys])
        whole = _joined(state, counts, len(keys))
        picks = torch.from_numpy(drawn).to(whole.labels.device)  # (P, batches, B)

        def penalty(flat: Tensor, batch: int) -> Tensor:
            index = picks[:, batch]
            heads = taken(whole.heads.float(), index) > 0  # (P, B, outputs)
            again = Stage(taken(whole.inputs, index), taken(whole.labels, index), heads)
            everything = torch.arange(size, device=index.device).expand(len(index), -1)
            return loss_of(respond(flat, again.inputs), again, everything)[0]

        return penalty

    def keep(
        self,
        state: Sequence[Stage] | None,
        respond: Respond,  # noqa: ARG002
        flat: Tensor,  # noqa: ARG002
        stage: Stage,
        keys: Sequence[Key],
    ) -> list[Stage]:
        """Return the store with examples of this stage, (P, n, ...), first those to be kept longest."""
        count = min(self.size, stage.labels.shape[-1])
        drawn = [key.generator().permutation(stage.labels.shape[-1])[:count] for key in keys]
        index = torch.from_numpy(np.stack(drawn)).to(stage.labels.device)
        kept = Stage(taken(stage.inputs, index), taken(stage.labels, index), stage.heads)
        return [*(state or ()), kept]

    def _counts(self, state: Sequence[Stage]) -> list[int]:
        share = max(1, self.size // len(state))
        return [min(share, part.labels.shape[1]) for part in state]


def _joined(state: Sequence[Stage], counts: Sequence[int], rows: int) -> Stage:
    """Return the store on one axis; heads (P, n, outputs)."""
    parts = list(zip(state, counts, strict=True))
    return Stage(
        torch.cat([part.inputs[:, :count] for part, count in parts], 1),
        torch.cat([part.labels[:, :count] for part, count in parts], 1),
        torch.cat([part.heads.expand(rows, count, -1) for part, count in parts], 1),
    )

"""What tasks of kind SEQUENCE share: losses and scores against torch and scikit-learn."""

import pytest
import torch
from sklearn.metrics import r2_score

from evogen.keys import Key
from evogen.tasks import Sequences
from evogen.tasks.sequences import answered, cross_entropy, explained, lived, share, squared_error
from evogen.testing import tiny

SHAPE = (2, 4, 5)
RNG = Key(0).child("sequences")


def normal(*shape):
    return torch.from_numpy(RNG.generator().normal(size=shape))


def asked(targets):
    weight = torch.from_numpy(RNG.child("weight").generator().integers(0, 2, SHAPE)).float()
    return Sequences(torch.zeros(*SHAPE, 1), targets, weight)


def test_classes_are_judged_as_torch_does():
    output = normal(*SHAPE, 3)
    drawn = asked(torch.from_numpy(RNG.child("class").generator().integers(0, 3, SHAPE)))
    for row in range(2):
        kept = drawn.weight[row] > 0
        said, right = output[row][kept], drawn.targets[row][kept]
        wanted = torch.nn.functional.cross_entropy(said, right)
        torch.testing.assert_close(cross_entropy(output, drawn)[row], wanted)
        assert share(output, drawn)[row] == (said.argmax(-1) == right).double().mean()


def test_numbers_are_judged_as_scikit_learn_does():
    output, drawn = normal(*SHAPE, 2), asked(RNG.child("number") and normal(*SHAPE, 2).flip(1).float())
    for row in range(2):
        kept = drawn.weight[row] > 0
        said, right = output[row][kept].numpy(), drawn.targets[row][kept].double().numpy()
        wanted = r2_score(right, said, multioutput="variance_weighted")
        assert float(explained(output, drawn)[row]) == pytest.approx(wanted)
        assert float(squared_error(output, drawn)[row]) == pytest.approx(((said - right) ** 2).sum(-1).mean())


def test_what_nobody_asks_for_may_be_infinite_and_what_counts_may_not():
    drawn = asked(torch.zeros(SHAPE, dtype=torch.int64))
    output = normal(*SHAPE, 3)
    blown = torch.where((drawn.weight == 0).unsqueeze(-1), torch.inf, output)
    assert torch.equal(share(blown, drawn), share(output, drawn))
    blown[1] = torch.nan
    assert share(blown, drawn)[0] == share(output, drawn)[0]
    assert share(blown, drawn)[1].isnan()


def test_sequences_are_answered_in_parts_as_at_once():
    agents = tiny.network(tiny.Recall(), rule="abcd")
    inputs = normal(3, 70, 3, 2).float()
    torch.testing.assert_close(answered(agents, inputs), lived(agents, inputs))

"""Stages of digits: see the three tasks."""

import pytest
import torch

from evogen.errors import SpecError
from evogen.tasks import Fold, Stage
from evogen.tasks import digits as images
from evogen.tasks.digits import Digits
from evogen.tasks.permuted_digits import PermutedDigits
from evogen.tasks.split_digits import SplitDigits
from evogen.tasks.stages import Context, Scenario, right
from evogen.tasks.streamed_digits import StreamedDigits

from .fakes import Failing, Linear, keys, random_weights

FOLDS = ("train", "validation", "test")
TASKS = [
    PermutedDigits(stages=3),
    PermutedDigits(stages=3, context=Context.NEAREST),
    SplitDigits(),
    SplitDigits(classes=5, scenario=Scenario.CLASS),
    SplitDigits(scenario=Scenario.DOMAIN, context=Context.NEAREST),
    StreamedDigits(stages=4),
]


@pytest.fixture
def no_test_pixels(monkeypatch):
    """Reading the test fold fails, for stages that nobody has read yet too."""
    read = images.pixels

    def guarded(task, fold):
        assert fold != "test"
        return read(task, fold)

    monkeypatch.setattr("evogen.tasks.stages.pixels", guarded)


def raw(stage):
    return stage.inputs[:, :64] * 6 + 5


@pytest.mark.parametrize("fold", FOLDS)
def test_a_permuted_stage_has_every_image_with_its_pixels_in_one_other_order(fold):
    task = PermutedDigits(stages=3, context=Context.NONE)
    pixels, labels = images.pixels(Digits(), fold)
    orders = []
    for number in range(3):
        stage = task.stage(number, fold)
        assert torch.equal(stage.labels, labels)
        assert torch.equal(raw(stage).sort(1).values.round(decimals=3), pixels.sort(1).values)
        assert stage.heads.all()
        orders.append([int(column.argmax()) for column in _matches(raw(stage), pixels)])
    assert orders[0] != orders[1] != orders[2] != orders[0]


def _matches(shuffled, pixels):
    """Return for each shuffled column which columns of the images it equals, (64, 64)."""
    return (shuffled.round(decimals=3).T[:, None] == pixels.T[None]).all(-1).double()


def test_the_order_of_pixels_is_the_same_in_all_folds():
    task = PermutedDigits(stages=2, context=Context.NONE)
    found = []
    for fold in FOLDS:
        pixels, _ = images.pixels(Digits(), fold)
        found.append(_matches(raw(task.stage(1, fold)), pixels))
    varied = found[0].sum(1) == 1  # columns that equal one other only
    assert varied.sum() > 50
    for other in found[1:]:
        assert (other[varied][found[0][varied] > 0] == 1).all()


def test_one_hot_context_is_the_number_of_the_stage_in_every_fold():
    task = PermutedDigits(stages=3, context=Context.ONE_HOT)
    assert task.inputs == 67
    for fold in FOLDS:
        told = task.stage(1, fold).inputs[:, 64:].unique(dim=0)
        assert torch.equal(told, torch.tensor([[0.0, 3**0.5, 0.0]]))  # mean square 1


def test_a_prototype_is_the_mean_training_example_of_its_stage():
    task = PermutedDigits(stages=3, context=Context.PROTOTYPE)
    train = task.stage(2, "train").inputs
    mean = train[:, :64].double().mean(0).float()
    for fold in FOLDS:
        torch.testing.assert_close(task.stage(2, fold).inputs[:, 64:].unique(dim=0)[0], mean)


def test_the_nearest_prototype_is_looked_for_where_the_stage_is_not_told():
    task = SplitDigits(scenario=Scenario.CLASS, context=Context.NEAREST)
    known = torch.stack([task.stage(number, "train").inputs[0, 64:] for number in range(5)])
    for number in range(5):
        assert torch.equal(task.stage(number, "train").inputs[:, 64:].unique(dim=0)[0], known[number])
        inputs = task.stage(number, "validation").inputs
        nearest = ((inputs[:, None, :64] - known) ** 2).sum(-1).argmin(1)
        assert torch.equal(inputs[:, 64:], known[nearest])
        assert 0.5 < (nearest == number).double().mean() < 1  # it is inferred, not told


def test_split_stages_share_the_classes_out_and_keep_the_folds():
    task = SplitDigits()
    assert sorted(label for number in range(5) for label in task.members(number)) == list(range(10))
    for fold in FOLDS:
        pixels, labels = images.pixels(Digits(), fold)
        stages = [task.stage(number, fold) for number in range(5)]
        assert sum(len(stage.labels) for stage in stages) == len(labels)
        for number, stage in enumerate(stages):
            assert set(stage.labels.tolist()) == set(task.members(number))
            assert stage.heads.nonzero()[:, 0].tolist() == sorted(task.members(number))
            assert torch.equal(raw(stage).round(decimals=3), pixels[torch.isin(labels, stage.labels)])


def test_scenarios_say_which_outputs_may_answer():
    told, open_, shared = (
        SplitDigits(scenario=one) for one in (Scenario.TASK, Scenario.CLASS, Scenario.DOMAIN)
    )
    assert (told.outputs, open_.outputs, shared.outputs) == (10, 10, 2)
    assert told.stage(1, "train").heads.sum() == 2
    assert open_.stage(1, "train").heads.all()
    assert torch.equal(told.stage(1, "train").labels, open_.stage(1, "train").labels)
    original, places = open_.stage(3, "train").labels, shared.stage(3, "train").labels
    assert [shared.members(3)[place] for place in places] == original.tolist()


def test_every_scenario_is_named_in_what_a_report_says():
    for task, words in (
        (SplitDigits(), "task-incremental"),
        (SplitDigits(scenario=Scenario.CLASS), "class-incremental"),
        (SplitDigits(scenario=Scenario.DOMAIN), "domain-incremental"),
        (PermutedDigits(), "task-incremental (context: one-hot)"),
        (PermutedDigits(context=Context.NEAREST), "domain-incremental (context: nearest)"),
    ):
        assert words in task.reported


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"classes": 3}, "wanted 1, 2 or 5"),
        ({"classes": 1}, "one class is no question"),
        ({"scenario": Scenario.CLASS, "context": Context.ONE_HOT}, "tells the network which stage"),
        ({"scenario": Scenario.DOMAIN, "context": Context.PROTOTYPE}, "write context none or nearest"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, what):
    with pytest.raises(SpecError, match=what):
        SplitDigits(**settings)


def test_a_stream_shows_every_training_image_once():
    task = StreamedDigits(stages=7)
    assert task.passes == 1
    parts = [task.stage(number, "train") for number in range(7)]
    pixels, _ = images.pixels(Digits(), "train")
    whole = torch.cat([raw(part) for part in parts]).round(decimals=3)
    assert torch.equal(whole.unique(dim=0), pixels.unique(dim=0))
    assert len(whole) == len(pixels)
    assert max(len(part.labels) for part in parts) - min(len(part.labels) for part in parts) <= 1
    assert torch.equal(task.stage(0, "test").inputs, task.stage(6, "test").inputs)


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_no_example_is_in_two_folds_of_any_stages(task):
    seen = []
    for fold in FOLDS:
        rows = torch.cat([raw(task.stage(number, fold)).sort(1).values for number in range(task.stages)])
        seen.append({tuple(row) for row in rows.round().int().tolist()})
    pixels = [images.pixels(Digits(), fold)[0].sort(1).values.int().tolist() for fold in FOLDS]
    expected = [{tuple(row) for row in rows} for rows in pixels]
    assert seen == expected  # what images have in common when sorted, they have before
    assert sum(len(images.pixels(Digits(), fold)[1]) for fold in FOLDS) == 1797


@pytest.mark.parametrize("task", TASKS, ids=str)
def test_a_score_is_the_mean_accuracy_over_all_stages_of_its_own_fold(task):
    agents = Linear(random_weights((2, task.inputs, task.outputs)))
    for fold, name in ((Fold.SEARCH, "validation"), (Fold.REPORT, "test")):
        scores = task.score(agents, keys(2), fold)
        for row in range(2):
            each = []
            for number in range(task.stages):
                inputs, labels, heads = task.stage(number, name)
                output = inputs @ agents.weights[row]
                output[:, ~heads] = -torch.inf
                each.append(float((output.argmax(-1) == labels).double().mean()))
            assert scores[row] == pytest.approx(sum(each) / len(each), abs=1e-12)


@pytest.mark.usefixtures("no_test_pixels")
def test_search_never_reads_the_test_fold():
    for task in (
        PermutedDigits(stages=2, stage_seed=99),
        SplitDigits(stage_seed=99, context=Context.NEAREST),
        StreamedDigits(stage_seed=99),
    ):
        agents = Linear(random_weights((1, task.inputs, task.outputs)))
        for number in range(task.stages):
            task.stage(number, "train")
        assert 0.0 <= task.score(agents, keys(1), Fold.SEARCH) <= 1.0
        with pytest.raises(AssertionError):
            task.score(agents, keys(1), Fold.REPORT)


def test_an_output_that_is_not_finite_gives_a_nan_score_and_spares_the_other_rows():
    task = SplitDigits()
    weights = random_weights((3, 64, 10))
    healthy = task.score(Linear(weights), keys(3), Fold.SEARCH)
    scores = task.score(Failing(weights, row=1), keys(3), Fold.SEARCH)
    assert scores[1].isnan()
    assert torch.equal(scores[[0, 2]], healthy[[0, 2]])


def test_an_answer_outside_the_heads_does_not_count_but_must_be_finite():
    stage = Stage(torch.zeros(2, 1), torch.tensor([0, 1]), torch.tensor([True, True, False]))
    output = torch.tensor([[[1.0, 0.0, 9.0], [0.0, 1.0, 9.0]], [[1.0, 0.0, torch.nan], [1.0, 0.0, 0.0]]])
    found = right(output, stage)
    assert found[0].tolist() == [1.0, 1.0]
    assert found[1, 0].isnan()
    assert found[1, 1] == 0.0

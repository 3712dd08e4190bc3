import numpy as np

from evogen.analysis.portrait.confusion import Confusion
from evogen.report.markup import element
from evogen.report.winner.answers import confusion

COUNTS = np.array([[[8, 2, 0], [1, 9, 0], [0, 4, 5]], [[10, 0, 0], [0, 10, 0], [0, 0, 10]]])
FOUND = Confusion(COUNTS, np.array([10, 10, 10]), (0.7333, 1.0))


def root(found=FOUND):
    return element("div", *confusion(found))


def test_matrix_shows_the_first_agent_s_counts():
    texts = [item.text for item in root().iter("text") if "onto" in item.get("class")]
    assert texts == ["8", "2", "1", "9", "4", "5"]


def test_text_says_what_was_right_and_the_worst_confusion():
    words = "".join(root().itertext())
    assert "takes 22 of 30 test examples" in words
    assert "1 examples got no answer" in words
    labels = [item.get("aria-label") for item in root().iter("svg")]
    assert "class 2 was taken for 1, 4 times" in labels[0]


def test_recall_is_told_class_by_class_over_all_agents():
    rows = [["".join(item.itertext()) for item in row] for row in root().iter("tr")][1:]
    assert rows[0] == ["0", "10", "8", "0.9", "0.141"]
    assert rows[2] == ["2", "10", "5", "0.75", "0.354"]
    paths = {item.get("class"): item for item in root().iter("path") if item.get("class")}
    assert paths["dots blue"].get("d").count("M") == 6


def test_many_classes_are_coloured_without_numbers():
    many = Confusion(np.eye(40, dtype=int)[None] * 3, np.full(40, 3), (1.0,))
    assert not [item for item in root(many).iter("text") if "onto" in (item.get("class") or "")]
    label = next(root(many).iter("svg")).get("aria-label")
    assert "No example was taken for another class" in label


def test_classes_have_their_names_before_their_numbers():
    named = FOUND._replace(names=("setosa", "versicolor", "virginica"))
    texts = [item.text for item in root(named).iter("text") if "small end" in (item.get("class") or "")]
    assert texts == ["setosa 0", "versicolor 1", "virginica 2"]
    rows = [["".join(item.itertext()) for item in row] for row in root(named).iter("tr")][1:]
    assert [row[0] for row in rows] == texts


def test_a_class_without_examples_has_no_recall():
    counts = np.array([[[2, 0], [0, 0]]])
    found = root(Confusion(counts, np.array([2, 0]), (1.0,)))
    labels = [item.get("aria-label") for item in found.iter("svg")]
    assert labels[2].endswith("lowest for class 0: 100% on average")

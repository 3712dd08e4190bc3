import base64
import hashlib
import re
import sqlite3

import pytest

from evogen.cohort import Outcome
from evogen.errors import RunError
from evogen.report import write
from evogen.report.markup import element
from evogen.report.page import document, save

from .searches import CLASSIFIED, DIRECT, Page, create, fill

EVIL = '</pre></script><script>alert("1")</script>'
DRAWN = {"path", "image", "rect", "circle"}


def page(tmp_path, *runs):
    return Page(write(runs, tmp_path / "out" / "report.html").read_text())


@pytest.fixture(params=["whole", "classified", "direct", "unfinished", "empty", "failed"])
def any_page(request, tmp_path, search):
    text = {"classified": {"text": CLASSIFIED}, "direct": {"text": DIRECT}}.get(request.param, {})
    ends = {"ends": lambda ref: Outcome.CRASHED} if request.param == "failed" else {}
    run, _ = search({"unfinished": 1, "empty": 0}.get(request.param, 3), **text, **ends)
    return page(tmp_path, run)


def test_page_is_well_formed_and_asks_for_nothing(any_page):
    for tag, attributes in any_page.tags:
        for name in ("href", "src", "action", "data", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,")), tag
    assert not {"link", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in any_page.tags}
    assert not re.search(r"url\((?!#)|@import|https?:|fetch|import\(", "".join(any_page.inside.values()))
    assert "style" not in {name for _, attributes in any_page.tags for name in attributes}


def test_policy_allows_only_the_page_s_own_style_and_script(any_page):
    (policy,) = [item["content"] for item in any_page.named("meta") if "http-equiv" in item]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    for kind in ("style", "script"):
        digest = hashlib.sha256(any_page.inside[kind].encode()).digest()
        assert f"{kind}-src 'sha256-{base64.b64encode(digest).decode()}'" in policy
    assert len(any_page.named("style")) == 1
    assert [item.get("type") for item in any_page.named("script")] == ["application/json", None]


def test_every_drawing_has_content_numbers_and_a_text(any_page):
    drawings = []
    for tag, attributes in any_page.tags:
        if tag == "svg":
            drawings.append((attributes, set()))
        elif drawings and tag in DRAWN:
            drawings[-1][1].add(tag)
            assert attributes.get("d") != ""
        for name in set(attributes) & {"d", "x", "y", "width", "height", "cx", "viewbox"}:
            assert not re.search("nan|inf", attributes[name]), tag
    assert all(inside and len(attributes["aria-label"]) > 10 for attributes, inside in drawings)
    assert len(any_page.named("figure")) <= len(any_page.named("h4"))


def test_page_without_a_winner_says_so_and_shows_the_rest(tmp_path, search):
    empty, _ = search(0, name="empty")
    failed, _ = search(2, name="failed", ends=lambda ref: Outcome.CRASHED, message="ValueError: odd")
    first, second = page(tmp_path, empty).text, page(tmp_path, failed).text
    assert "unfinished: 0 of 3 cohorts" in first
    assert "no candidate has a fitness yet" in first
    assert "No candidate ended ok" in second
    assert "ValueError: odd" in second
    for text in (first, second):
        assert "evogen run" in text
        assert "torch 2.13.0" in text


def test_nothing_that_a_run_says_becomes_markup(tmp_path):
    environment = {"command": EVIL, EVIL: EVIL, "versions": {EVIL: EVIL}}
    run, experiment = create(tmp_path / "<script>alert(1)<", environment=environment)
    with run:
        fill(run, experiment, 2, ends=lambda ref: Outcome.OK if ref.row else Outcome.CRASHED, message=EVIL)
        run.log("baselines", rows=[{"name": EVIL, "validation": 0.5, "test": 0.5, "parameters": 1}])
        run.log("assessment", ref=str(run.best()), title=EVIL, scores=[1.0, 2.0], episodes=None)
        found = page(tmp_path, run)
    assert len(found.named("script")) == 2
    assert "alert" not in found.inside["script"]
    assert found.text.count(EVIL) >= 7
    assert "<script>alert(1)<" in found.words
    assert r'"name":"\u003cscript>alert(1)\u003c"' in found.source


def test_what_cannot_be_read_is_named_and_the_rest_is_shown(tmp_path, search):
    run, _ = search(3)
    (run.path / "experiment.yaml").write_text("task: juggling\n")
    (run.path / "environment.json").write_text("{")
    for file in (run.path / "arrays").iterdir():
        file.write_bytes(b"gone")
    run.log("baselines", rows=[{"name": "half"}])
    text = page(tmp_path, run).text
    for what in ("the experiment", "the environment", "the winner's genome", "the baselines"):
        assert f"{what} cannot be read" in text
    assert "Fitness over the search" in text
    assert "The best 10 candidates" in text
    assert run.fingerprint() in text


def test_several_runs_share_one_page_with_contents(tmp_path, search):
    runs = [search(1, name=name)[0] for name in ("one", "two")]
    found = page(tmp_path, *runs)
    assert [item["id"] for item in found.named("article")] == ["run-1", "run-2"]
    targets = [item["href"] for item in found.named("a")]
    assert targets[:2] == ["#run-1", "#run-2"]
    assert {target[1:] for target in targets} <= {
        attributes["id"] for _, attributes in found.tags if "id" in attributes
    }
    assert "<title>evogen: one, two</title>" in found.source


def test_report_of_500_candidates_is_smaller_than_a_megabyte(tmp_path, search):
    run, _ = search(10, text=CLASSIFIED.replace("cohorts: 3, cohort_size: 6", "cohorts: 10, cohort_size: 50"))
    assert len(list(run.rows())) == 500
    assert write([run], tmp_path / "report.html").stat().st_size < 1_000_000


def test_equal_runs_give_equal_pages(tmp_path, search):
    run, _ = search(2)
    first = write([run], tmp_path / "a.html").read_bytes()
    assert write([run], tmp_path / "b.html").read_bytes() == first


def test_file_is_replaced_whole(tmp_path, search):
    run, _ = search(1)
    out = tmp_path / "pages" / "report.html"
    write([run], out)
    before = out.stat().st_ino
    write([run], out)
    assert out.stat().st_ino != before
    assert {item.name for item in out.parent.iterdir()} == {
        "report.html",
        "report.json",
        "report-candidates.csv",
        "report-cohorts.csv",
    }


def test_page_that_cannot_be_written_is_one_error(tmp_path, search):
    run, _ = search(1)
    (tmp_path / "taken.html").mkdir()
    with pytest.raises(RunError, match="taken"):
        write([run], tmp_path / "taken.html")


def test_writing_a_report_changes_nothing_in_the_run(tmp_path, search):
    run, _ = search(2)
    before = sorted((path, path.read_bytes()) for path in run.path.rglob("*.safetensors"))
    digest = run.fingerprint()
    write([run], tmp_path / "report.html")
    assert run.fingerprint() == digest
    assert sorted((path, path.read_bytes()) for path in run.path.rglob("*.safetensors")) == before
    with sqlite3.connect(run.path / "run.db") as database:
        assert database.execute("SELECT count(*) FROM event").fetchone() == (1,)  # created
    database.close()


def test_a_file_that_is_no_report_is_not_overwritten(tmp_path, search):
    run, _ = search(2)
    database = run.path / "run.db"
    before = database.read_bytes()
    with pytest.raises(RunError, match=r"run\.db exists and is no report"):
        write([run], database)
    assert database.read_bytes() == before
    for _ in range(2):
        write([run], tmp_path / "again.html")


@pytest.mark.parametrize("name", ["mine.json", "mine-candidates.csv", "mine-cohorts.csv"])
def test_a_file_beside_the_page_that_is_no_report_is_not_overwritten(tmp_path, search, name):
    run, _ = search(1)
    (tmp_path / name).write_text("run,of,luck\n")
    with pytest.raises(RunError, match=f"{name} exists and is no report"):
        write([run], tmp_path / "mine.html")
    assert (tmp_path / name).read_text() == "run,of,luck\n"
    assert not (tmp_path / "mine.html").exists()


@pytest.mark.parametrize("name", ["report", "report.json", "report.csv"])
def test_page_has_a_name_that_says_so(tmp_path, search, name):
    run, _ = search(1)
    with pytest.raises(RunError, match=f"ends in .html, not '{name}'"):
        write([run], tmp_path / name)


def test_document_is_a_page_of_given_sections(tmp_path):
    text = document("a < b", [element("section", element("h1", "a < b")), element("p", "c")])
    found = Page(save(text, tmp_path / "page.html").read_text())
    assert found.words == ["\n", "a < b", "a < b", "c", "\n"]
    assert len(found.named("article")) == len(found.named("script")) == len(found.named("style")) == 1
    (tmp_path / "other.html").write_text("mine")
    with pytest.raises(RunError, match=r"other\.html exists and is no report"):
        save(text, tmp_path / "other.html")

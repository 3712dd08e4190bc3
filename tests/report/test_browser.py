import experiment_files
import pytest
from typer.testing import CliRunner

import evogen
from evogen.cli import app
from evogen.cohort import Outcome
from evogen.report import write

from .browsing import CONTRASTS, EMPTY, MARK, chromium, column, executable, opened
from .searches import CLASSIFIED, CONTROL, DIRECT, create, fill

OPEN = "for (const item of document.querySelectorAll('details')) item.open = true"
RUNS = {
    "whole": (3, CONTROL, None),
    "classified": (3, CLASSIFIED, None),
    "direct": (3, DIRECT, None),
    "unfinished": (1, CONTROL, None),
    "empty": (0, CONTROL, None),
    "failing": (3, CONTROL, 3),
    "failed": (2, CONTROL, 1),
    "<script>alert(1)<": (2, CONTROL, None),
}

COMMANDS = {  # what its page is headed, and what the command is given
    "compare": (
        "Comparison of 2 arms",
        "--arm",
        "a={runs}0,{runs}1",
        "--arm",
        "b={runs}2,{runs}3",
        "--by",
        "search",
    ),
    "diff": ("run1", "{runs}0@best", "{runs}1@best", "--agents", "3"),
    "knockout": ("Knock-out of", "{runs}0@best", "--agents", "6"),
    "lineage": ("Lineage of", "{invented}@2:3"),
}


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Return what gives the report of some of RUNS, made once."""
    folder, made, found = tmp_path_factory.mktemp("reports"), {}, {}

    def run(name):
        if name not in made:
            cohorts, text, every = RUNS[name]
            (folder / str(len(made))).mkdir()
            made[name], experiment = create(folder / str(len(made)) / name, text)
            ends = (lambda ref: Outcome.OK if ref.row % every else Outcome.CRASHED) if every else None
            fill(made[name], experiment, cohorts, **({"ends": ends} if ends else {}))
        return made[name]

    def report(*names):
        if names not in found:
            found[names] = write([run(name) for name in names], folder / f"page{len(found)}.html")
        return found[names]

    yield report
    for item in made.values():
        item.close()


@pytest.fixture
def page(browser, reports):
    with opened(browser, reports("failing")) as found:
        yield found


def whole(page):
    """Open all that is closed; every figure on the page has content, whatever its switches show."""
    page.evaluate(OPEN)
    assert page.evaluate(EMPTY) == []
    for switch in page.locator(".toggle").all():
        switch.click()
    assert page.evaluate(EMPTY) == []


@pytest.mark.parametrize("name", RUNS)
def test_page_asks_for_nothing_complains_of_nothing_and_every_figure_has_content(browser, reports, name):
    with opened(browser, reports(name)) as page:
        whole(page)
        assert page.locator("h1").first.inner_text() == name


def test_several_runs_stand_in_one_page_and_a_candidate_belongs_to_its_run(browser, reports):
    with opened(browser, reports("whole", "failing")) as page:
        page.locator("#run-2 tr[data-ref]").first.click()
        assert page.locator("#run-1 [aria-current]").count() == 0
        assert "failing" in page.locator("aside.selected").inner_text()
        assert page.url.endswith(
            f"#run-2/{page.locator('#run-2 tr[data-ref]').first.get_attribute('data-ref')}"
        )


def test_every_column_of_a_sortable_table_is_sorted_both_ways(page):
    page.evaluate(OPEN)
    assert page.locator("table.sortable").count() > 0
    for table in page.locator("table.sortable").all():
        for place, head in enumerate(table.locator("thead th").all()):
            before = column(table, place)
            found = {}
            for _ in range(2):
                head.locator("button").click()
                found[head.get_attribute("aria-sort")] = column(table, place)
            assert table.locator("th[aria-sort]").count() == 1
            assert sorted(map(str, before)) == sorted(map(str, found["ascending"]))
            if all(isinstance(value, (int, float)) for value in before):
                assert found["ascending"] == sorted(before)
                assert found["descending"] == sorted(before, reverse=True)
            assert found["ascending"][0] == found["descending"][-1] or len(set(map(str, before))) > 1


def marks(page):
    """Return the sets of marks that are seen."""
    found = [path for path in page.locator("#run-1 path.marks").all() if svg_of(path).is_visible()]
    assert len({svg_of(path).get_attribute("aria-label") for path in found}) >= 2
    return found


def svg_of(path):
    return path.locator("xpath=ancestor::*[name()='svg'][1]")


def facts(page):
    """Return what the panel says of the selected candidate."""
    pairs = page.locator("aside.selected dl > div")
    return {pair.locator("dt").inner_text(): pair.locator("dd").inner_text().strip() for pair in pairs.all()}


def test_mouse_selects_a_candidate_in_every_chart_and_the_same_in_a_row(page):
    found = marks(page)
    refs = page.locator("tr[data-ref]").evaluate_all("rows => rows.map(row => row.dataset.ref)")
    for path in found:
        ref = next((ref for ref in path.get_attribute("data-refs").split() if ref in refs), None)
        if ref is None:
            continue
        path.scroll_into_view_if_needed()
        x, y = path.evaluate(MARK, ref)
        page.mouse.move(x, y)
        assert f"Candidate {ref}" in page.locator(".bubble").inner_text()
        page.mouse.click(x, y)
        row = page.locator(f'tr[data-ref="{ref}"]').first
        assert row.get_attribute("aria-current") == "true"
        assert page.locator("aside.selected .title").inner_text().endswith(ref)
        assert facts(page)["outcome"] == "ok"
        for other in found:
            rings = svg_of(other).locator(".rings .selected").count()
            assert rings > 0 or ref not in other.get_attribute("data-refs").split()
    page.keyboard.press("Escape")
    assert page.locator("aside.selected").is_hidden()
    assert page.locator("[aria-current]").count() == 0


def test_keyboard_reaches_a_chart_steps_through_candidates_and_selects(page):
    charts = [svg for svg in page.locator("svg:has(path.marks)").all() if svg.is_visible()]
    for svg in charts[:2]:
        for _ in range(200):
            page.keyboard.press("Tab")
            if svg.evaluate("svg => svg === document.activeElement"):
                break
        else:
            pytest.fail("a chart is not reached by Tab")
        page.keyboard.press("ArrowRight")
        first = page.locator(".bubble strong").inner_text()
        page.keyboard.press("ArrowRight")
        second = page.locator(".bubble strong").inner_text()
        assert first != second
        page.keyboard.press("ArrowLeft")
        assert page.locator(".bubble strong").inner_text() == first
        page.keyboard.press("Enter")
        assert page.locator("aside.selected .title strong").inner_text() == first.removeprefix("Candidate ")
        page.keyboard.press("Escape")
        assert page.locator("aside.selected").is_hidden()


def test_row_of_a_table_is_selected_with_enter_and_leads_to_its_parents(page):
    row = next(row for row in page.locator("tr[data-ref]").all() if row.get_attribute("data-ref")[0] == "2")
    row.focus()
    page.keyboard.press("Enter")
    assert row.get_attribute("aria-current") == "true"
    told = facts(page)
    parent = told["parents"].split()[0]
    page.locator("aside.selected dd button", has_text=parent).first.click()
    assert page.locator("aside.selected .title strong").inner_text() == parent
    assert row.get_attribute("aria-current") is None
    page.locator("aside.selected button[title^=Close]").click()
    assert page.locator("aside.selected").is_hidden()


def test_panel_says_what_the_run_stores(browser, reports):
    with opened(browser, reports("failing"), address="#run-1/2:0") as page:
        assert facts(page)["outcome"] == "crashed"
        assert facts(page)["made by"] == "crossover + rules.gaussian"
        assert facts(page)["parents"] == "1:0"
        assert "fitness" not in facts(page)


def labels(svg):
    texts = svg.locator("g.axes text.end:not(.name)").all_text_contents()
    return [float(text.replace("−", "-").replace(",", "")) for text in texts]


def test_dragging_zooms_relabels_the_axes_and_a_double_click_goes_back(page):
    svg = svg_of(marks(page)[0])
    svg.scroll_into_view_if_needed()
    before, texts = labels(svg), sorted(svg.locator("g.axes text").all_text_contents())
    box = svg.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + box["width"] / 5, y + box["height"] / 5, steps=4)
    assert svg.locator(".rubber").count() == 1
    page.mouse.up()
    assert svg.locator(".rubber").count() == 0
    after = labels(svg)
    assert after != before
    assert after[1] - after[0] < (before[1] - before[0]) / 1.9
    assert min(before) - (before[1] - before[0]) < min(after) < max(after) < max(before)
    assert page.locator("aside.selected").is_hidden()
    page.mouse.dblclick(x, y)
    assert labels(svg) == before
    svg.focus()
    for _ in range(2):
        page.keyboard.press("+")
    assert labels(svg)[1] - labels(svg)[0] < (before[1] - before[0]) / 1.9
    page.keyboard.press("0")
    assert sorted(svg.locator("g.axes text").all_text_contents()) == texts


def test_zoomed_marks_are_where_their_numbers_say(page):
    path = marks(page)[0]
    svg = svg_of(path)
    ref = path.get_attribute("data-refs").split()[-1]
    svg.focus()
    before = path.evaluate(MARK, ref)
    page.keyboard.press("ArrowLeft")
    while page.locator(".bubble strong").inner_text() != f"Candidate {ref}":
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("+")
    page.keyboard.press("+")
    after = path.evaluate(MARK, ref)
    assert before != after
    page.mouse.move(*after)
    assert page.locator(".bubble strong").inner_text() == f"Candidate {ref}"
    ring = svg.locator(".rings .pointed").first.bounding_box()
    assert ring["x"] + ring["width"] / 2 == pytest.approx(after[0], abs=1)
    assert ring["y"] + ring["height"] / 2 == pytest.approx(after[1], abs=1)


def test_chart_is_enlarged_and_goes_back_to_its_place(page):
    figure = page.locator("figure.chart").first
    svg = figure.locator("svg").first
    small = svg.bounding_box()
    button = figure.get_by_role("button", name="enlarge")
    button.click()
    large = page.locator(".enlarged figure svg").first
    assert large.bounding_box()["height"] > 1.5 * small["height"]
    page.keyboard.press("Escape")
    assert page.locator(".enlarged").is_hidden()
    assert svg.bounding_box() == small
    assert button.evaluate("button => button === document.activeElement")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_read_in_light_and_dark_by_setting_and_by_switch(browser, reports, scheme):
    with opened(browser, reports("failing", "classified"), color_scheme=scheme) as page:
        page.evaluate(OPEN)
        page.locator("tr[data-ref]").first.click()
        paper = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        assert [text for ratio, text in page.evaluate(CONTRASTS) if ratio < 4.5] == []
        page.locator(".tools button").click()
        assert page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor") != paper
        assert [text for ratio, text in page.evaluate(CONTRASTS) if ratio < 4.5] == []


@pytest.mark.parametrize("names", [("failing",), ("classified",), ("whole", "failing")])
def test_narrow_page_never_scrolls_sideways(browser, reports, names):
    with opened(browser, reports(*names), width=400) as page:
        page.evaluate(OPEN)
        page.locator("tr[data-ref]").first.click()
        wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1]


def test_print_opens_everything_and_leaves_out_what_is_for_a_screen(page):
    page.locator("tr[data-ref]").first.click()
    page.emulate_media(media="print")
    for what in (".tools", "button.tool", "aside.selected", ".bubble", "nav"):
        assert not any(item.is_visible() for item in page.locator(what).all()), what
    assert all(item.is_visible() for item in page.locator("details > :not(summary)").all())
    scrolling = "items => items.filter(item => getComputedStyle(item).overflowX !== 'visible').length"
    assert page.locator(".scroll, pre").evaluate_all(scrolling) == 0
    assert page.pdf().startswith(b"%PDF")


def test_page_is_whole_without_script(browser, reports):
    with opened(browser, reports("failing"), java_script_enabled=False) as page:
        assert page.locator("svg").first.is_visible()
        assert page.locator("h1").inner_text() == "failing"
        assert page.locator("tr[data-ref]").count() > 0


def test_a_browser_that_is_required_is_missed_loudly(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setenv("EVOGEN_BROWSER", "required")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        executable()
    monkeypatch.delenv("EVOGEN_BROWSER")
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        executable()


@pytest.fixture(scope="module")
def written(reports, tmp_path_factory):
    """Return the page that each of COMMANDS wrote about small real runs, or an invented one."""
    folder = tmp_path_factory.mktemp("written")
    spec = experiment_files.write(folder)
    for seed in range(4):
        evogen.run(evogen.load(spec, [f"seed={seed}"]), out=folder / f"run{seed}").close()
    invented = next(reports("whole").parent.glob("*/whole"))
    pages = {}
    for name, (title, *words) in COMMANDS.items():
        pages[name] = title, folder / f"{name}.html"
        arguments = [word.format(runs=folder / "run", invented=invented) for word in words]
        ended = CliRunner().invoke(app, [name, *arguments, "-o", str(pages[name][1])])
        assert ended.exit_code == 0, ended.output
    return pages


@pytest.mark.parametrize("name", COMMANDS)
def test_page_of_a_command_asks_for_nothing_and_every_figure_has_content(browser, written, name):
    title, path = written[name]
    with opened(browser, path) as page:
        whole(page)
        assert title in page.locator("h1").inner_text()
        assert page.locator("figure svg").count() > 0
        for table in page.locator("table.sortable").all():
            before = column(table, 0)
            table.locator("thead button").first.click()
            assert sorted(map(str, column(table, 0))) == sorted(map(str, before))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", COMMANDS)
def test_page_of_a_command_is_read_in_light_and_dark(browser, written, name, scheme):
    with opened(browser, written[name][1], color_scheme=scheme) as page:
        page.evaluate(OPEN)
        assert [text for ratio, text in page.evaluate(CONTRASTS) if ratio < 4.5] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_narrow_page_of_a_command_never_scrolls_sideways(browser, written, name):
    with opened(browser, written[name][1], width=400) as page:
        page.evaluate(OPEN)
        wide = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert wide[0] <= wide[1]


def test_ancestor_of_a_lineage_is_selected_in_its_drawing_and_in_a_row(browser, written):
    with opened(browser, written["lineage"][1]) as page:
        row = page.locator("tr[data-ref^='1:']").last
        ref = row.get_attribute("data-ref")
        row.click()
        assert facts(page)["outcome"] == "ok"
        assert page.locator("aside.selected .title").inner_text().endswith(ref)
        assert page.locator(".rings .selected").count() == 1


@pytest.mark.slow
def test_report_of_ten_runs_of_a_thousand_candidates_is_small_and_works(browser, tmp_path):
    text = CONTROL.replace("cohorts: 3, cohort_size: 6", "cohorts: 10, cohort_size: 100")
    runs = []
    for at in range(10):
        run, experiment = create(tmp_path / f"run{at}", text.replace("seed: 7", f"seed: {at}"))
        runs.append(run)
        fill(run, experiment, 10)
    out = write(runs, tmp_path / "report.html")
    for run in runs:
        run.close()
    assert out.stat().st_size <= 5_000_000
    with opened(browser, out) as page:
        page.locator("#run-10 tr[data-ref]").first.click()
        assert page.locator("aside.selected").is_visible()

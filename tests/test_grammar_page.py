"""What docs/grammar.md says of grammar files holds, and its commands run, with a short search."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evogen import grammar
from evogen.cli import app
from evogen.errors import GrammarError
from evogen.grammar.activations import ACTIVATIONS
from evogen.grammar.initialisers import INITIALISERS
from evogen.grammar.neurons import STRUCTURES

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs/grammar.md").read_text()
SHORT = ["search.cohorts=1", "search.cohort_size=4", "strategy.population=4", "learner.epochs=2"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for folder in ("searchspaces", "grammars"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    (tmp_path / "grammars/mine.bnf").write_text(blocks("bnf")[0])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_command_of_the_page_runs(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # what `run` prints of other models and writes as a page is tested elsewhere
    monkeypatch.setattr("evogen.compare", lambda *_: {})
    monkeypatch.setattr("evogen.report.write", lambda *given: given[1])
    lines = [line.removeprefix("$ ") for block in blocks("console") for line in block.splitlines()]
    assert len(lines) >= 8
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "evogen"
        if words[0] == "run":
            short = SHORT[:-1] if "learner=none" in words else SHORT
            words += [part for each in short for part in ("--set", each)]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, f"{line}\n{result.output}"


def test_the_python_of_the_page_runs(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    exec(compile(code, "docs/grammar.md", "exec"), {})
    assert capsys.readouterr().out.splitlines()[0] == "group:neurons"


def test_the_error_of_the_page_is_what_is_said(checkout: Path) -> None:
    path = Path("grammars/mine.bnf")
    path.write_text(path.read_text().replace("<act> <term>", "<akt> <term>"))
    with pytest.raises(GrammarError) as caught:
        grammar.load(path)
    assert blocks("text")[0].rstrip() == f"error: {caught.value}"


def test_the_page_names_every_shipped_grammar_with_its_starts() -> None:
    for path in sorted((ROOT / "grammars").glob("*.bnf")):
        (row,) = [line for line in TEXT.splitlines() if line.startswith(f"| `{path.name}`")]
        starts = {rule.symbol for rule in grammar.load(path).rules if rule.type is not None}
        assert set(re.findall(r"`([\w-]+)`", row.split("|")[2])) == starts, path.name


def test_the_page_names_all_that_can_be_chosen() -> None:
    for name in (*STRUCTURES, *INITIALISERS):
        assert f"`{name}`" in TEXT or f" {name} " in TEXT, name
    (line,) = [line for line in TEXT.splitlines() if line.startswith("    act:NAME")]
    assert all(name in line for name in ACTIVATIONS)


def test_links_of_the_page_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", TEXT):
        assert (ROOT / "docs" / link).exists(), link

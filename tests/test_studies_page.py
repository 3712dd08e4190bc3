"""docs/studies.md is what docs/studies.py makes of the records; every record is of its study."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

from evogen import studies
from evogen.studies.trials.table import lines

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "docs" / "studies").glob("*.json"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("studies_page", ROOT / "docs" / "studies.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_equals_its_records(script: ModuleType) -> None:
    assert (ROOT / "docs" / "studies.md").read_text() == script.page(script.read())


def test_every_record_is_of_a_study_and_shown(script: ModuleType) -> None:
    assert {path.stem for path in RECORDS} == set(script.read()) <= set(studies.TRIALS)


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.stem)
def test_a_record_is_of_the_full_form_and_names_no_place_nor_date(path: Path) -> None:
    whole = json.loads(path.read_bytes())
    assert whole["study"] == path.stem
    assert whole["command"] == f"evogen study {path.stem}"
    assert not re.search(r"/(tmp|work|home|root)/|20\d\d-\d\d-\d\d", path.read_text())
    assert max(map(len, lines(whole))) <= 80
    assert studies.find(path.stem).title == whole["title"]

from __future__ import annotations

import pytest

from evogen.tasks.digits import Digits


@pytest.fixture
def no_test_fold(monkeypatch):
    """Reading the test fold of the digits fails."""
    read = Digits.examples

    def guarded(self, fold):
        assert fold != "test"
        return read(self, fold)

    monkeypatch.setattr(Digits, "examples", guarded)

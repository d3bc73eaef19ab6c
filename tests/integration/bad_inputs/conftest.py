"""One server and one installation per module: its rows, good and bad, are read in one go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.vendors import Intake, vendors


@pytest.fixture(scope="module")
def intake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Intake]:
    home: Path = tmp_path_factory.mktemp("home")
    with vendors() as told, pytest.MonkeyPatch.context() as patch:
        yield Intake(home, told, patch)


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    """One of its own for a test that reads several times."""
    with vendors() as told:
        yield Intake(tmp_path, told, monkeypatch)

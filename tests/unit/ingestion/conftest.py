"""A new home whose state store and warehouse are there, for what is said of messages alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from core.settings import Settings
from ingestion.run import ensure_warehouse
from state.engine import open_state


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The home's."""
    return Settings(home=tmp_path)


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """Its store, with the empty warehouse beside it."""
    engine = open_state(settings)
    ensure_warehouse(settings, engine)
    yield engine
    engine.dispose()

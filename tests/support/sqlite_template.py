"""A new state store in SQLite, brought to today by the statements that the migrations end in, instead of by all of them.

Belongs here: what one run of the migrations left, as statements, and putting them in the migrations' place. PostgreSQL has
a template for that. Whose subject are the migrations themselves runs them (``as_they_are``).
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect

from core.settings import Settings
from state.engine import open_unbound
from state.migrations import upgrade

_real = upgrade.upgrade


@contextmanager
def made_from_template() -> Iterator[None]:
    """While the block runs, a store that is new in this process is made from the template."""
    _statements()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrade, "upgrade", _upgrade)
        yield


@contextmanager
def as_they_are() -> Iterator[None]:
    """While the block runs, every store is brought to today by the migrations."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upgrade, "upgrade", _real)
        yield


def _upgrade(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        with engine.begin() as db:
            # Asked by who may write: another may have brought it to today since, or it is an older one.
            if not inspect(db).get_table_names():
                for statement in _statements():
                    db.exec_driver_sql(statement)
                return
    _real(engine)


@lru_cache(maxsize=1)
def _statements() -> tuple[str, ...]:
    with tempfile.TemporaryDirectory() as home:
        settings = Settings(home=Path(home))
        open_unbound(settings).dispose()
        store = sqlite3.connect(settings.state)
        found = tuple(store.iterdump())
        store.close()
    return tuple(each for each in found if each not in {"BEGIN TRANSACTION;", "COMMIT;"})

"""The state store in PostgreSQL: how it is reached, and what a server must promise before anything is written.

Belongs here: the setting, the connection and what is asserted of it. Transactions, migrations and which database
belongs to which home are the opener's, ``engine``.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from core.errors import ConfigurationError
from core.hush import keep_quiet
from core.settings import Settings

DRIVER = "postgresql+psycopg"
_OLDEST = 140_000
"""PostgreSQL 14: the oldest that is still maintained."""

_PROMISES: dict[str, tuple[str, ...]] = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply"),
    "server_encoding": ("UTF8",),
    "client_encoding": ("UTF8",),
    "transaction_isolation": ("read committed",),
    "transaction_read_only": ("off",),
}
"""Setting → values that lose nothing that was committed. A standby is read-only."""

_LIMITS = (
    ("lock_timeout", "30s"),
    # A worker that stands still inside a transaction would keep all others waiting for ever.
    ("idle_in_transaction_session_timeout", "60s"),
)


def url_of(settings: Settings) -> URL | None:
    """The database that the setting names, None when it names none; ConfigurationError when it is no such address."""
    if settings.state_url is None:
        return None
    remedy = (
        "Set WAYBILL_STATE_URL=postgresql://USER:PASSWORD@HOST:PORT/DATABASE, or leave it out for SQLite."
    )
    try:
        url = make_url(settings.state_url.get_secret_value())
    except (ArgumentError, ValueError):
        # The cause would repeat the address, and a password with it.
        raise ConfigurationError("WAYBILL_STATE_URL is no address of a database.", remedy=remedy) from None
    if url.drivername not in {"postgresql", "postgres", DRIVER} or not url.database:
        raise ConfigurationError("WAYBILL_STATE_URL names no PostgreSQL database.", remedy=remedy)
    keep_quiet(url.password or "")
    return url.set(drivername=DRIVER)


def shown(url: URL) -> str:
    """The database without user, password and options: what may stand in a message."""
    place = url.host or str(url.query.get("host", "localhost"))
    return f"postgresql://{place}{f':{url.port}' if url.port else ''}/{url.database}"


def connect(url: URL) -> Engine:
    """An engine whose every connection was asked what it promises; ConfigurationError when it cannot be reached."""
    engine = create_engine(url, pool_pre_ping=True, hide_parameters=True, isolation_level="READ COMMITTED")
    event.listen(engine, "connect", _on_connect)
    try:
        engine.connect().close()
    except OperationalError as error:
        engine.dispose()
        raise ConfigurationError(
            f"The state store {shown(url)} cannot be used: {str(error.orig).strip().splitlines()[0]}",
            remedy="Start the server, create the database, or correct WAYBILL_STATE_URL.",
        ) from error
    return engine


def _on_connect(connection: Any, _record: object) -> None:
    """Set the limits and check what durability needs."""
    with connection.cursor() as cursor:
        for name, value in _LIMITS:
            cursor.execute(f"SET {name} = '{value}'")
        if connection.info.server_version < _OLDEST:
            raise ConfigurationError(
                f"PostgreSQL {connection.info.server_version // 10_000} is too old for the state store.",
                remedy="Use PostgreSQL 14 or newer.",
            )
        for name, good in _PROMISES.items():
            found = cursor.execute("SELECT current_setting(%s)", (name,)).fetchone()[0]
            if found not in good:
                raise ConfigurationError(
                    f"The state store's server runs with {name} = {found}, not {good[0]}.",
                    remedy=f"Set {name} = {good[0]} on the server or for this database; what was committed must last.",
                )
    connection.commit()

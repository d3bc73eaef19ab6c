"""API keys: 256 random bits behind a prefix, shown once, kept as a hash, bound to one partner and to scopes.

Belongs here: making, finding and revoking. A key that was revoked or has expired is found by nobody from that moment on:
each request asks the database anew. The hash is plain SHA-256: what has 256 random bits needs no slow one.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

from pydantic import SecretStr
from sqlalchemy import Connection, Engine, Row, insert, select, update

from core.errors import PermanentFailure
from core.ids import sha256_hex
from state import ledger
from state.engine import reading
from state.tables_of_keys import api_keys as table

Scope = Literal[
    "orders:write", "routes:write", "proofs:write", "freight:write", "exceptions:write", "events:write",
    "shipments:read", "kpis:read", "messages:read",
]  # fmt: skip
SCOPES: tuple[Scope, ...] = get_args(Scope)

MOST_LIVE = 2
"""Keys of one partner that are good at once: the one in use and the one that follows it."""
LONGEST = timedelta(days=366)
_PREFIX = "wbk"
_TOKEN = re.compile(rf"{_PREFIX}_([0-9a-f]{{12}})_([A-Za-z0-9_-]{{43}})")
_USED_AGAIN = timedelta(minutes=1)
"""The time of the last use is kept to this: a key in use is not written at each request."""


@dataclass(frozen=True)
class Key:
    """A key without its secret."""

    key_id: str
    partner: str
    scopes: tuple[Scope, ...]
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and now < self.expires_at


def create(
    engine: Engine, partner: str, scopes: Collection[Scope], lasts: timedelta, actor: str, now: datetime
) -> tuple[Key, SecretStr]:
    """A new key and the text that its owner sends, which is nowhere to be had again.

    PermanentFailure when the partner has two live keys, or no scope or no sensible length of life is given.
    """
    if not scopes or not set(scopes) <= set(SCOPES):
        raise PermanentFailure(
            f"{', '.join(scopes) or 'Nothing'} is not a list of scopes.",
            remedy=f"Name some of {', '.join(SCOPES)}.",
        )
    if not timedelta(0) < lasts <= LONGEST:
        raise PermanentFailure(
            f"A key cannot last {lasts.days} days.", remedy=f"Let it last 1 to {LONGEST.days} days."
        )
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    with engine.begin() as db:
        live = [each for each in _keys(db, table.c.partner == partner) if each.is_live(now)]
        if len(live) >= MOST_LIVE:
            raise PermanentFailure(
                f"{partner} has {len(live)} live keys: {', '.join(each.key_id for each in live)}.",
                remedy="Revoke the one that is not used any more with `waybill keys revoke`.",
            )
        db.execute(
            insert(table).values(
                key_id=key_id, partner=partner, secret_sha256=sha256_hex(secret.encode()), scopes=sorted(scopes),
                created_by=actor, created_at=now, expires_at=now + lasts,
            )
        )  # fmt: skip
        told = {"partner": partner, "scopes": sorted(scopes), "expires_at": (now + lasts).isoformat()}
        ledger.append(db, "api_key_created", actor, key_id, told)
        (key,) = _keys(db, table.c.key_id == key_id)
    return key, SecretStr(f"{_PREFIX}_{key_id}_{secret}")


def find_all(engine: Engine, tokens: Sequence[str], now: datetime) -> list[Key | None]:
    """The live key that each text is; None for every other text. Notes the use."""
    asked = [_TOKEN.fullmatch(each) for each in tokens]
    wanted = sorted({each[1] for each in asked if each})
    if not wanted:
        return [None] * len(asked)
    with reading(engine) as db:
        rows = {row.key_id: row for row in db.execute(select(table).where(table.c.key_id.in_(wanted)))}
    keys = {key_id: _key(row) for key_id, row in rows.items()}
    found = [
        keys[each[1]]
        if each
        and each[1] in keys
        and hmac.compare_digest(rows[each[1]].secret_sha256, sha256_hex(each[2].encode()))
        and keys[each[1]].is_live(now)
        else None
        for each in asked
    ]
    _note_use(engine, {each.key_id: each for each in found if each}.values(), now)
    return found


def _note_use(engine: Engine, used: Iterable[Key], now: datetime) -> None:
    stale = [
        each.key_id for each in used if each.last_used_at is None or now - each.last_used_at >= _USED_AGAIN
    ]
    if stale:
        with engine.begin() as db:
            live = table.c.key_id.in_(stale) & table.c.revoked_at.is_(None)
            db.execute(update(table).where(live).values(last_used_at=now))


def revoke(engine: Engine, key_id: str, actor: str, reason: str, now: datetime) -> Key:
    """End a key at once; PermanentFailure when there is none of this id or it was revoked already."""
    with engine.begin() as db:
        found = _keys(db, table.c.key_id == key_id)
        if not found or found[0].revoked_at is not None:
            raise PermanentFailure(
                f"{key_id} is no key that could be revoked.",
                remedy="`waybill keys list` lists the live ones.",
            )
        values = {"revoked_at": now, "revoked_by": actor, "revoked_because": reason}
        db.execute(update(table).where(table.c.key_id == key_id).values(**values))
        ledger.append(db, "api_key_revoked", actor, key_id, {"partner": found[0].partner, "reason": reason})
        (key,) = _keys(db, table.c.key_id == key_id)
    return key


def every(engine: Engine) -> list[Key]:
    """All keys, revoked and expired ones too, by partner and age."""
    with reading(engine) as db:
        return _keys(db)


def _keys(db: Connection, *where: Any) -> list[Key]:
    query = select(table).where(*where).order_by(table.c.partner, table.c.created_at, table.c.key_id)
    return [_key(row) for row in db.execute(query)]


def _key(row: Row[Any]) -> Key:
    return Key(
        row.key_id, row.partner, tuple(row.scopes), row.created_by, row.created_at, row.expires_at,
        row.last_used_at, row.revoked_at,
    )  # fmt: skip

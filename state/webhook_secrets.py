"""The secrets that vendors sign their webhooks with: encrypted at rest (AES-256-GCM) under a key from the environment.

Belongs here: keeping, opening and revoking. Each is bound to its row: a sealed secret that is moved to another partner or
vendor does not open. Without ``WAYBILL_SECRETS_KEY``, or with another one, nothing opens.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr
from sqlalchemy import ColumnElement, Engine, and_, insert, select, update

from core.errors import ConfigurationError, PermanentFailure
from core.settings import secret as named_secret
from state import ledger
from state.engine import reading
from state.tables_of_keys import webhook_secrets as table

KEY_NAME = "WAYBILL_SECRETS_KEY"
MOST_LIVE = 2
"""Secrets of one partner and vendor that are good at once: for rotation."""
_KEY_BYTES, _NONCE_BYTES = 32, 12


@dataclass(frozen=True)
class WebhookSecret:
    """A secret without what is secret of it."""

    secret_id: str
    partner: str
    vendor: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None


def add(
    engine: Engine, partner: str, vendor: str, value: SecretStr, actor: str, now: datetime
) -> WebhookSecret:
    """Keep a secret; PermanentFailure when two are live, ConfigurationError without the key to encrypt with."""
    secret_id, nonce = secrets.token_hex(6), secrets.token_bytes(_NONCE_BYTES)
    bound = _bound(secret_id, partner, vendor)
    sealed = nonce + _cipher().encrypt(nonce, value.get_secret_value().encode(), bound)
    with engine.begin() as db:
        live = db.execute(select(table.c.secret_id).where(_live(partner, vendor))).all()
        if len(live) >= MOST_LIVE:
            raise PermanentFailure(
                f"{partner} has {len(live)} live secrets of {vendor}.",
                remedy="Revoke the older one with `waybill keys secret-revoke`.",
            )
        db.execute(
            insert(table).values(
                secret_id=secret_id,
                partner=partner,
                vendor=vendor,
                sealed=sealed,
                created_by=actor,
                created_at=now,
            )
        )
        ledger.append(db, "webhook_secret_added", actor, secret_id, {"partner": partner, "vendor": vendor})
    return WebhookSecret(secret_id, partner, vendor, actor, now, None)


def live(engine: Engine, partner: str, vendor: str) -> list[SecretStr]:
    """The secrets that a signature may be made with, newest first; ConfigurationError when they do not open."""
    query = select(table).where(_live(partner, vendor)).order_by(table.c.created_at.desc())
    with reading(engine) as db:
        rows = db.execute(query).all()
    return [_opened(row.sealed, _bound(row.secret_id, partner, vendor)) for row in rows]


def revoke(engine: Engine, secret_id: str, actor: str, reason: str, now: datetime) -> None:
    """End a secret at once; PermanentFailure when there is none of this id that is live."""
    with engine.begin() as db:
        values = {"revoked_at": now, "revoked_by": actor, "revoked_because": reason}
        which = and_(table.c.secret_id == secret_id, table.c.revoked_at.is_(None))
        if db.execute(update(table).where(which).values(**values)).rowcount != 1:
            raise PermanentFailure(
                f"{secret_id} is no secret that could be revoked.",
                remedy="`waybill keys secrets` lists the live ones.",
            )
        ledger.append(db, "webhook_secret_revoked", actor, secret_id, {"reason": reason})


def every(engine: Engine) -> list[WebhookSecret]:
    """All of them, revoked ones too."""
    columns = [table.c[name] for name in WebhookSecret.__dataclass_fields__]
    with reading(engine) as db:
        rows = db.execute(select(*columns).order_by(table.c.partner, table.c.vendor, table.c.created_at))
        return [WebhookSecret(*row) for row in rows]


def _live(partner: str, vendor: str) -> ColumnElement[bool]:
    return and_(table.c.partner == partner, table.c.vendor == vendor, table.c.revoked_at.is_(None))


def _bound(secret_id: str, partner: str, vendor: str) -> bytes:
    return f"{secret_id}|{partner}|{vendor}".encode()


def _opened(sealed: bytes, bound: bytes) -> SecretStr:
    try:
        return SecretStr(_cipher().decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound).decode())
    except InvalidTag as error:
        raise ConfigurationError(
            f"A webhook secret was not encrypted with this {KEY_NAME}, or was altered.",
            remedy=f"Set {KEY_NAME} to the key it was kept with, or add the secret again.",
        ) from error


def _cipher() -> AESGCM:
    try:
        key = base64.b64decode(named_secret(KEY_NAME).get_secret_value(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != _KEY_BYTES:
        raise ConfigurationError(
            f"{KEY_NAME} is not {_KEY_BYTES} bytes in base64.", remedy="Make one: `openssl rand -base64 32`."
        )
    return AESGCM(key)

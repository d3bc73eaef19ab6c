"""A key opens what it is for, until it ends; what is secret is nowhere to be read."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from core.errors import ConfigurationError, PermanentFailure
from core.settings import Settings
from state import claims, keys, webhook_secrets
from state.engine import open_state, reading
from state.tables import metadata
from state.tables_of_keys import api_keys
from state.tables_of_keys import webhook_secrets as secrets_table

NOW = datetime(2026, 11, 13, 17, tzinfo=UTC)
DAY = timedelta(days=1)
CANARY = "canary-4f1c-of-a-webhook"


@pytest.fixture
def engine(tmp_path: Path, state_url: SecretStr | None) -> Iterator[Engine]:
    engine = open_state(Settings(home=tmp_path, state_url=state_url))
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def master_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(webhook_secrets.KEY_NAME, base64.b64encode(b"k" * 32).decode())


def make(engine: Engine, partner: str = "pod", lasts: timedelta = 30 * DAY) -> tuple[keys.Key, str]:
    key, token = keys.create(engine, partner, ["proofs:write", "messages:read"], lasts, "admin", NOW)
    return key, token.get_secret_value()


def find(engine: Engine, token: str, now: datetime) -> keys.Key | None:
    (found,) = keys.find_all(engine, [token], now)
    return found


def everything(engine: Engine) -> str:
    with reading(engine) as db:
        return "\n".join(str(row) for table in metadata.sorted_tables for row in db.execute(select(table)))


def test_of_several_texts_each_is_its_own_key_or_none(engine: Engine) -> None:
    (pod, its), (carrier, another) = make(engine), make(engine, "carrier")
    mixed = f"{its[:16]}_{another[17:]}"
    found = keys.find_all(engine, [its, another, mixed, "no key", its], NOW)
    assert [each and each.key_id for each in found] == [pod.key_id, carrier.key_id, None, None, pod.key_id]
    assert keys.find_all(engine, [], NOW) == []


def test_a_key_is_found_and_no_other_text_is(engine: Engine) -> None:
    key, token = make(engine)
    found = find(engine, token, NOW)
    assert found is not None and (found.key_id, found.partner) == (key.key_id, "pod")
    assert found.scopes == ("messages:read", "proofs:write")
    for other in (
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        token[4:],
        f" {token}",
        "",
        f"wbk_{'0' * 12}_{token[-43:]}",
    ):
        assert find(engine, other, NOW) is None


def test_a_token_has_256_random_bits_and_is_kept_nowhere(engine: Engine) -> None:
    _, token = make(engine)
    secret = token.rpartition("_")[2] if token.count("_") == 2 else token.split("_", 2)[2]
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert secret not in everything(engine)


def test_an_expired_key_is_no_key(engine: Engine) -> None:
    _, token = make(engine, lasts=DAY)
    assert find(engine, token, NOW + DAY - timedelta(seconds=1)) is not None
    assert find(engine, token, NOW + DAY) is None


def test_a_revoked_key_is_no_key_at_once_and_for_ever(engine: Engine) -> None:
    key, token = make(engine)
    keys.revoke(engine, key.key_id, "admin", "lost", NOW)
    assert find(engine, token, NOW) is None
    with pytest.raises(PermanentFailure, match="no key"):
        keys.revoke(engine, key.key_id, "admin", "lost", NOW)
    with pytest.raises(DBAPIError, match="stays revoked"), engine.begin() as db:
        db.execute(update(api_keys).values(revoked_at=None, revoked_by=None, revoked_because=None))


def test_two_keys_are_live_for_rotation_and_no_third(engine: Engine) -> None:
    first, _ = make(engine)
    make(engine)
    make(engine, partner="carrier")
    with pytest.raises(PermanentFailure, match="2 live keys"):
        make(engine)
    keys.revoke(engine, first.key_id, "admin", "rotated", NOW)
    make(engine)


def test_the_last_use_is_kept_to_the_minute(engine: Engine) -> None:
    _, token = make(engine)
    for after in (0, 30, 61):
        find(engine, token, NOW + timedelta(seconds=after))
        (key,) = keys.every(engine)
        assert key.last_used_at == NOW + timedelta(seconds=61 if after == 61 else 0)


@pytest.mark.parametrize("lasts", [timedelta(0), -DAY, 367 * DAY])
def test_a_key_has_a_sensible_end(engine: Engine, lasts: timedelta) -> None:
    with pytest.raises(PermanentFailure, match="cannot last"):
        make(engine, lasts=lasts)


def test_what_was_made_stays(engine: Engine) -> None:
    make(engine)
    for statement in (update(api_keys).values(scopes=["kpis:read"]), delete(api_keys)):
        with pytest.raises(DBAPIError, match=r"stays|append-only"), engine.begin() as db:
            db.execute(statement)


def test_a_webhook_secret_is_read_with_its_key_alone(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook_secrets.add(engine, "pod", "onfleet", SecretStr(CANARY), "admin", NOW)
    assert [each.get_secret_value() for each in webhook_secrets.live(engine, "pod", "onfleet")] == [CANARY]
    assert webhook_secrets.live(engine, "pod", "motive") == []
    assert CANARY not in everything(engine)
    for value, told in (
        ("", "not set"),
        ("short", "32 bytes"),
        (base64.b64encode(b"x" * 32).decode(), "altered"),
    ):
        monkeypatch.setenv(webhook_secrets.KEY_NAME, value)
        with pytest.raises(ConfigurationError, match=told):
            webhook_secrets.live(engine, "pod", "onfleet")


def test_a_sealed_secret_opens_in_its_own_row_alone(engine: Engine) -> None:
    webhook_secrets.add(engine, "pod", "onfleet", SecretStr(CANARY), "admin", NOW)
    with engine.begin() as db:
        row = dict(db.execute(select(secrets_table)).mappings().one())
        db.execute(secrets_table.insert().values(row | {"secret_id": "other", "partner": "thief"}))
    with pytest.raises(ConfigurationError, match="altered"):
        webhook_secrets.live(engine, "thief", "onfleet")


def test_a_revoked_secret_is_not_tried(engine: Engine) -> None:
    first = webhook_secrets.add(engine, "pod", "onfleet", SecretStr("one"), "admin", NOW)
    webhook_secrets.add(engine, "pod", "onfleet", SecretStr("two"), "admin", NOW + DAY)
    with pytest.raises(PermanentFailure, match="2 live"):
        webhook_secrets.add(engine, "pod", "onfleet", SecretStr("three"), "admin", NOW)
    webhook_secrets.revoke(engine, first.secret_id, "admin", "rotated", NOW)
    assert [each.get_secret_value() for each in webhook_secrets.live(engine, "pod", "onfleet")] == ["two"]


def test_the_first_to_assign_a_shipment_has_it(engine: Engine) -> None:
    assert claims.claim(engine, "a", ["S1", "S2"], NOW) == {"S1": "a", "S2": "a"}
    assert claims.claim(engine, "b", ["S2", "S3"], NOW) == {"S2": "a", "S3": "b"}
    assert claims.owners(engine, ["S1", "S3", "S4"]) == {"S1": "a", "S3": "b"}

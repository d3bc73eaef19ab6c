"""Fault 43: whoever edits, deletes or cuts the ledger, or signs it with another key, is told of by row."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from cli.main import typer_app
from core.errors import ConfigurationError, PermanentFailure
from core.settings import Settings, get_settings
from state import heads, ledger
from state.engine import open_state
from state.signing import public_hex, signing_key
from tests.support.guards import unguarded


@pytest.fixture
def settings(tmp_path: Path, state_url: SecretStr | None) -> Settings:
    return Settings(home=tmp_path / "home", state_url=state_url)


@pytest.fixture
def engine(settings: Settings) -> Engine:
    """Two batches of five rows each, both signed; the key's own row is the sixth of eleven."""
    engine = open_state(settings)
    for _ in range(2):
        batch(engine)
        assert heads.sign(settings, engine) is not None
    return engine


def batch(engine: Engine, rows: int = 5) -> None:
    with engine.begin() as db:
        for number in range(rows):
            ledger.append(db, "sending", "push", f"key-{number}", {"n": number})


def tamper(engine: Engine, statement: str) -> None:
    """Change the table as somebody with the file in hand can, past the triggers."""
    with engine.begin() as db, unguarded(db, "ledger"):
        db.execute(text(statement))


def found(settings: Settings, engine: Engine) -> list[str]:
    chain = ledger.verify(engine)
    return [
        *([chain.problem] if chain.problem else []),
        *heads.problems(engine, heads.read(settings.ledger_heads)),
    ]


def test_an_untouched_ledger_has_no_problem(settings: Settings, engine: Engine) -> None:
    assert [head.sequence for head in heads.read(settings.ledger_heads)] == [6, 11]
    assert found(settings, engine) == []
    # Rows that came since the last signature are no defect, nor is an end that is signed already.
    batch(engine)
    assert found(settings, engine) == []
    heads.sign(settings, engine)
    assert heads.sign(settings, engine) is None
    assert found(settings, engine) == []


def test_an_edited_row_is_named(settings: Settings, engine: Engine) -> None:
    tamper(engine, "UPDATE ledger SET actor = 'nobody' WHERE sequence IN (4, 8)")
    assert found(settings, engine) == ["row 4 was edited"]


def test_a_deleted_row_is_named(settings: Settings, engine: Engine) -> None:
    tamper(engine, "DELETE FROM ledger WHERE sequence = 3")
    assert found(settings, engine) == ["row 3 is missing"]


def test_a_cut_tail_is_named(settings: Settings, engine: Engine) -> None:
    tamper(engine, "DELETE FROM ledger WHERE sequence > 9")
    (told,) = found(settings, engine)
    assert told.startswith("the tail is missing: rows 10 to 11 were there at ")


def test_an_emptied_ledger_is_a_cut_tail(settings: Settings, engine: Engine) -> None:
    tamper(engine, "DELETE FROM ledger")
    (told,) = found(settings, engine)
    assert told.startswith("the tail is missing: rows 1 to 11")


def test_a_tail_that_was_cut_and_grew_again_is_named(settings: Settings, engine: Engine) -> None:
    tamper(engine, "DELETE FROM ledger WHERE sequence > 9")
    batch(engine)
    assert ledger.verify(engine).first_bad is None
    (told,) = found(settings, engine)
    assert told.startswith("row 11 is not the one that was signed")
    before = settings.ledger_heads.read_bytes()
    with pytest.raises(PermanentFailure, match="cut or written anew"):
        heads.sign(settings, engine)
    assert settings.ledger_heads.read_bytes() == before


def test_a_foreign_signature_is_named(settings: Settings, engine: Engine, tmp_path: Path) -> None:
    own = heads.read(settings.ledger_heads)[-1]
    forger = signing_key(tmp_path / "forger" / "signing.key")
    forged = own.model_copy(update={"key": public_hex(forger)})
    forged = forged.model_copy(update={"signature": forger.sign(forged.signed_bytes()).hex()})
    (told,) = heads.problems(engine, [forged])
    assert told == f"the head at row 11 was signed by a foreign key {public_hex(forger)[:12]}…"


@pytest.mark.parametrize(
    "changes",
    [{"signature": "00" * 64}, {"signature": "no hex"}, {"signed_at": "2020-01-01"}, {"row_hash": "0"}],
)
def test_a_broken_signature_is_named(settings: Settings, engine: Engine, changes: dict[str, Any]) -> None:
    head = heads.read(settings.ledger_heads)[-1].model_copy(update=changes)
    assert heads.problems(engine, [head]) == ["the signature of the head at row 11 is broken"]


def test_heads_that_were_taken_away_are_missed(settings: Settings, engine: Engine) -> None:
    settings.ledger_heads.unlink()
    assert found(settings, engine) == ["no signed head is there, though the ledger names a key that signed"]


def test_half_a_line_that_a_crash_left_is_no_head_and_is_taken_away(
    settings: Settings, engine: Engine
) -> None:
    with settings.ledger_heads.open("ab") as file:
        file.write(b'{"key":"ab')
    assert found(settings, engine) == []
    batch(engine)
    heads.sign(settings, engine)
    assert [head.sequence for head in heads.read(settings.ledger_heads)] == [6, 11, 16]


def test_a_whole_line_that_is_no_head_is_told(settings: Settings, engine: Engine) -> None:
    with settings.ledger_heads.open("ab") as file:
        file.write(b'{"key":"ab"}\n')
    with pytest.raises(PermanentFailure, match="Line 3"):
        heads.read(settings.ledger_heads)


def test_the_key_is_its_owners_alone_and_stays(settings: Settings, engine: Engine) -> None:
    assert stat.S_IMODE(settings.ledger_key.stat().st_mode) == 0o600
    assert len({head.key for head in heads.read(settings.ledger_heads)}) == 1
    settings.ledger_key.chmod(0o640)
    batch(engine)
    with pytest.raises(ConfigurationError, match="read by others"):
        heads.sign(settings, engine)


def test_a_lost_key_is_replaced_by_one_that_the_ledger_names(settings: Settings, engine: Engine) -> None:
    settings.ledger_key.unlink()
    batch(engine)
    heads.sign(settings, engine)
    assert len({head.key for head in heads.read(settings.ledger_heads)}) == 2
    assert found(settings, engine) == []


def test_what_a_batch_wrote_before_it_failed_is_signed(settings: Settings, engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), heads.signed_after(settings, engine):
        batch(engine)
        raise ZeroDivisionError
    assert heads.read(settings.ledger_heads)[-1].sequence == 16


def test_nothing_is_signed_where_nothing_was_written(settings: Settings) -> None:
    assert heads.sign(settings, open_state(settings)) is None
    assert not settings.ledger_key.exists()


class Told:
    """The commands on one home."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WAYBILL_HOME", str(settings.root))
        if settings.state_url is not None:
            monkeypatch.setenv("WAYBILL_STATE_URL", settings.state_url.get_secret_value())
        get_settings.cache_clear()

    def __call__(self, *words: str) -> Any:
        return CliRunner().invoke(typer_app, ["ledger", *words])


@pytest.fixture
def told(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    assert engine
    yield Told(settings, monkeypatch)
    get_settings.cache_clear()


def test_a_copy_kept_elsewhere_shows_what_the_home_no_longer_can(
    settings: Settings, engine: Engine, told: Told, tmp_path: Path
) -> None:
    copy = tmp_path / "auditor.jsonl"
    copy.write_text(told("export").stdout)
    key = json.loads(told("head").stdout)["key"]
    assert told("verify", "--against", str(copy), "--key", key).exit_code == 0
    # Whoever may write the home cuts both, and the home agrees with itself again.
    tamper(engine, "DELETE FROM ledger WHERE sequence > 6")
    settings.ledger_heads.write_text(copy.read_text().splitlines(keepends=True)[0])
    assert told("verify").exit_code == 0
    refused = told("verify", "--against", str(copy), "--key", key)
    assert refused.exit_code == 1
    assert "rows 7 to 11" in str(refused.exception)


def test_a_copy_is_believed_only_with_the_key_that_was_kept(told: Told, tmp_path: Path) -> None:
    copy = tmp_path / "auditor.jsonl"
    copy.write_text(told("export").stdout)
    refused = told("verify", "--against", str(copy), "--key", "ab" * 32)
    assert refused.exit_code == 1
    assert "foreign key" in str(refused.exception)


def test_a_finding_is_one_json_document_too(engine: Engine, told: Told) -> None:
    assert json.loads(told("verify", "--json").stdout)["problems"] == []
    tamper(engine, "DELETE FROM ledger WHERE sequence = 3")
    refused = told("verify", "--json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout) == {
        "rows": 2,
        "first_bad": 3,
        "heads": 2,
        "problems": ["row 3 is missing"],
    }

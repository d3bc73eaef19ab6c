"""`waybill dead-letter` on a terminal; what a replay does to a row is tested on real connections."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from typer.testing import CliRunner, Result

from cli.main import typer_app
from core.clock import utc_now
from core.settings import Settings
from ingestion import replaying
from ingestion.replaying import Fate
from state import dead_letters
from state.engine import open_state
from tests.unit.state.test_life_of_a_dead_letter import kept
from tests.unit.state.test_state_store import effect, enqueue

WHY = ("--actor", "anna", "--reason", "typo")
ORDER = {
    "order_id": "O-1", "customer_id": "C-1", "currency": "EURO", "status": "confirmed",
    "ordered_at": "2026-11-12T09:00:00+00:00",
}  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    settings = Settings(home=tmp_path)
    for module in ("dead_letter", "letter_decisions"):
        monkeypatch.setattr(f"cli.{module}.get_settings", lambda: settings)
    engine = open_state(settings)
    yield engine
    engine.dispose()


def call(*arguments: str, told: str | None = None) -> Result:
    return CliRunner().invoke(typer_app, ["dead-letter", *arguments], input=told)


def listed(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(call("list", *arguments, "--json").stdout)
    return found


def given_up(engine: Engine, state: str) -> None:
    enqueue(engine, new := effect())
    with engine.begin() as db:
        for each in ("SENDING", state):
            db.execute(
                text("UPDATE outbox SET state = :s WHERE idempotency_key = :k"),
                {"s": each, "k": new.idempotency_key},
            )


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What replays were asked for; each letter is replayed but those whose reason is CYCLE."""
    calls: list[tuple[Any, ...]] = []

    def replay(_: Settings, engine: Engine, ids: list[str], actor: str, reason: str) -> list[Fate]:
        calls.append((ids, actor, reason))
        found = [dead_letters.get(engine, each) for each in ids]
        return [
            Fate(each.dead_letter_id, "refused" if each.reason == "CYCLE" else "replayed", "d")
            for each in found
        ]

    monkeypatch.setattr(replaying, "replay_letters", replay)
    return calls


def test_every_stage_is_in_one_list_with_the_command_that_decides(engine: Engine) -> None:
    kept(engine, received_at=utc_now() - timedelta(days=3))
    given_up(engine, "DEAD")
    rows = {each["stage"]: each for each in listed()}
    assert {name: (row["status"], row["source id"]) for name, row in rows.items()} == {
        "ingestion": ("open", "O-1"), "push": ("DEAD", "S-1"),
    }  # fmt: skip
    assert rows["ingestion"]["decide with"].startswith("waybill dead-letter")
    assert rows["push"]["decide with"] == "waybill outbox propose S-1"
    assert 0 <= rows["ingestion"]["age_s"] - 3 * 86_400 < 600
    assert "3 days" in call("list").stdout
    assert [each["stage"] for each in listed("--stage", "push")] == ["push"]
    assert listed("--stage", "gate") == []


def test_what_the_push_has_not_given_up_is_no_dead_letter(engine: Engine) -> None:
    enqueue(engine, effect())
    assert listed() == []


def test_filters_narrow_the_list_to_letters(engine: Engine) -> None:
    kept(engine)
    kept(engine, 2, connection="pod")
    given_up(engine, "HELD")
    for words in (
        ("--connection", "erp"),
        ("--connection", "erp", "--resource", "orders", "--reason-code", "CURRENCY_INVALID"),
    ):
        assert [each["source id"] for each in listed(*words)] == ["O-1"]
    assert listed("--reason-code", "CYCLE") == listed("--status", "parked") == []


def test_a_letter_is_shown_as_it_came_with_its_fields_and_its_fixes(engine: Engine) -> None:
    made = kept(engine, raw=b'{"currency": "EURO"}', fields=ORDER)
    short = made.dead_letter_id[:10]
    assert call("show", short).stdout == '{"currency": "EURO"}\n'
    assert json.loads(call("show", short, "--fields").stdout) == ORDER
    assert call("fix", short, "--set", "currency=EUR", *WHY).exit_code == 0
    assert json.loads(call("show", short, "--fields").stdout)["currency"] == "EUR"
    document = json.loads(call("show", short, "--json").stdout)
    assert (document["raw"], document["fixes"][0]["fixed_by"]) == ('{"currency": "EURO"}', "anna")


def test_a_fix_comes_from_a_file_too_and_a_bad_one_changes_nothing(engine: Engine, tmp_path: Path) -> None:
    made = kept(engine, fields=ORDER)
    file = tmp_path / "fields.json"
    file.write_text(json.dumps(ORDER | {"currency": "EUR", "fx_rate": 1.25, "po_no": None}), encoding="utf-8")
    found = call("fix", made.dead_letter_id, "--file", str(file), *WHY, "--json")
    assert json.loads(found.stdout)["fields"]["fx_rate"] == "1.25"
    bad = call("fix", made.dead_letter_id, "--set", "currency=EUROS", *WHY)
    assert "CURRENCY_INVALID" in str(bad.exception)
    assert [
        each["fix_no"] for each in json.loads(call("show", made.dead_letter_id, "--json").stdout)["fixes"]
    ] == [1]


@pytest.mark.parametrize(
    "words",
    [
        ("fix", "ID", *WHY),
        ("fix", "ID", "--set", "currency", *WHY),
        ("fix", "ID", "--file", "/nowhere.json", *WHY),
        ("fix", "ID", "--set", "a=b", "--changed-at", "yesterday", *WHY),
        ("fix", "ID", "--set", "a=b", "--changed-at", "2026-11-12T09:00:00", *WHY),
        ("fix", "ID", "--set", "a=b", "--actor", "anna"),
        ("fix", "ID", "--set", "a=b", "--actor", " ", "--reason", "a"),
        ("replay", *WHY),
        ("discard", *WHY),
        ("discard", "ID", "--connection", "erp", *WHY),
        ("discard", "ID", "--actor", "anna", "--reason", " "),
        ("list", "--stage", "sandbox"),
    ],
)
def test_without_a_row_a_change_a_name_or_a_reason_it_is_wrong_usage(
    engine: Engine, words: tuple[str, ...]
) -> None:
    name = kept(engine).dead_letter_id
    found = call(*(name if each == "ID" else each for each in words))
    assert found.exit_code == 2, found.output
    assert dead_letters.get(engine, name).status == "open"


def test_a_fix_from_stdin_that_is_no_object_is_wrong_usage(engine: Engine) -> None:
    name = kept(engine).dead_letter_id
    for text_ in ("[]", "{", '{"currency": "EUR", "currency": "USD"}'):
        assert call("fix", name, "--file", "-", *WHY, told=text_).exit_code == 2
    assert call("fix", name, "--file", "-", *WHY, told=json.dumps(ORDER | {"currency": "EUR"})).exit_code == 0


def test_many_are_replayed_oldest_first_after_a_word(engine: Engine, asked: list[tuple[Any, ...]]) -> None:
    made = [kept(engine, each, received_at=utc_now() - timedelta(days=each)) for each in (1, 2, 3)]
    bulk = ("replay", "--connection", "erp", "--limit", "2", *WHY)
    assert call(*bulk, told="n\n").exit_code == 1
    assert call(*bulk).exit_code == 1  # nobody there to ask
    assert asked == []
    assert call(*bulk, told="y\n").exit_code == 0
    assert call(*bulk, "--yes").exit_code == 0
    assert asked == [([made[2].dead_letter_id, made[1].dead_letter_id], "anna", "typo")] * 2


def test_a_replay_that_was_refused_is_a_failure(engine: Engine, asked: list[tuple[Any, ...]]) -> None:
    good, bad = kept(engine), kept(engine, 2, reason="CYCLE")
    assert call("replay", good.dead_letter_id, *WHY).exit_code == 0
    found = call("replay", good.dead_letter_id, bad.dead_letter_id, *WHY, "--json")
    assert (found.exit_code, [each["outcome"] for each in json.loads(found.stdout)]) == (
        1,
        ["replayed", "refused"],
    )
    assert len(asked) == 2


def test_many_are_discarded_and_stay_on_record(engine: Engine) -> None:
    for each in (1, 2, 3):
        kept(engine, each, reason="CYCLE" if each == 3 else "CURRENCY_INVALID")
    found = call("discard", "--reason-code", "CURRENCY_INVALID", "--yes", *WHY, "--json")
    assert len(json.loads(found.stdout)["discarded"]) == 2
    assert [each["source id"] for each in listed()] == ["O-3"]
    assert {each["source id"] for each in listed("--status", "discarded")} == {"O-1", "O-2"}

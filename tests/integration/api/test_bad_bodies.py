"""What is no message is refused by name, kept as a dead letter, and answered in a way that helps."""

from __future__ import annotations

import asyncio
import gzip
import json
from types import MappingProxyType
from typing import Any

import pytest

from api import bodies
from api.problems import Problem
from contracts.examples import EXAMPLES
from state import dead_letters
from state.source_fields import drift
from tests.support.api_world import World, cost, event, proof

COST = "/v1/freight-costs"


def text_of(**changes: Any) -> str:
    return json.dumps(cost(**changes))


def raw(old: str, new: str) -> bytes:
    """A good cost with one text replaced in its JSON."""
    text = text_of()
    assert old in text
    return text.replace(old, new, 1).encode()


BAD: dict[str, tuple[bytes, int, str]] = {
    "nested 10,000 deep": (b"[" * 10_000 + b"]" * 10_000, 400, "NESTED_TOO_DEEP"),
    "nested 33 deep": (raw('"EUR"', "[" * 32 + "]" * 32), 400, "NESTED_TOO_DEEP"),
    "a key twice": (raw('"currency": "EUR"', '"currency": "EUR", "currency": "USD"'), 422, "KEY_TWICE"),
    "a key twice further in": (raw('"EUR"', '{"a": 1, "a": 1}'), 422, "KEY_TWICE"),
    "a text of 65 kB": (raw("EUR", "E" * 65_537), 413, "TOO_LARGE"),
    "50,001 keys": (
        b"{" + b",".join(b'"k%d":0' % number for number in range(50_001)) + b"}",
        413,
        "TOO_LARGE",
    ),
    "integer of 2^63": (raw('"EUR"', str(2**63)), 422, "NUMBER_INVALID"),
    "integer of 5,000 digits": (raw('"EUR"', "9" * 5000), 422, "NUMBER_INVALID"),
    "NaN": (raw('"48.20"', "NaN"), 422, "NUMBER_INVALID"),
    "a JSON number as amount": (raw('"48.20"', "48.20"), 422, "CONTRACT_BROKEN"),
    "a whole JSON number as amount": (raw('"48.20"', "48"), 422, "CONTRACT_BROKEN"),
    "amount 1e309": (raw("48.20", "1e309"), 422, "CONTRACT_BROKEN"),
    "required amount null": (raw('"48.20"', "null"), 422, "CONTRACT_BROKEN"),
    "a lone surrogate in an id": (raw('"SH-1"', '"\\ud800"'), 422, "CONTRACT_BROKEN"),
    "a zero-width character in an id": (raw('"SH-1"', '"SH\\u200b-1"'), 422, "CONTRACT_BROKEN"),
    "an id as a number": (raw('"SH-1"', "1"), 422, "CONTRACT_BROKEN"),
    "a time without zone": (raw("10:15:00Z", "10:15:00"), 422, "CONTRACT_BROKEN"),
    "a time as a number": (raw('"2026-11-13T10:15:00Z"', "1762942500"), 422, "CONTRACT_BROKEN"),
    "a time as a number in a text": (raw("2026-11-13T10:15:00Z", "1762942500"), 422, "CONTRACT_BROKEN"),
    "invalid UTF-8": (raw("EUR", "\u00ff").decode().encode("latin-1"), 400, "JSON_INVALID"),
    "cut off": (raw("EUR", "EUR")[:-1], 400, "JSON_INVALID"),
    "two documents": (raw("EUR", "EUR") + b"{}", 400, "JSON_INVALID"),
    "nothing": (b"", 400, "JSON_INVALID"),
}
GOOD: dict[str, bytes] = {
    "nested 20 deep": raw('"currency"', '"beside": ' + "[" * 20 + "]" * 20 + ', "currency"'),
    "an integer of 2^63 - 1": raw('"currency"', f'"beside": {2**63 - 1}, "currency"'),
    "brackets in a text": raw('"currency"', '"beside": "' + "[" * 100 + '\\"{", "currency"'),
    "a field that nobody agreed on": raw('"currency"', '"colour": "red", "currency"'),
    "a formula as a name": raw('"currency"', '"basis": "=HYPERLINK(1)", "currency"'),
    "SQL as a name": raw('"currency"', "\"basis\": \"'; DROP TABLE inbox; --\", \"currency\""),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_and_its_bytes_are_kept(world: World, name: str) -> None:
    body, status, reason = BAD[name]
    answer = world.post(COST, "carrier_north", body)
    told = answer.json()
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), told
    letter = dead_letters.get(world.engine, told["dead_letter_id"])
    assert (letter.connection, letter.reason, letter.raw) == ("carrier_north", reason, body)
    assert told["remedy"]


@pytest.mark.parametrize("name", GOOD)
def test_what_is_like_it_is_taken_in(world: World, name: str) -> None:
    assert world.post(COST, "carrier_north", GOOD[name]).status_code == 202


@pytest.mark.parametrize(
    ("path", "partner", "body", "field"),
    [
        ("/v1/proofs-of-delivery", "pod_app", proof(has_damage="false"), "has_damage"),
        ("/v1/proofs-of-delivery", "pod_app", proof(has_damage=0), "has_damage"),
        ("/v1/proofs-of-delivery", "pod_app", proof(consignment_id=None), "consignment_id"),
        ("/v1/proofs-of-delivery", "pod_app", proof(latitude=91), "latitude"),
        ("/v1/proofs-of-delivery", "pod_app", proof(lines=[{"pod_line_id": "1", "item_id": "I", "quantity": 10, "uom": "EA"}]),
         "lines.0.quantity"),
        ("/v1/order-releases", "erp_house", EXAMPLES["OrderRelease"] | {"currency": "EURO"}, "currency"),
        ("/v1/order-releases", "erp_house", EXAMPLES["OrderRelease"] | {"net_total_amount": 125.0}, "net_total_amount"),
        ("/v1/order-releases", "erp_house", EXAMPLES["OrderRelease"] | {"lines": []}, "lines"),
        ("/v1/events", "fleet", event(time="0001-01-01T00:00:00Z"), "time"),
    ],
)  # fmt: skip
def test_what_breaks_a_contract_is_told_by_its_field(
    world: World, path: str, partner: str, body: Any, field: str
) -> None:
    answer = world.post(path, partner, body)
    assert answer.status_code == 422
    assert any(each["where"].endswith(field) for each in answer.json()["errors"]), answer.json()


def test_a_field_that_nobody_agreed_on_refuses_nothing_and_is_counted(world: World) -> None:
    lines = [{"pod_line_id": "1", "item_id": "I", "quantity": "1", "uom": "EA", "shade": "dark"}] * 2
    for _ in range(2):
        sent = proof(lines=lines, colour="red")
        assert world.post("/v1/proofs-of-delivery", "pod_app", sent).status_code == 202
    assert world.post("/v1/events/batch", "pod_app", [event(hue=1), event()]).status_code == 202
    found = {
        (each.resource, each.field): each.row_count
        for each in drift(world.engine)
        if each.connection == "pod_app"
    }
    assert found == {
        ("proof_of_delivery", "colour"): 2, ("proof_of_delivery", "lines.shade"): 2, ("event", "hue"): 1,
    }  # fmt: skip


def test_an_answer_repeats_nothing_that_was_sent(world: World) -> None:
    answer = world.post(COST, "carrier_north", cost(currency="canary-7d1e"))
    assert answer.status_code == 422 and "canary-7d1e" not in answer.text


@pytest.mark.parametrize(
    ("path", "partner", "body", "said"),
    [
        (COST, "carrier_north", cost(currency="JPY", amount="1.5"), "JPY"),
        ("/v1/events", "fleet", event(time="0001-02-03T00:00:00Z"), "0001"),
    ],
)
def test_our_own_words_repeat_nothing_either(
    world: World, path: str, partner: str, body: Any, said: str
) -> None:
    answer = world.post(path, partner, body)
    assert answer.status_code == 422 and said not in answer.json()["errors"][0]["expected"]


def test_a_type_that_nobody_knows_is_not_repeated_and_those_that_are_known_are_told(world: World) -> None:
    answer = world.post("/v1/events", "fleet", event(type="canary-7d1e"))
    assert answer.status_code == 422 and "canary-7d1e" not in answer.text
    (error,) = answer.json()["errors"]
    assert "waybill.stop.arrived.v1" in error["expected"]
    letter = dead_letters.get(world.engine, answer.json()["dead_letter_id"])
    assert "canary-7d1e" not in letter.detail and b"canary-7d1e" in letter.raw


def test_a_body_of_100_megabytes_is_not_read(world: World) -> None:
    answer = world.post(COST, "carrier_north", b"{}", Content_Length=str(100 * 1024 * 1024))
    assert answer.status_code == 413
    letter = dead_letters.get(world.engine, answer.json()["dead_letter_id"])
    assert json.loads(letter.raw)["size_at_least"] == 100 * 1024 * 1024


def test_a_body_that_does_not_say_its_size_is_read_to_the_limit(world: World) -> None:
    asked = 0

    def endless() -> Any:
        nonlocal asked
        while asked < 50:
            asked += 1
            yield b" " * 65_536

    headers = world.key("carrier_north") | {"Idempotency-Key": "endless"}
    answer = world.client.post(COST, headers=headers, content=endless())
    assert answer.status_code == 413
    assert (
        "sha256_of_what_was_read"
        in dead_letters.get(world.engine, answer.json()["dead_letter_id"]).raw.decode()
    )


def test_what_unpacks_beyond_the_limit_is_not_unpacked(world: World) -> None:
    bomb = gzip.compress(b" " * (64 << 20))
    answer = world.post(COST, "carrier_north", bomb, Content_Encoding="gzip")
    assert answer.status_code == 413
    packed = world.post(COST, "carrier_north", gzip.compress(text_of().encode()), Content_Encoding="gzip")
    assert packed.status_code == 202


@pytest.mark.parametrize(
    ("content", "encoding", "status"),
    [(b"no gzip", "gzip", 400), (gzip.compress(b"{}" * 99, mtime=0)[:-12], "gzip", 400), (b"{}", "br", 415)],
)
def test_an_encoding_that_is_none_is_refused(
    world: World, content: bytes, encoding: str, status: int
) -> None:
    assert world.post(COST, "carrier_north", content, Content_Encoding=encoding).status_code == status


class Chunks:
    """A gzip body that comes in these pieces."""

    headers = MappingProxyType({"content-encoding": "gzip"})

    def __init__(self, *chunks: bytes) -> None:
        self._chunks = chunks

    async def stream(self) -> Any:
        for each in self._chunks:
            yield each


_PACKED = gzip.compress(b"{}", mtime=0)


@pytest.mark.parametrize(
    "chunks",
    [(_PACKED + _PACKED,), (_PACKED, _PACKED), (_PACKED + b"x",), (_PACKED[:-1], _PACKED[-1:] + b"x")],
)
def test_what_follows_the_end_of_a_gzip_is_refused_and_not_dropped(chunks: tuple[bytes, ...]) -> None:
    with pytest.raises(Problem) as told:
        asyncio.run(bodies.read(Chunks(*chunks), 100))  # type: ignore[arg-type]
    assert told.value.status == 400 and "follows the end" in told.value.detail


@pytest.mark.parametrize("chunks", [(_PACKED,), (_PACKED[:5], _PACKED[5:]), (_PACKED, b"")])
def test_one_gzip_in_pieces_is_read(chunks: tuple[bytes, ...]) -> None:
    assert asyncio.run(bodies.read(Chunks(*chunks), 100)) == b"{}"  # type: ignore[arg-type]


def test_a_body_that_never_comes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "READ_S", 0)

    class Slow:
        headers = MappingProxyType({"content-type": "application/json"})

        async def stream(self) -> Any:
            await asyncio.Event().wait()
            yield b""

    with pytest.raises(Problem) as told:
        asyncio.run(bodies.read(Slow(), 10))  # type: ignore[arg-type]
    assert told.value.status == 408


def test_many_quotes_take_no_more_time_than_their_number() -> None:
    with pytest.raises(bodies.Refused):
        bodies.parse(b'"' + b'\\"' * 400_000)


@pytest.mark.parametrize("key", [None, "", "k" * 141, "with blank", "ümlaut"])
def test_a_message_has_a_sensible_id(world: World, key: str | None) -> None:
    headers = dict(world.key("carrier_north").items()) | (
        {} if key is None else {"Idempotency-Key": key.encode()}  # type: ignore[dict-item]
    )
    assert world.client.post(COST, headers=headers, json=cost()).status_code == 422

"""The files that tell others what they may send are what the models say, and take what the last release took."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from api.mqtt import TOPICS
from cli import contract_docs
from contracts.compatibility import breaks, broken_channels, broken_operations
from contracts.examples import EXAMPLES
from contracts.message_kinds import MESSAGES
from contracts.publishing import file_name, schema_of
from core.errors import WaybillError

Change = Callable[[dict[str, Any]], object]
COST = schema_of(MESSAGES["freight_cost"])
OPENAPI = json.loads((contract_docs.FOLDER / "openapi.json").read_text(encoding="utf-8"))
ASYNCAPI = json.loads((contract_docs.FOLDER / "asyncapi.json").read_text(encoding="utf-8"))


def fields(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["properties"]
    return found


def test_the_files_are_what_the_models_say() -> None:
    contract_docs.write_contracts(check=True)
    there = {path.relative_to(contract_docs.FOLDER / "schemas").as_posix()
             for path in (contract_docs.FOLDER / "schemas").rglob("*.json")}  # fmt: skip
    assert there == {file_name(kind, model.version) for kind, model in MESSAGES.items()}


@pytest.mark.parametrize("name", ["asyncapi.json", "openapi.json", f"schemas/{file_name('event', 'v1')}"])
def test_a_file_that_is_not_what_the_models_say_fails_the_build(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "contracts"
    shutil.copytree(contract_docs.FOLDER, folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    monkeypatch.setattr(contract_docs, "ROOT", tmp_path)
    monkeypatch.setattr(contract_docs, "FOLDER", folder)
    contract_docs.write_contracts(check=True)
    with (folder / name).open("a", encoding="utf-8") as file:
        file.write(" ")
    with pytest.raises(WaybillError, match=f"{name} is not what the models say"):
        contract_docs.write_contracts(check=True)


@pytest.mark.parametrize(
    ("promised", "told"),
    [
        (lambda r: None, None),
        (lambda r: r["schemas"].update({"v0/freight_cost.json": COST}), r"v0/freight_cost\.json is gone"),
        (lambda r: fields(r["schemas"][file_name("freight_cost", "v1")]).update(why={}), r"\.why: is gone"),
        (lambda r: r["openapi"]["paths"].update({"/v1/gone": {"get": {}}}), "GET /v1/gone: is gone"),
        (lambda r: r["asyncapi"]["channels"].update(gone={}), "channel gone: is gone"),
    ],
    ids=["nothing", "a version", "a field", "a route", "a channel"],
)
def test_what_the_last_release_took_and_is_not_taken_any_more_fails_the_build(
    promised: Change, told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = contract_docs.promises()
    promised(released)
    monkeypatch.setattr(contract_docs, "RELEASED", tmp_path / "released.json")
    contract_docs.RELEASED.write_text(json.dumps(released), encoding="utf-8")
    with pytest.raises(WaybillError, match=told) if told else nullcontext():
        contract_docs.write_contracts(check=True)


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_schema_takes_its_example_and_not_every_thing(kind: str) -> None:
    schema = schema_of(MESSAGES[kind])
    Draft202012Validator.check_schema(schema)
    example = EXAMPLES[MESSAGES[kind].__name__]
    MESSAGES[kind].model_validate_json(json.dumps(example), strict=True)
    assert list(Draft202012Validator(schema).iter_errors(example)) == []
    assert list(Draft202012Validator(schema).iter_errors({}))


def references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("$ref"), str):
            yield document["$ref"]
        for each in document.values():
            yield from references(each)
    elif isinstance(document, list):
        for each in document:
            yield from references(each)


@pytest.mark.parametrize("name", ["asyncapi.json", "openapi.json"])
def test_every_reference_leads_somewhere(name: str) -> None:
    document = json.loads((contract_docs.FOLDER / name).read_text(encoding="utf-8"))
    found = set(references(document))
    assert found
    for each in found:
        at = document
        for step in each.removeprefix("#/").split("/"):
            at = at[step]


def test_whatever_way_a_message_may_come_is_described() -> None:
    channels = json.loads((contract_docs.FOLDER / "asyncapi.json").read_text(encoding="utf-8"))["channels"]
    posted = {path for path, each in OPENAPI["paths"].items() if "post" in each and "documents" not in path}
    assert {each["address"] for each in channels.values()} == posted | {TOPICS.replace("+", "{partner}")}


BREAKING: dict[str, Change] = {
    "a field is gone": lambda s: fields(s).pop("basis"),
    "a field is asked for": lambda s: s["required"].append("carrier_id"),
    "a new field is asked for": lambda s: (
        fields(s).update(why={"type": "string"}),
        s["required"].append("why"),
    ),
    "another type": lambda s: fields(s)["amount"].update(type="number"),
    "another pattern": lambda s: fields(s)["currency"].update(pattern="^EUR$"),
    "a shorter text": lambda s: fields(s)["freight_charge_id"].update(maxLength=10),
    "a longer least": lambda s: fields(s)["freight_charge_id"].update(minLength=2),
    "an alternative is gone": lambda s: fields(s)["carrier_id"].update(
        anyOf=[fields(s)["carrier_id"]["anyOf"][0]]
    ),
    "a closed list": lambda s: fields(s)["currency"].update(enum=["EUR"]),
    "no other field": lambda s: s.update(additionalProperties=False),
    "a least of fields": lambda s: s.update(minProperties=9),
    "another default": lambda s: fields(s)["carrier_id"].update(default="NORTH"),
}
HARMLESS: dict[str, Change] = {
    "nothing": lambda s: None,
    "a new field that may be left out": lambda s: fields(s).update(why={"type": "string"}),
    "a field may be left out": lambda s: s["required"].remove("currency"),
    "a longer text": lambda s: fields(s)["freight_charge_id"].update(maxLength=200),
    "other fields, as before": lambda s: s.update(additionalProperties=True),
    "no longer a least": lambda s: fields(s)["freight_charge_id"].pop("minLength"),
    "one alternative more": lambda s: fields(s)["carrier_id"]["anyOf"].append({"type": "integer"}),
    "another description": lambda s: fields(s)["currency"].update(description="ISO 4217"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_change_that_breaks_senders_is_told(name: str) -> None:
    new = copy.deepcopy(COST)
    BREAKING[name](new)
    assert len(breaks(COST, new)) == 1, breaks(COST, new)


@pytest.mark.parametrize("name", HARMLESS)
def test_a_change_that_breaks_nobody_is_not_told(name: str) -> None:
    new = copy.deepcopy(COST)
    HARMLESS[name](new)
    assert breaks(COST, new) == []


def test_a_break_inside_a_part_is_told() -> None:
    old = schema_of(MESSAGES["order_release"])
    new = copy.deepcopy(old)
    new["$defs"]["ReleasedLine"]["required"].append("tax_code")
    assert breaks(old, new) == [".lines[].tax_code: is required now"]


def test_an_event_s_type_that_is_gone_is_told() -> None:
    old = schema_of(MESSAGES["event"])
    new = copy.deepcopy(old)
    new["oneOf"].pop()
    assert len(breaks(old, new)) == 1


def parameter(document: dict[str, Any], name: str) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = document["paths"]["/v1/kpis"]["get"]["parameters"]
    return next(each for each in parameters if each["name"] == name)


UNBROKEN: dict[str, Change] = {
    "nothing": lambda d: None,
    "a parameter takes more": lambda d: parameter(d, "grain")["schema"]["enum"].append("year"),
    "one parameter more": lambda d: d["paths"]["/v1/kpis"]["get"]["parameters"].append(
        {"in": "query", "name": "why", "required": False, "schema": {"type": "string"}}
    ),
    "one body more": lambda d: d["paths"]["/v1/events"]["post"]["requestBody"]["content"].update(
        {"application/json": {}}
    ),
    "a field of an answer says more": lambda d: d["components"]["schemas"]["Outcome"]["properties"][
        "trace_id"
    ].update(description="more"),
    "a part of an answer has one field more": lambda d: d["components"]["schemas"]["Refusal"][
        "properties"
    ].update(why={"type": "string"}),
}
OPERATIONS: dict[str, Change] = {
    "a route is gone": lambda d: d["paths"].pop("/v1/kpis"),
    "a parameter is asked for": lambda d: d["paths"]["/v1/kpis"]["get"]["parameters"][0].update(
        required=True
    ),
    "a parameter is gone": lambda d: d["paths"]["/v1/kpis"]["get"]["parameters"].pop(0),
    "a parameter takes fewer values": lambda d: parameter(d, "grain")["schema"]["enum"].remove("week"),
    "a parameter takes less": lambda d: parameter(d, "limit")["schema"].update(maximum=10),
    "another body": lambda d: d["paths"]["/v1/events"]["post"]["requestBody"].update(
        content={"application/xml": {}}
    ),
    "a field of an answer has another type": lambda d: d["components"]["schemas"]["Outcome"]["properties"][
        "trace_id"
    ].update(type="integer"),
    "another status": lambda d: d["paths"]["/v1/events"]["post"]["responses"].pop("202"),
    "a field of an answer is gone": lambda d: d["components"]["schemas"]["Outcome"]["properties"].pop(
        "status"
    ),
    "a field in a part of an answer is gone": lambda d: d["components"]["schemas"]["Refusal"][
        "properties"
    ].pop("reason"),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_route_that_is_not_as_it_was_is_told(name: str) -> None:
    new = copy.deepcopy(OPENAPI)
    OPERATIONS[name](new)
    assert len(broken_operations(OPENAPI, new)) == 1


@pytest.mark.parametrize("name", UNBROKEN)
def test_a_route_that_takes_and_says_more_breaks_nobody(name: str) -> None:
    new = copy.deepcopy(OPENAPI)
    UNBROKEN[name](new)
    assert broken_operations(OPENAPI, new) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: None, []),
        (lambda d: d["channels"].update(more=d["channels"]["mqtt"]), []),
        (lambda d: d["channels"]["mqtt"]["messages"].update(more=d["channels"]["event_batch"]["messages"]), []),
        (lambda d: d["channels"].pop("mqtt"), ["channel mqtt: is gone"]),
        (
            lambda d: d["channels"]["mqtt"].update(address="other/{partner}/events"),
            ["channel mqtt: its address is other/{partner}/events, was waybill/{partner}/events"],
        ),
        (
            lambda d: d["channels"]["mqtt"]["messages"].pop("event_batch"),
            ["channel mqtt: does not take event_batch any more"],
        ),
        (
            lambda d: d["components"]["schemas"]["CloudEventBatch"].update(maxItems=1),
            [
                "channel event_batch: event_batch: maxItems is 1, was 500",
                "channel mqtt: event_batch: maxItems is 1, was 500",
            ],
        ),
    ],
    ids=["nothing", "a channel more", "a message more", "a channel", "an address", "a message", "less of a message"],
)  # fmt: skip
def test_a_channel_that_is_gone_or_takes_less_breaks_its_senders(change: Change, told: list[str]) -> None:
    new = copy.deepcopy(ASYNCAPI)
    change(new)
    assert broken_channels(ASYNCAPI, new) == told

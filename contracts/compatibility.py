"""Whether what somebody sends today is still taken tomorrow: what in a new description breaks senders of the old one.

Belongs here: comparing two JSON Schemas, two OpenAPI or two AsyncAPI documents, in their plain form. A break needs a new version of its
contract, beside the old one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]

_NOT_LOWER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_NOT_HIGHER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_NOT_OTHER = ("pattern", "format", "default")
_MISSING = object()


def breaks(old: Schema, new: Schema) -> list[str]:
    """What a message that keeps the old schema may be refused for, or lose, under the new one; empty when nothing."""
    return list(_Comparison(old, new).at("", old, new))


def broken_operations(old: Schema, new: Schema) -> list[str]:
    """What of an OpenAPI document is gone or asked for in addition: routes, parameters, fields of good answers."""
    return list(_operations(old, new))


def broken_channels(old: Schema, new: Schema) -> list[str]:
    """What of an AsyncAPI document is gone or elsewhere: channels, their messages, and what these may carry."""
    return list(_channels(old, new))


class _Comparison:
    """Two documents whose ``$ref`` are looked up in themselves."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str]] = set()

    def at(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        """Compare one place of both."""
        names = (old.get("$ref", ""), new.get("$ref", ""))
        if all(names):
            if names in self._seen:
                return
            self._seen.add(names)
        old, new = _resolved(self._old, old), _resolved(self._new, new)
        yield from self._bounds(where, old, new)
        yield from self._fields(where, old, new)
        if "items" in old and "items" in new:
            yield from self.at(f"{where}[]", old["items"], new["items"])
        yield from self._alternatives(where, old, new)

    def _bounds(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        if new.get("type", old.get("type")) != old.get("type"):
            yield f"{where}: was {old.get('type')}, is {new['type']}"
        for name in _NOT_LOWER:
            if new.get(name, _MISSING) is not _MISSING and (name not in old or new[name] < old[name]):
                yield f"{where}: {name} is {new[name]}, was {old.get(name, 'free')}"
        for name in _NOT_HIGHER:
            if new.get(name, _MISSING) is not _MISSING and (name not in old or new[name] > old[name]):
                yield f"{where}: {name} is {new[name]}, was {old.get(name, 'free')}"
        for name in _NOT_OTHER:
            added = name in new and name not in old and name != "default"
            if added or (name in old and name in new and old[name] != new[name]):
                yield f"{where}: {name} is {new[name]!r}, was {old.get(name, 'free')!r}"
        gone = _values(old) - _values(new) if _values(new) else set()
        if gone or (_values(new) and not _values(old)):
            yield f"{where}: does not take {', '.join(sorted(gone)) or 'other values'} any more"

    def _fields(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name in before:
            if name not in after:
                yield f"{where}.{name}: is gone"
            else:
                yield from self.at(f"{where}.{name}", before[name], after[name])
        if new.get("additionalProperties") is False and old.get("additionalProperties") is not False:
            yield f"{where}: takes no other field any more"
        for name in new.get("required", ()):
            if name not in old.get("required", ()):
                yield f"{where}.{name}: is required now"

    def _alternatives(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = ([*each.get("anyOf", ()), *each.get("oneOf", ())] for each in (old, new))
        if after and not before:
            before = [old]
        elif before and not after:
            after = [new]
        for each in before:
            told = [list(_Comparison(self._old, self._new).at(where, each, other)) for other in after]
            if told and all(told):
                yield min(told, key=len)[0]


def _resolved(document: Schema, schema: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _values(schema: Schema) -> set[str]:
    return {str(each) for each in ([schema["const"]] if "const" in schema else schema.get("enum", ()))}


def _operations(old: Schema, new: Schema) -> Iterator[str]:
    for path, operations in old["paths"].items():
        for method, operation in operations.items():
            now = new["paths"].get(path, {}).get(method)
            name = f"{method.upper()} {path}"
            if now is None:
                yield f"{name}: is gone"
                continue
            yield from _parameters(name, old, operation, new, now)
            taken = now.get("requestBody", {}).get("content", {})
            for kind in operation.get("requestBody", {}).get("content", {}):
                if kind not in taken:
                    yield f"{name}: does not take {kind} any more"
            yield from _answers(name, old, operation, new, now)


def _channels(old: Schema, new: Schema) -> Iterator[str]:
    for name, channel in old["channels"].items():
        now = new["channels"].get(name)
        if now is None:
            yield f"channel {name}: is gone"
            continue
        if now["address"] != channel["address"]:
            yield f"channel {name}: its address is {now['address']}, was {channel['address']}"
        for message, each in channel["messages"].items():
            if message not in now["messages"]:
                yield f"channel {name}: does not take {message} any more"
                continue
            before, after = _resolved(old, each), _resolved(new, now["messages"][message])
            yield from _Comparison(old, new).at(
                f"channel {name}: {message}", before["payload"], after["payload"]
            )


def _parameters(name: str, old: Schema, operation: Schema, new: Schema, now: Schema) -> Iterator[str]:
    """No parameter goes, takes less than it took, or is asked for that was not."""
    before, after = (
        {(each["in"], each["name"]): each for each in said.get("parameters", ())} for said in (operation, now)
    )
    for key, each in before.items():
        if key not in after:
            yield f"{name}: {each['name']} is gone"
            continue
        for told in _Comparison(old, new).at("", each.get("schema", {}), after[key].get("schema", {})):
            yield f"{name}: {each['name']}{told}"
    for key, each in after.items():
        if each.get("required") and not before.get(key, {}).get("required"):
            yield f"{name}: {each['name']} is required now"


def _answers(name: str, old: Schema, operation: Schema, new: Schema, now: Schema) -> Iterator[str]:
    """Good answers keep their status and their fields."""
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        if status not in now["responses"]:
            yield f"{name}: does not answer {status} any more"
            continue
        for kind, content in answer.get("content", {}).items():
            there = now["responses"][status].get("content", {}).get(kind, {}).get("schema", {})
            for told in _answered(old, content.get("schema", {}), new, there, frozenset()):
                yield f"{name}: {told}"


def _answered(
    old: Schema, before: Schema, new: Schema, after: Schema, seen: frozenset[str], where: str = ""
) -> Iterator[str]:
    """What of an answer, or of a part of it, is gone or has another type."""
    if before.get("$ref") in seen:
        return  # a part of itself
    seen |= {before["$ref"]} if "$ref" in before else set()
    before, after = _resolved(old, before), _resolved(new, after)
    for field, each in before.get("properties", {}).items():
        name = f"{where}{field}"
        if field not in after.get("properties", {}):
            yield f"{name} of its answer is gone"
            continue
        there = after["properties"][field]
        if _type(each) != _type(there):
            yield f"{name} of its answer has another type"
        yield from _answered(old, each, new, there, seen, f"{name}.")
    if "items" in before:
        yield from _answered(old, before["items"], new, after.get("items", {}), seen, where)
    # Of what may be one thing or another the parts are compared in their turn: null beside a part is the usual case.
    for name in ("anyOf", "oneOf"):
        for each, there in zip(before.get(name, ()), after.get(name, ()), strict=False):
            yield from _answered(old, each, new, there, seen, where)


def _type(schema: Schema) -> list[str]:
    """What a field may be, as far as its own description says."""
    several = [*schema.get("anyOf", ()), *schema.get("oneOf", ())]
    return sorted({kind for each in several for kind in _type(each)}) or [str(schema.get("type"))]

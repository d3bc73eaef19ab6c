"""What differs between two rulesets, in words: which tolerance, limit, rule, disposition or file of code.

Belongs here: comparing. The contents are canonical JSON of ``policy`` (as the file has it), ``rules`` (code, disposition, checks) and
``judging`` (file → its hash); a ruleset may lack any of the three.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_NONE: Final = "none"
_Told = dict[str, str]
"""Path → value, both as text."""


def changes(before: bytes, after: bytes) -> list[str]:
    """One line for each difference, policy first, then rules, then code; empty when there is none."""
    one, other = json.loads(before), json.loads(after)
    return [*_policy(one, other), *_rules(one, other), *_code(one, other)]


def _policy(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    yield from _differing("", _flat(one.get("policy", {})), _flat(other.get("policy", {})))


def _rules(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    was, now = ({each["code"]: each for each in ruleset.get("rules", [])} for ruleset in (one, other))
    for code in [*was, *(each for each in now if each not in was)]:
        if code not in now:
            yield f"rule {code}: gone, was {was[code]['disposition']}"
        elif code not in was:
            yield f"rule {code}: new, {now[code]['disposition']}"
        else:
            yield from _differing(f"rule {code} ", _flat(was[code]), _flat(now[code]))


def _code(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    was, now = one.get("judging", {}), other.get("judging", {})
    for name in sorted({*was, *now}):
        if was.get(name) != now.get(name):
            yield f"code {name}: {'gone' if name not in now else 'new' if name not in was else 'changed'}"


def _differing(prefix: str, was: _Told, now: _Told) -> Iterator[str]:
    for path in [*was, *(each for each in now if each not in was)]:
        if was.get(path) != now.get(path):
            yield f"{prefix}{path}: {was.get(path, _NONE)} → {now.get(path, _NONE)}"


def _flat(value: Any, path: str = "") -> _Told:
    """Every single value under its path."""
    if isinstance(value, Mapping):
        parts = list(value.items())
    elif isinstance(value, list):
        parts = list(enumerate(value))
    else:
        return {path: _NONE if value is None else str(value)}
    found: _Told = {}
    for name, part in parts:
        found |= _flat(part, f"{path}.{name}" if path else str(name))
    return found

"""What a rule is made of. No rule and no threshold stands here, and nothing of Great Expectations.

A rule says in data which checks it consists of; ``quality.suites`` turns each check into one expectation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Disposition = Literal["BLOCK", "APPROVAL", "WARN"]
Group = Literal["evidence", "quantity", "money", "duplicate", "ledger", "control"]
Kind = Literal["between", "in_set", "not_in_set", "not_null", "null", "equal", "unique"]


@dataclass(frozen=True)
class Check:
    """One expectation: ``kind`` on ``columns``, for the rows of the scope ``when`` (all rows if None).

    Great Expectations skips NULL in every kind but ``not_null``; a rule that needs its value says so
    with a ``not_null`` check beside the other one.
    """

    kind: Kind
    columns: tuple[str, ...]
    when: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    strict: bool = False
    values: tuple[Any, ...] = ()

    def described(self) -> dict[str, Any]:
        """Everything that can change a verdict, as plain JSON: part of the ruleset version."""
        return {
            "kind": self.kind,
            "columns": list(self.columns),
            "when": self.when,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "strict": self.strict,
            "values": list(self.values),
        }


@dataclass(frozen=True)
class Rule:
    """One line of the index. ``seen`` and ``expected`` are templates over the columns of a row."""

    code: str
    group: Group
    disposition: Disposition
    owner: str
    explanation: str
    remedy: str
    seen: str
    expected: str
    checks: tuple[Check, ...]


def between(
    column: str,
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    when: str | None = None,
    strict: bool = False,
) -> Check:
    """The value lies in the closed range; ``strict`` leaves out the minimum itself."""
    return Check("between", (column,), when, minimum, maximum, strict)


def none_of(column: str, when: str | None = None) -> Check:
    """A count or a difference that has to be exactly 0."""
    return between(column, 0, 0, when=when)


def is_one_of(column: str, *values: Any, when: str | None = None) -> Check:
    """The value is in the list."""
    return Check("in_set", (column,), when, values=values)


def is_none_of(column: str, *values: Any, when: str | None = None) -> Check:
    """The value is not in the list."""
    return Check("not_in_set", (column,), when, values=values)


def known(column: str, when: str | None = None) -> Check:
    """The value is there at all: the guard against NULL."""
    return Check("not_null", (column,), when)


def absent(column: str, when: str | None = None) -> Check:
    """There is no value."""
    return Check("null", (column,), when)


def equal(left: str, right: str, when: str | None = None) -> Check:
    """Both columns hold the same value; one NULL is a difference."""
    return Check("equal", (left, right), when)


def unique(*columns: str) -> Check:
    """No two rows share these values."""
    return Check("unique", columns)

"""The rules that each gate judges by in this store, and the two people who let a change of them in.

One person proposes the rules as they stand in the files, another one approves them. The database refuses an answer by the one who
proposed, to other rules than those that were proposed, and to a proposal that a newer one has taken the place of; and any decision
that releases something by other rules than those in force. A store that has no rules takes those of the release.

Belongs here: proposing, answering, and which rules are in force. What is in a ruleset is each gate's business, what changed in words
``ruleset_changes``'.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Engine, Row, insert, select, update

from core.clock import utc_now
from core.errors import ConfigurationError, PermanentFailure
from core.ids import sha256_hex
from state import ledger
from state.engine import reading
from state.people import is_same
from state.ruleset_changes import changes
from state.shipped_rules import SHIPPED, Gate
from state.tables_of_people import rulesets as table

NAMES: Final[Mapping[Gate, str]] = {"flows": "the gate", "credit_notes": "the gate of credit notes"}
FILES: Final[Mapping[Gate, str]] = {"flows": "quality/", "credit_notes": "state/"}
"""Gate → the folder whose files are its rules."""
SHORT: Final = 12
"""Signs of a version that name it on a terminal."""
_LEAST = 8
_LONGEST_NAME = 50
_RELEASE: Final = "release"
_TAKEN: Final = ("shipped", "granted")
_EVENT: Final = {"granted": "rules_approved", "rejected": "rules_rejected"}
_LET_IN: Final = ("rules_taken", _EVENT["granted"])
Answer = Literal["granted", "rejected"]


@dataclass(frozen=True)
class Ruleset:
    """The rules of a gate as this process would judge by them: canonical JSON, whose hash is their version."""

    gate: Gate
    policy_version: str
    content: bytes

    @property
    def version(self) -> str:
        """SHA-256 of everything that a verdict comes about in."""
        return sha256_hex(self.content)

    @property
    def is_shipped(self) -> bool:
        """Whether they are the release's own."""
        return self.version == SHIPPED[self.gate]


@dataclass(frozen=True)
class Approved:
    """The rules that a verdict is held against, and who let them in."""

    version: str
    told: str


NOBODY: Final = Approved("", "")
"""Where nobody has let any rules in: no ruleset has this version."""


@dataclass(frozen=True)
class Rules:
    """What was proposed, and its answer. ``shipped``: taken from the release by a store that had none."""

    ruleset_id: int
    gate: Gate
    ruleset_version: str
    policy_version: str
    content: bytes
    proposed_by: str
    proposed_because: str
    proposed_at: datetime
    answer: Answer | Literal["shipped"] | None
    answered_by: str | None
    answered_because: str | None
    answered_at: datetime | None

    @property
    def approved(self) -> Approved:
        """What a gate judges against while they are in force."""
        return Approved(self.ruleset_version, self.told)

    @property
    def told(self) -> str:
        """Who let them in, as a decision says it."""
        if self.answer == "shipped" and self.answered_at is not None:
            return _taken(self.answered_at)
        return (
            f"{_short(self.answered_by)}, proposed by {_short(self.proposed_by)}, {self.answered_at:%Y-%m-%d}"
        )


def approved(db: Connection, own: Ruleset) -> Approved:
    """What is in force, or what a store that has no rules would take with its next decision. Nothing is written."""
    standing = in_force(db, own.gate)
    if standing is not None:
        return standing.approved
    if own.is_shipped:
        return Approved(own.version, _taken(utc_now()))
    return NOBODY


def require(engine: Engine, own: Ruleset) -> Rules:
    """The rules in force, where they are this process's own; a store that has none takes the release's.

    ConfigurationError, which says what differs and what to do, where nobody approved them or others are in force.
    """
    with reading(engine) as db:
        standing, asked = in_force(db, own.gate), waiting(db, own.gate)
    if standing is None and own.is_shipped:
        with engine.begin() as db:
            take_shipped(db, own)
            standing = in_force(db, own.gate)
    if standing is None or standing.ruleset_version != own.version:
        raise _unapproved(own, standing, asked)
    return standing


def refuse_other(db: Connection, gate: Gate, versions: Collection[str]) -> None:
    """ConfigurationError when something was released by rules that are not in force (any more), inside the transaction that keeps it."""
    newest = select(table.c.ruleset_version).where(table.c.gate == gate, table.c.answer.in_(_TAKEN))
    standing = db.scalar(newest.order_by(table.c.ruleset_id.desc()).limit(1))
    if others := sorted(set(versions) - {standing}):
        raise ConfigurationError(
            f"{NAMES[gate].capitalize()} released by the rules {_named(others[0])}, and in force are {_named(standing)}.",
            remedy="Nothing was kept. `waybill gate rules` shows both; if they changed while it judged, run it again.",
        )


def in_force(db: Connection, gate: Gate) -> Rules | None:
    """What was let in last; None in a store that has no rules yet. PermanentFailure when its content is not what was let in."""
    found = _rules(db, table.c.gate == gate, table.c.answer.in_(_TAKEN))
    if found and sha256_hex(found[-1].content) != found[-1].ruleset_version:
        raise PermanentFailure(
            f"The rules of {NAMES[gate]} that are in force are not what was approved: somebody changed them in the store.",
            remedy="Keep the store as it is, run `waybill ledger verify`, and compare with a backup.",
        )
    return found[-1] if found else None


def is_told(db: Connection, rules: Rules) -> bool:
    """Whether the ledger knows that these rules were let in; where it does not, somebody wrote them past Waybill."""
    return any(rules.ruleset_version in ledger.subjects_of(db, event) for event in _LET_IN)


def waiting(db: Connection, gate: Gate) -> Rules | None:
    """The proposal that waits for an answer: the newest, if nobody has answered it."""
    newest = _rules(db, table.c.gate == gate)[-1:]
    return newest[0] if newest and newest[0].answer is None else None


def take_shipped(db: Connection, own: Ruleset) -> None:
    """Let the release's rules in where the store has none; nothing otherwise."""
    if not own.is_shipped or in_force(db, own.gate) is not None:
        return
    now, why = utc_now(), "the release's own, and the store had none"
    given = {"answer": "shipped", "answered_by": _RELEASE, "answered_because": why, "answered_at": now}
    _insert(db, own, _RELEASE, why, now, given | {"answered_for": own.version})
    ledger.append(db, "rules_taken", _RELEASE, own.version, _told(own, None, why))


def propose(engine: Engine, own: Ruleset, actor: str, reason: str, now: datetime) -> Rules:
    """Propose the rules as they are in the files; a newer proposal takes the place of an older one.

    PermanentFailure, with nothing written, when they are in force or proposed already.
    """
    with engine.begin() as db:
        take_shipped(db, own)
        standing, asked = in_force(db, own.gate), waiting(db, own.gate)
        if standing is not None and standing.ruleset_version == own.version:
            raise PermanentFailure(
                f"The rules of {NAMES[own.gate]} in the files are those in force: there is nothing to propose.",
                remedy=f"Change a file in {FILES[own.gate]} first; `waybill gate rules` shows what differs.",
            )
        if asked is not None and asked.ruleset_version == own.version:
            raise PermanentFailure(
                f"{asked.proposed_by} has proposed these rules already.",
                remedy=f"Somebody else answers: `waybill gate approve-rules {own.version[:SHORT]}` or `reject-rules`.",
            )
        _insert(db, own, actor, reason, now, {})
        ledger.append(db, "rules_proposed", actor, own.version, _told(own, standing, reason))
        found = waiting(db, own.gate)
    assert found is not None
    return found


def answer(
    engine: Engine,
    named: str,
    own: Mapping[Gate, Ruleset],
    given: Answer,
    actor: str,
    reason: str,
    now: datetime,
) -> Rules:
    """Approve or reject the proposal whose version begins so. ``own``: the rules in the files of the one who answers.

    PermanentFailure, with nothing written, unless exactly one proposal waits that is called so, when the one who proposed comes
    again, or when other rules than the proposed ones would be approved, because the files have changed since.
    """
    with engine.begin() as db:
        asked = _one(db, named)
        if is_same(asked.proposed_by, actor):
            raise PermanentFailure(
                f"{actor} proposed these rules and cannot answer.",
                remedy="Somebody else answers under their own name.",
            )
        here = own[asked.gate]
        if given == "granted" and here.version != asked.ruleset_version:
            raise PermanentFailure(
                f"{asked.proposed_by} proposed the rules {_named(asked.ruleset_version)}, and the files hold "
                f"{_named(here.version)}: {'; '.join(changes(asked.content, here.content))}.",
                remedy="Bring the files to what was proposed, or propose anew with `waybill gate propose-rules`.",
            )
        standing = in_force(db, asked.gate)
        answered = {"answer": given, "answered_by": actor, "answered_because": reason, "answered_at": now}
        same = table.c.ruleset_id == asked.ruleset_id
        db.execute(update(table).where(same).values(**answered, answered_for=asked.ruleset_version))
        told = _told(asked, standing, reason) | {"proposed_by": asked.proposed_by}
        ledger.append(db, _EVENT[given], actor, asked.ruleset_version, told)
        return _rules(db, same)[0]


def _one(db: Connection, named: str) -> Rules:
    open_ = [each for gate in NAMES if (each := waiting(db, gate)) is not None]
    found = [each for each in open_ if len(named) >= _LEAST and each.ruleset_version.startswith(named)]
    if len(found) != 1:
        raise PermanentFailure(
            f"{len(found)} proposed rulesets that wait for an answer are called {named!r}.",
            remedy=f"`waybill gate rules` shows what waits; name it by the first {_LEAST} signs of its version or more.",
        )
    return found[0]


def _unapproved(own: Ruleset, standing: Rules | None, asked: Rules | None) -> ConfigurationError:
    """Thing, reason, and the very commands that help."""
    of, here = NAMES[own.gate], f"{own.version[:SHORT]} (policy {own.policy_version})"
    if standing is None:
        why = f"Nobody approved the rules of {of}: {here} is in the files, and this store has none yet but the release's to take."
    else:
        why = (
            f"Nobody approved the rules of {of} in the files, {here}: in force are {standing.ruleset_version[:SHORT]} (policy "
            f"{standing.policy_version}), let in by {standing.told}. Changed: {'; '.join(changes(standing.content, own.content))}."
        )
    approve = f"`waybill gate approve-rules {own.version[:SHORT]} --reason TEXT`"
    if asked is not None and asked.ruleset_version == own.version:
        remedy = (
            f"{asked.proposed_by} proposed them; somebody else reads `waybill gate rules` and runs {approve}."
        )
    else:
        remedy = f"One person runs `waybill gate propose-rules --reason TEXT`, another one {approve}; or bring the files in {FILES[own.gate]} back."
    return ConfigurationError(why, remedy=remedy)


def _insert(
    db: Connection, own: Ruleset, actor: str, reason: str, now: datetime, given: Mapping[str, Any]
) -> None:
    rules = {
        "gate": own.gate,
        "ruleset_version": own.version,
        "policy_version": own.policy_version,
        "content": own.content,
    }
    proposed = {"proposed_by": actor, "proposed_because": reason, "proposed_at": now}
    db.execute(insert(table).values(**rules, **proposed, **given))


def _told(new: Ruleset | Rules, before: Rules | None, reason: str) -> dict[str, Any]:
    """What the ledger keeps: before, after, what changed in words, and why."""
    return {
        "gate": new.gate,
        "before": before.ruleset_version if before else None,
        "after": new.version if isinstance(new, Ruleset) else new.ruleset_version,
        "policy_version": new.policy_version,
        "changes": changes(before.content, new.content) if before else [],
        "reason": reason,
    }


def _rules(db: Connection, *where: Any) -> list[Rules]:
    return [_read(row) for row in db.execute(select(table).where(*where).order_by(table.c.ruleset_id))]


def _read(row: Row[Any]) -> Rules:
    return Rules(**{each.name: getattr(row, each.name) for each in fields(Rules)})


def _taken(on: datetime) -> str:
    return f"Waybill's release, taken by a store without rules, {on:%Y-%m-%d}"


def _named(version: str | None) -> str:
    return version[:SHORT] if version else "none"


def _short(name: str | None) -> str:
    """So much of a name as has room in a decision."""
    told = name or ""
    return told if len(told) <= _LONGEST_NAME else f"{told[: _LONGEST_NAME - 1]}…"

"""What the gate decided: one row per evaluation, never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, bindparam, func, insert, or_, select

from core.flows import INVOICE, KEPT_UP
from core.ids import canonical_json, sha256_hex
from state import gate_inputs, rulesets
from state.engine import reading
from state.prepared import Prepared
from state.tables_of_decisions import gate_decisions

Key = tuple[str, int]
PASSING = frozenset({"WARN", "APPROVED"})
"""Dispositions of reasons that are told and hold nothing."""
EVENTS = "events"
"""How the ids of the worker's batches begin: each brings as much as came in while it waited, which is no batch's usual size."""
_NEWEST = (
    select(func.max(gate_decisions.c.sequence))
    .where(gate_decisions.c.operation == bindparam("operation"))
    .group_by(gate_decisions.c.business_id, gate_decisions.c.revision)
)
_LATEST_OF = select(gate_decisions).where(
    gate_decisions.c.sequence.in_(
        _NEWEST.where(gate_decisions.c.business_id.in_(bindparam("business_ids", expanding=True)))
    )
)
_VERDICT_OF = Prepared(
    _LATEST_OF.with_only_columns(
        gate_decisions.c.business_id,
        gate_decisions.c.revision,
        gate_decisions.c.verdict,
        gate_decisions.c.input_hash,
    )
)
_KEPT = select(gate_decisions.c.decision_id).where(
    gate_decisions.c.decision_id.in_(bindparam("names", expanding=True))
)
_MOST_TIMES = 1_000
"""So often a decision that was made over and over is known again by its name."""
_AT_ONCE = 500
"""Candidates asked for in one statement."""
_PART = 2_000
"""Decisions read at once where all are."""


@dataclass(frozen=True)
class Decision:
    """The verdict on one candidate with every reason. ``decided_at`` and ``as_of`` are business time.

    ``operation`` is the flow's (``core.flows``). ``rules_approved_by``: who approved the very ruleset, and when; None when nobody has.
    ``inputs_batch``: where its inputs are kept (``gate_inputs``); None until it is kept, and of decisions older than that.
    """

    decision_id: str
    business_id: str
    revision: int
    company_id: str | None
    order_no: str | None
    shipment_no: str
    customer_id: str | None
    verdict: Literal["released", "blocked"]
    codes: tuple[str, ...]
    warnings: tuple[str, ...]
    reasons: list[dict[str, Any]]
    input_hash: str
    content_hash: str
    ruleset_version: str
    policy_version: str
    as_of: datetime
    decided_at: datetime
    amount: Decimal | None
    currency: str | None
    run_id: str
    is_first_evaluation: bool
    rules_approved_by: str | None = None
    operation: str = INVOICE.operation
    inputs_batch: str | None = None

    @property
    def key(self) -> Key:
        """What is decided about."""
        return self.business_id, self.revision

    @property
    def substance(self) -> tuple[object, ...]:
        """What makes an evaluation worth a new row."""
        return self.input_hash, self.ruleset_version, self.verdict, self.codes, self.warnings


def record(engine: Engine, decisions: Sequence[Decision], inputs: gate_inputs.Inputs | None = None) -> int:
    """Keep each decision that says something new about its candidate, with its ``inputs``; the number of new rows. One that was
    kept before, and is not the standing one any more, is kept once more under a name of its own.

    ConfigurationError, with nothing kept, when one is released by other rules than those in force by now.
    """
    with engine.begin() as db:
        standing = {
            (operation, key): decision.substance
            for operation in {each.operation for each in decisions}
            for key, decision in _latest(db, operation, {each.business_id for each in decisions}).items()
        }
        fresh = [each for each in decisions if standing.get((each.operation, each.key)) != each.substance]
        again = {each.decision_id for each in fresh if (each.operation, each.key) in standing}
        names = {name: new for name, new in _names(db, again).items() if name != new}
        fresh = [
            replace(each, decision_id=names[each.decision_id]) if each.decision_id in names else each
            for each in fresh
        ]
        if fresh:
            released = {each.ruleset_version for each in fresh if each.verdict == "released"}
            rulesets.refuse_other(db, "flows", released)
            held = {} if inputs is None else gate_inputs.keep(db, fresh, inputs)
            rows = [vars(each) | {"inputs_batch": held.get(each.decision_id)} for each in fresh]
            db.execute(insert(gate_decisions), rows)
        return len(fresh)


def is_name_of(name: str, decision_id: str) -> bool:
    """Whether a decision that is kept as ``name`` is the one of this id, or that one made once more (``record``)."""
    return any(name == _once_more(decision_id, time) for time in range(1, _MOST_TIMES))


def _names(db: Connection, decision_ids: Collection[str]) -> dict[str, str]:
    """Id → the first name for it that no kept decision has.

    What was decided, then otherwise for a state that has passed, and now as before, of a candidate that was not built since, is a
    decision of its own.
    """
    found: dict[str, str] = {}
    left, time = sorted(decision_ids), 1
    while left:
        names = {each: _once_more(each, time) for each in left}
        taken = {
            name
            for start in range(0, len(left), _AT_ONCE)
            for name in db.scalars(_KEPT, {"names": [names[each] for each in left[start : start + _AT_ONCE]]})
        }
        found |= {each: name for each, name in names.items() if name not in taken}
        left, time = [each for each in left if names[each] in taken], time + 1
    return found


def _once_more(decision_id: str, time: int) -> str:
    """What it is called when it is made for the ``time``-th time."""
    return decision_id if time == 1 else sha256_hex(canonical_json([decision_id, time]))


def latest(
    engine: Engine, business_ids: Collection[str] | None = None, operation: str = INVOICE.operation
) -> dict[Key, Decision]:
    """The standing decision of every candidate of a flow, or of those that are named; of a document that is kept up that on its
    newest revision, which is the candidate."""
    with reading(engine) as db:
        found = _latest(db, operation, business_ids)
    if operation not in KEPT_UP:
        return found
    newest = {business_id: (business_id, revision) for business_id, revision in sorted(found)}
    return {key: found[key] for key in newest.values()}


def every(engine: Engine, key: str | None = None, day: date | None = None) -> Iterator[list[Decision]]:
    """All decisions that were kept, standing or not, in their order, a part at a time: about one shipment or business id,
    of one day (UTC, business time), or all.
    """
    chosen = select(gate_decisions).order_by(gate_decisions.c.sequence).limit(_PART)
    if key is not None:
        chosen = chosen.where(or_(gate_decisions.c.shipment_no == key, gate_decisions.c.business_id == key))
    if day is not None:
        begins = datetime.combine(day, time(), UTC)
        chosen = chosen.where(
            gate_decisions.c.decided_at >= begins, gate_decisions.c.decided_at < begins + timedelta(days=1)
        )
    last = 0
    while True:
        with reading(engine) as db:
            found = [dict(row._mapping) for row in db.execute(chosen.where(gate_decisions.c.sequence > last))]
        if not found:
            return
        last = found[-1]["sequence"]
        yield [_decision(each) for each in found]


def latest_of(db: Connection, key: Key, operation: str = INVOICE.operation) -> Decision | None:
    """The standing decision of one candidate, inside a transaction."""
    return _latest(db, operation, [key[0]]).get(key)


def released_inputs(
    db: Connection, keys: Collection[Key], operation: str = INVOICE.operation
) -> dict[Key, str]:
    """Key → the hash of the inputs that the standing decision releases, of those candidates that it does release."""
    names = sorted({business_id for business_id, _ in keys})
    return {
        (business_id, revision): input_hash
        for start in range(0, len(names), _AT_ONCE)
        for business_id, revision, verdict, input_hash in _VERDICT_OF.rows(
            db, _asked(operation, names[start : start + _AT_ONCE])
        )
        if verdict == "released"
    }


def _latest(
    db: Connection, operation: str, business_ids: Collection[str] | None = None
) -> dict[Key, Decision]:
    if business_ids is None:
        query = select(gate_decisions).where(gate_decisions.c.sequence.in_(_NEWEST))
        return _by_key(db.execute(query, {"operation": operation}))
    names, found = sorted(business_ids), dict[Key, Decision]()
    for start in range(0, len(names), _AT_ONCE):
        found |= _by_key(db.execute(_LATEST_OF, _asked(operation, names[start : start + _AT_ONCE])))
    return found


def _asked(operation: str, names: Collection[str]) -> dict[str, Any]:
    return {"operation": operation, "business_ids": names}


def _by_key(rows: Iterable[Row[Any]]) -> dict[Key, Decision]:
    return {(row.business_id, row.revision): _decision(dict(row._mapping)) for row in rows}


def _decision(fields: dict[str, Any]) -> Decision:
    fields.pop("sequence")
    return Decision(**(fields | {"codes": tuple(fields["codes"]), "warnings": tuple(fields["warnings"])}))

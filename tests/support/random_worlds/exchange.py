"""What Waybill exchanged with other systems: who they are, what came, what was refused, who mended it by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.support.random_worlds.world import AS_OF, RandomWorld

KINDS = {"erp": "orders", "dispatch": "actions", "pod": "proofs", "telematics": "positions"}
STATES = ("ACKED", "RECONCILED", "DEAD", "HELD", "CONFLICT", "CANCELLED", "PENDING")
_FATES = ("open", "open", "parked", "resolved", "replaying", "replayed", "discarded")
_REASONS = ("UNKNOWN_PARENT", "TOTAL_MISMATCH", "SCHEMA_INVALID", "TIME_AMBIGUOUS")


def plant_exchange(world: RandomWorld) -> None:
    for kind, resource in KINDS.items():
        _connect(world, kind, world.weighted(production=7, retired=1, testing=1))
        _load(world, kind, resource)
    _connect(world, "crm", "retired")  # never delivered anything
    _touch(world)


def _connect(world: RandomWorld, kind: str, lifecycle: str) -> None:
    world.rows["ledger", "connections"].append({
        "connection": world.connection(kind), "kind": kind, "adapter": "x", "owner": "o", "criticality": "high",
        "lifecycle": lifecycle, "freshness_s": world.pick(3600, 7200, 86_400), "is_destination": kind == "erp",
        "requested_at": AS_OF - timedelta(days=60) if world.chance(0.9) else None,
    })  # fmt: skip


def _load(world: RandomWorld, kind: str, resource: str) -> None:
    """A run a day, for some days; with failures at first, or now and then."""
    name, start = world.connection(kind), AS_OF - timedelta(days=world.dice.randint(3, 25))
    for number in range(world.dice.randint(0, 20)):
        moment = start + timedelta(days=number) + world.hours(0, 3)
        if moment > AS_OF:
            return
        ok = world.chance(0.85)
        world.rows["ledger", "observations"].append(
            {"connection": name, "kind": kind, "ok": ok, "observed_at": moment}
        )
        loaded = world.dice.randint(0, 60) if ok else 0
        world.rows["ledger", "ingest_counts"].append({
            "run_id": f"{name}-{number}", "connection": name, "source": f"raw_{kind}", "resource": resource,
            "rows_in": loaded, "loaded": loaded, "dead_lettered": 0, "duplicate": 0, "parked": 0, "counted_at": moment,
        })  # fmt: skip
        if world.chance(0.5 if number < 3 else 0.1):
            _refuse(world, kind, resource, number, moment)


def _refuse(world: RandomWorld, kind: str, resource: str, number: int, moment: datetime) -> None:
    """Once or several times, some without an id; still wrong, waiting for its parent, or mended since."""
    source_id = f"{world.name}-{kind}-{number}" if world.chance(0.8) else None
    for again in range(world.pick(1, 1, 2)):
        letter = f"{world.name}-{kind}-{number}-{again}"
        world.rows["ledger", "dead_letters"].append({
            "dead_letter_id": letter, "connection": world.connection(kind), "kind": kind, "resource": resource,
            "source_id": source_id, "shipment_ref": world.pick(None, f"{world.name}-S1"), "reason": world.pick(*_REASONS),
            "detail": "d", "raw_sha256": f"sha-{world.name}-{kind}-{number}", "trace_id": "t", "run_id": "r",
            "status": world.pick(*_FATES), "source_version": None,
            "received_at": min(moment + timedelta(minutes=again), AS_OF),
        })  # fmt: skip


def _touch(world: RandomWorld) -> None:
    """People at work: on an effect, on a refused row, on a shipment, on something else; and what no person did."""
    subjects = [
        *(row["idempotency_key"] for row in world.rows["ledger", "outbox"][:3]),
        *(row["dead_letter_id"] for row in world.rows["ledger", "dead_letters"][:3]),
        f"{world.name}-S1", f"{world.name}-S2", f"{world.name}-nothing",
    ]  # fmt: skip
    for subject in subjects:
        event = world.pick("approved", "rejected", "resolved", "replayed", "discarded", "edited", "posted")
        world.rows["ledger", "entries"].append({
            "recorded_at": world.around_the_change(), "event": event, "actor": "a", "subject": subject, "detail": "{}",
            "previous_hash": "p", "row_hash": f"{subject}-{event}",
        })  # fmt: skip


def unsettle(world: RandomWorld) -> None:
    """Effects that did not end well, beside those that the ERP has: of shipments that were never billed."""
    for number, state in enumerate(STATES, start=1):
        key = f"{world.name}-effect-{number}"
        moment = AS_OF - world.hours(1, 300)
        world.rows["ledger", "outbox"].append({
            "idempotency_key": key, "destination": world.connection("erp"), "operation": "credit_note",
            "company": f"{world.name}-CO", "business_id": key, "revision": 1, "shipment_no": f"{world.name}-none",
            "currency": "EUR", "decision_id": key, "payload_hash": "p", "content_hash": "c", "input_hash": "i",
            "state": state, "amount": 1, "fencing_token": 1, "attempt_count": 1, "may_exist": True,
            "enqueued_at": moment, "updated_at": moment + timedelta(minutes=3),
        })  # fmt: skip
        for attempt in range(1, world.pick(1, 2, 3) + 1):
            bad = attempt == 1
            world.rows["ledger", "push_attempts"].append({
                "idempotency_key": key, "attempt_no": attempt, "worker": "w", "fencing_token": 1, "started_at": moment,
                "ended_at": moment if attempt < 3 else None, "outcome": "TRANSIENT" if bad else "ACKED",
            })  # fmt: skip

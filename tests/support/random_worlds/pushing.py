"""What the gate decided and the push did: decisions, outbox, receipts, as the state store projects them."""

from __future__ import annotations

from datetime import timedelta

from core.ids import surrogate_uuid
from tests.support.random_worlds.proofs import Told
from tests.support.random_worlds.transport import Movement
from tests.support.random_worlds.world import RandomWorld, Row, by_now


def judge(world: RandomWorld, move: Movement, proof: Told, *, must_release: bool) -> Row | None:
    """The decisions on a shipment; the one that releases it last, None where none does yet."""
    verdicts = world.pick(
        ["released"], ["released"], ["blocked", "released"], ["released", "blocked"], ["blocked"]
    )
    if must_release and "released" not in verdicts:
        verdicts = ["blocked", "blocked", "released"]
    decided = proof.received_at + world.hours(0, 0.1)
    last: Row | None = None
    for number, verdict in enumerate(verdicts, start=1):
        if by_now(decided) is None:
            break
        row = _decision(world, move, proof, number, verdict) | {"decided_at": decided, "as_of": decided}
        world.rows["gate", "decisions"].append(row)
        last = row if verdict == "released" else last
        decided += world.hours(0.2, 30)
    return last


def _decision(world: RandomWorld, move: Movement, proof: Told, number: int, verdict: str) -> Row:
    """``sequence`` is counted over all worlds when they are put together; within one world it is in order."""
    return {
        "decision_id": f"{move.shipment_id}-DEC{number}", "revision": 1, "shipment_no": move.shipment_id,
        "business_id": surrogate_uuid(world.connection("dispatch"), move.shipment_id),
        "order_no": move.order["order_id"], "company_id": move.order["company_id"],
        "customer_id": move.order["customer_id"], "verdict": verdict, "warnings": "[]", "reasons": "[]",
        "codes": "[]" if verdict == "released" else '["PRICE_MISMATCH"]', "input_hash": proof.pod_id,
        "content_hash": proof.pod_id, "ruleset_version": "1", "policy_version": "1", "run_id": "run_test",
        "is_first_evaluation": number == 1, "currency": move.order["currency"],
    }  # fmt: skip


def push(world: RandomWorld, decision: Row, invoice: Row) -> None:
    """The outbox row that carried a decision out, and what was read back from the ERP."""
    shared = {name: decision[name] for name in ("business_id", "revision", "shipment_no", "currency")}
    shared |= {"idempotency_key": invoice["idempotency_key"], "destination": world.connection("erp"),
               "company": invoice["company_id"]}  # fmt: skip
    posted = invoice["posted_at"]
    world.rows["ledger", "outbox"].append(shared | {
        "operation": "invoice", "decision_id": decision["decision_id"], "payload_hash": "p",
        "content_hash": decision["content_hash"], "input_hash": decision["input_hash"], "state": "ACKED",
        "amount": invoice["grand_total_amount"], "fencing_token": 1, "attempt_count": 1, "may_exist": True,
        "enqueued_at": decision["decided_at"], "updated_at": posted,
    })  # fmt: skip
    world.rows["ledger", "push_attempts"].append({
        "idempotency_key": invoice["idempotency_key"], "attempt_no": 1, "worker": "w", "fencing_token": 1,
        "started_at": posted - timedelta(seconds=1), "ended_at": posted, "outcome": "ACKED", "http_status": 200,
        "erp_id": invoice["invoice_id"],
    })  # fmt: skip
    world.rows["ledger", "receipts"].append(shared | {
        "erp_id": invoice["invoice_id"], "customer_id": invoice["customer_id"], "order_no": invoice["order_id"],
        "posted_at": posted, "read_back_at": posted,
        **{name: invoice[name] for name in ("net_total_amount", "tax_total_amount", "grand_total_amount")},
    })  # fmt: skip

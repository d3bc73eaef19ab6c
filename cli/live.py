"""Watching a proof of delivery become an invoice: what ``waybill demo --live`` does after the run.

Belongs here: playing the driver's phone against the API, and showing what became of it. Nothing here knows how Waybill
works inside: it sends what a partner sends and asks where the API says to look.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
from PIL import Image, ImageDraw

from cli.output import err, table
from core.clock import utc_now
from core.errors import WaybillError
from core.ids import new_id
from core.settings import Settings
from core.warehouse import open_serving
from state import keys
from state.engine import open_state
from state.heads import signed_after
from state.keys import Scope
from state.observations import business_now

if TYPE_CHECKING:
    from sqlalchemy import Engine

DISPATCH, POD = "sandbox_dispatch", "sandbox_pod"
PATIENCE_S = 120.0
_ACTOR = "waybill demo --live"
_LOOK_EVERY_S = 0.1
_TO_GO = """
    SELECT shipment_no, order_no FROM marts.fct_shipments
    WHERE departed_at IS NULL AND cancelled_at IS NULL AND pod_captured_at IS NULL AND order_no IS NOT NULL
      AND source_system = $system
    ORDER BY shipment_no LIMIT $most
"""
_DONE = frozenset({"ACKED", "RECONCILED"})


@dataclass
class Delivery:
    """One shipment's way: seconds since its proof was sent, by what had happened by then."""

    shipment_no: str
    order_no: str
    pod_id: str
    seconds: dict[str, float] = field(default_factory=dict)
    invoice: str | None = None
    why_not: str | None = None


def play(settings: Settings, url: str, most: int) -> list[Delivery]:
    """Deliver up to so many shipments that stand at the depot; each one's way. WaybillError when the API refuses."""
    engine = open_state(settings)
    deliveries = [Delivery(shipment, order, new_id("POD")[:20]) for shipment, order in _to_go(settings, most)]
    with clients(settings, engine, url) as (dispatch, pod):
        for each in deliveries:
            now = business_now(engine)
            _sent(dispatch.post("/v1/events", json=_load_completed(each, now - timedelta(minutes=40))))
            _deliver(pod, each, now - timedelta(seconds=5))
            if each.invoice:
                err.print(
                    f"  {each.shipment_no}: invoice {each.invoice} after {each.seconds['posted']:.1f} s"
                )
            else:
                err.print(f"  {each.shipment_no}: {each.why_not}")
    return deliveries


def show(deliveries: list[Delivery]) -> None:
    """The deliveries as a table: seconds from the proof to each step."""
    steps = ("accepted", "loaded", "posted")
    rows = [
        (
            each.shipment_no,
            each.order_no,
            *(round(each.seconds[step], 2) if step in each.seconds else None for step in steps),
            each.invoice or each.why_not,
        )
        for each in deliveries
    ]
    table("From the proof to the invoice, seconds", ("shipment", "order", *steps, "invoice"), rows)


@contextmanager
def clients(settings: Settings, engine: Engine, url: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    """The two partners' connections to the API; their keys are made for this and end with it."""
    wanted: dict[str, tuple[Scope, ...]] = {
        DISPATCH: ("events:write",),
        POD: ("proofs:write", "messages:read"),
    }
    made: list[str] = []
    with ExitStack() as opened:
        try:
            clients = []
            for partner, scopes in wanted.items():
                with signed_after(settings, engine):
                    key, token = keys.create(engine, partner, scopes, timedelta(hours=1), _ACTOR, utc_now())
                made.append(key.key_id)
                headers = {"Authorization": f"Bearer {token.get_secret_value()}"}
                client = httpx.Client(base_url=url, headers=headers, timeout=30.0)
                clients.append(opened.enter_context(client))
            yield clients[0], clients[1]
        finally:
            with signed_after(settings, engine):
                for each in made:
                    keys.revoke(engine, each, _ACTOR, "the demo is over", utc_now())


def _to_go(settings: Settings, most: int) -> list[tuple[str, str]]:
    with open_serving(settings) as marts:
        return [
            (row[0], row[1]) for row in marts.execute(_TO_GO, {"system": DISPATCH, "most": most}).fetchall()
        ]


def _load_completed(delivery: Delivery, at: datetime) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": new_id("event"),
        "source": "/waybill/demo",
        "type": "waybill.load.completed.v1",
        "time": at.isoformat(),
        "data": {"consignment_id": delivery.shipment_no},
    }


def upload_documents(pod: httpx.Client, delivery: Delivery) -> list[dict[str, str]]:
    """Photo and signature of a proof, as the proof names them."""
    return [
        {"kind": kind, "document_id": _sent(_upload(pod, delivery, kind))["document_id"]}
        for kind in ("photo", "signature")
    ]


def send_proof(
    pod: httpx.Client, delivery: Delivery, documents: list[dict[str, str]], at: datetime
) -> dict[str, Any]:
    """Send the proof of a delivery at ``at``; what the API answered."""
    proof = {
        "pod_id": delivery.pod_id,
        "consignment_id": delivery.shipment_no,
        "order_id": delivery.order_no,
        "outcome": "succeeded",
        "captured_at": at.isoformat(),
        "changed_at": at.isoformat(),
        "signer": "receiving dock",
        "documents": documents,
    }
    return _sent(pod.post("/v1/proofs-of-delivery", json=proof, headers={"Idempotency-Key": delivery.pod_id}))


def _deliver(pod: httpx.Client, delivery: Delivery, at: datetime) -> None:
    """Send the proof with photo and signature, and watch until its invoice is posted or cannot be."""
    documents = upload_documents(pod, delivery)
    started = time.monotonic()
    taken = send_proof(pod, delivery, documents, at)
    delivery.seconds["accepted"] = time.monotonic() - started
    for told in _looks(pod, taken["look"], started + PATIENCE_S):
        if told["status"] != "received":
            delivery.seconds.setdefault("loaded", time.monotonic() - started)
        posted = next((each for each in told["billing"] if each["state"] in _DONE), None)
        if posted:
            delivery.seconds["posted"] = time.monotonic() - started
            delivery.invoice = posted["erp_id"]
            return
        if told["refusals"]:
            delivery.why_not = told["refusals"][0]["reason"]
            return
    delivery.why_not = (
        f"no invoice within {PATIENCE_S:.0f} s; `waybill gate explain {delivery.shipment_no}` says why"
    )


def _looks(pod: httpx.Client, where: str, until: float) -> Iterator[dict[str, Any]]:
    while time.monotonic() < until:
        yield _sent(pod.get(where))
        time.sleep(_LOOK_EVERY_S)


def _upload(pod: httpx.Client, delivery: Delivery, kind: str) -> httpx.Response:
    return pod.post(
        f"/v1/proofs-of-delivery/{delivery.pod_id}/documents",
        params={"kind": kind},
        content=_picture(f"{kind} {delivery.shipment_no} {delivery.pod_id}"),
        headers={"Content-Type": "image/png"},
    )


def _picture(words: str) -> bytes:
    picture, buffer = Image.new("RGB", (320, 120), "white"), io.BytesIO()
    ImageDraw.Draw(picture).text((10, 50), words, fill="black")
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _sent(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_error:
        raise WaybillError(
            f"The API answered {answer.status_code} to {answer.request.url.path}: {answer.text[:300]}",
            remedy="logs/api.log in the home says more.",
        )
    found: dict[str, Any] = answer.json()
    return found

"""Whether the documents that a proof names were uploaded for it. Belongs here: that check alone; uploading is ``documents``'."""

from __future__ import annotations

import asyncio

from api import intake
from api.gateway import Gateway
from api.problems import unprocessable
from api.sources import Source
from contracts.messages import ProofOfDeliveryMessage
from state import documents


async def check(gateway: Gateway, source: Source, raw: bytes, proof: ProofOfDeliveryMessage) -> None:
    """Problem 422, and a dead letter, when one was not uploaded by this partner for this proof."""
    wanted = [each.document_id for each in proof.documents]
    there = await asyncio.to_thread(documents.uploaded, gateway.engine, source.partner, proof.pod_id, wanted)
    missing = [
        {
            "where": f"documents.{number}.document_id",
            "expected": "a document that was uploaded for this proof",
        }
        for number, each in enumerate(wanted)
        if each not in there
    ]
    if missing:
        why = "it names a document that was not uploaded"
        raise unprocessable(
            missing, dead_letter_id=await intake.refuse(gateway, source, raw, "DOCUMENT_UNKNOWN", why)
        )

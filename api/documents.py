"""Photos, signatures and papers of a proof: sealed as they came, shown only as a copy without what a camera writes into it.

Belongs here: the two routes. What counts as a document and where it lies is ``state.vault``'s; pictures are ``pictures``'.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from api import bodies, intake
from api.access import Caller, gateway_of, may
from api.answers import UploadedDocument
from api.describing import READS, WRITES
from api.gateway import Gateway
from api.pictures import UNREADABLE, derivative
from api.problems import Problem
from core.clock import utc_now
from state import documents, vault
from state.documents import Document

router = APIRouter(tags=["documents"])

PodId = Annotated[str, Path(min_length=1, max_length=140, pattern=r"^[^\x00-\x20/\\]+$", examples=["P-1001"])]
Kind = Literal["signature", "photo", "document"]
TYPES = ("image/jpeg", "image/png", "application/pdf")
_BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/v1/proofs-of-delivery/{pod_id}/documents", status_code=201, response_model=UploadedDocument,
    summary="Upload a document of a proof", responses=WRITES,
    openapi_extra={"requestBody": {"required": True, "content": dict.fromkeys(TYPES, _BINARY)}},
)  # fmt: skip
async def upload(
    request: Request,
    pod_id: PodId,
    kind: Annotated[Kind, Query(description="What it is.", examples=["photo"])],
    caller: Annotated[Caller, Depends(may("proofs:write"))],
    content_type: Annotated[str, Header(alias="Content-Type", max_length=100)] = "",
) -> Response:
    """JPEG, PNG or PDF, by its own first bytes. Uploaded again it is the same document. The proof names it afterwards."""
    gateway = gateway_of(request)
    if content_type not in TYPES:
        raise Problem(415, "It is neither JPEG nor PNG nor PDF.", f"Send {', '.join(TYPES)}.")
    source = intake.from_caller(caller, "document")
    try:
        content = await bodies.read(request, bodies.LARGEST_UPLOAD)
    except bodies.TooLarge as error:
        letter = await intake.refuse(gateway, source, error.note, "TOO_LARGE", str(error))
        raise Problem(
            413, f"More than {error.largest} bytes.", "Send a smaller one.", dead_letter_id=letter
        ) from error
    wrong = vault.objection(content, content_type)
    copy = None
    if wrong is None and content_type != "application/pdf":
        async with gateway.decoding:
            copy = await asyncio.to_thread(derivative, content)
        wrong = UNREADABLE if copy is None else None
    if wrong is not None:
        letter = await intake.refuse(gateway, source, bodies.note_of(content), "EVIDENCE_REJECTED", wrong)
        raise Problem(422, wrong, "Send a document that shows something.", dead_letter_id=letter)
    document, is_new = await asyncio.to_thread(_seal, gateway, caller, pod_id, kind, content, copy)
    answer = UploadedDocument(
        document_id=document.sha256, pod_id=pod_id, kind=kind, mime_type=document.mime_type,
        size_bytes=document.size_bytes, is_new=is_new,
    )  # fmt: skip
    return JSONResponse(answer.model_dump(mode="json"), 201)


@router.get(
    "/v1/proofs-of-delivery/{pod_id}/documents/{document_id}", summary="See a picture of a proof",
    response_class=Response, responses=READS | {200: {"content": {"image/jpeg": _BINARY}}},
)  # fmt: skip
async def see(
    request: Request,
    pod_id: PodId,
    document_id: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")],
    caller: Annotated[Caller, Depends(may("proofs:write"))],
) -> Response:
    """The copy of a picture that this partner uploaded; never the original, nor anything of another partner."""
    gateway = gateway_of(request)
    found = await asyncio.to_thread(documents.uploaded, gateway.engine, caller.partner, pod_id, [document_id])
    shown = found[document_id].derivative_sha256 if document_id in found else None
    if shown is None:
        raise Problem(404, "There is no such picture.", "Upload it, or look for another.")
    content = await asyncio.to_thread(vault.path_of(gateway.settings, shown).read_bytes)
    headers = {
        "Cache-Control": "private, no-store", "Content-Disposition": "attachment",
        "Content-Security-Policy": "default-src 'none'; sandbox", "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    return Response(content, media_type="image/jpeg", headers=headers)


def _seal(
    gateway: Gateway, caller: Caller, pod_id: str, kind: Kind, content: bytes, copy: bytes | None
) -> tuple[Document, bool]:
    """Original and copy on disk under their hashes, synced, before their record is."""
    digest = vault.seal(gateway.settings, content)
    shown = None if copy is None else vault.seal(gateway.settings, copy)
    vault.sync_folders(gateway.settings, [each for each in (digest, shown) if each])
    document = Document(
        caller.partner, pod_id, digest, kind, vault.mime_type(content) or "", len(content), shown, utc_now()
    )
    return document, documents.record(gateway.engine, document)

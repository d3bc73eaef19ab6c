"""A document is judged by its own bytes, sealed as it came, and shown as pixels alone to the partner that sent it."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import pytest
from PIL import Image

from api import pictures
from core.ids import sha256_hex
from state import dead_letters, documents, vault
from tests.support.api_world import World, proof

CANARY = b"canary-of-a-camera"


def picture(form: str = "JPEG", size: tuple[int, int] = (40, 30), mode: str = "RGB", **more: Any) -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, "red" if mode == "RGB" else None).save(made, form, **more)
    return made.getvalue()


def with_exif() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = CANARY.decode()  # the maker of the camera
    exif[0x8825] = {1: "N", 2: (52.0, 30.0, 0.0)}  # where it was
    exif[0x0112] = 6  # on its side
    return picture(exif=exif, comment=CANARY)


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("../../etc/passwd", "root")
    return made.getvalue()


PNG = picture("PNG")
BOMB = PNG[:16] + struct.pack(">II", 60_000, 60_000) + PNG[24:]
BAD = {
    "nothing": (b"", "image/jpeg"),
    "a picture of one pixel": (picture("PNG", (1, 1)), "image/png"),
    "a PDF named as a JPEG": (b"%PDF-1.7\n", "image/jpeg"),
    "a page named as a PNG": (b"<html><script>", "image/png"),
    "an image bomb": (BOMB, "image/png"),
    "a zip with a path traversal": (zipped(), "application/pdf"),
    "a picture that is cut off": (with_exif()[:200], "image/jpeg"),
    "magic bytes and no picture": (b"\xff\xd8\xff" + b"\0" * 500, "image/jpeg"),
}


def upload(
    world: World, content: bytes, kind: str = "image/jpeg", pod: str = "P-1", partner: str = "pod_app"
) -> Any:
    headers = world.key(partner) | {"Content-Type": kind}
    return world.client.post(
        f"/v1/proofs-of-delivery/{pod}/documents?kind=photo", content=content, headers=headers
    )


def see(world: World, pod: str, document: str, partner: str = "pod_app") -> Any:
    return world.client.get(f"/v1/proofs-of-delivery/{pod}/documents/{document}", headers=world.key(partner))


def test_what_came_is_sealed_and_pixels_alone_are_shown(world: World) -> None:
    content = with_exif()
    answer = upload(world, content)
    assert answer.status_code == 201, answer.text
    digest = answer.json()["document_id"]
    sealed = vault.path_of(world.settings, digest)
    assert digest == sha256_hex(content) and sealed.read_bytes() == content
    assert sealed.stat().st_mode & 0o222 == 0
    shown = see(world, "P-1", digest)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert shown.headers["cache-control"] == "private, no-store"
    assert CANARY in content and CANARY not in shown.content
    with Image.open(io.BytesIO(shown.content)) as image:
        assert not image.getexif() and image.size == (30, 40), "upright, and nothing beside the pixels"


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1"])
def test_every_kind_of_png_is_shown(world: World, mode: str) -> None:
    answer = upload(world, picture("PNG", mode=mode, size=(50, 20 + len(mode))), "image/png")
    assert answer.status_code == 201
    assert see(world, "P-1", answer.json()["document_id"]).status_code == 200


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_document_is_refused_and_not_kept(world: World, name: str) -> None:
    content, kind = BAD[name]
    answer = upload(world, content, kind)
    assert answer.status_code == 422, answer.text
    letter = dead_letters.get(world.engine, answer.json()["dead_letter_id"])
    assert letter.reason == "EVIDENCE_REJECTED" and sha256_hex(content).encode() in letter.raw
    assert not vault.path_of(world.settings, sha256_hex(content)).exists()


def test_a_pdf_is_kept_and_not_shown(world: World) -> None:
    answer = upload(world, b"%PDF-1.7\nwhatever", "application/pdf")
    assert answer.status_code == 201
    assert see(world, "P-1", answer.json()["document_id"]).status_code == 404


@pytest.mark.parametrize("kind", ["image/gif", "image/svg+xml", "text/html", "multipart/form-data"])
def test_another_type_is_not_taken(world: World, kind: str) -> None:
    assert upload(world, PNG, kind).status_code == 415


def test_a_large_one_is_not_read(world: World) -> None:
    headers = world.key("pod_app") | {"Content-Type": "image/png", "Content-Length": str(30 << 20)}
    answer = world.client.post("/v1/proofs-of-delivery/P/documents?kind=photo", content=PNG, headers=headers)
    assert answer.status_code == 413


def test_sent_twice_it_is_one_document(world: World) -> None:
    first, again = (upload(world, picture(size=(77, 7)), pod="P-twice") for _ in range(2))
    assert (first.json()["is_new"], again.json()["is_new"]) == (True, False)
    digest = first.json()["document_id"]
    assert len(documents.uploaded(world.engine, "pod_app", "P-twice", [digest])) == 1


def test_nobody_sees_what_another_uploaded(world: World) -> None:
    digest = upload(world, PNG, "image/png").json()["document_id"]
    assert see(world, "P-1", digest).status_code == 200
    assert see(world, "P-1", digest, "carrier_north").status_code == 404
    assert see(world, "P-2", digest).status_code == 404


@pytest.mark.parametrize("pod", ["..", "%2e%2e%2fP", "a%2fb", "a%5cb", "a%00b"])
def test_a_way_out_of_the_vault_is_no_proof(world: World, pod: str) -> None:
    assert upload(world, PNG, "image/png", pod).status_code in (404, 405, 422)


def test_a_proof_names_what_was_uploaded_for_it_and_nothing_else(world: World) -> None:
    digest = upload(world, PNG, "image/png", "P-named").json()["document_id"]
    good = proof(pod_id="P-named", documents=[{"document_id": digest, "kind": "photo"}])
    assert world.post("/v1/proofs-of-delivery", "pod_app", good).status_code == 202
    for body in (
        good | {"pod_id": "P-other"},
        good | {"documents": [{"document_id": "0" * 64, "kind": "photo"}]},
    ):
        answer = world.post("/v1/proofs-of-delivery", "pod_app", body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["where"] == "documents.0.document_id"


def test_a_large_picture_is_shown_smaller() -> None:
    copy = pictures.derivative(picture(size=(3000, 1500)))
    assert copy is not None
    with Image.open(io.BytesIO(copy)) as image:
        assert image.size == (2048, 1024)

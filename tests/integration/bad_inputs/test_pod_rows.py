"""Bad proofs of delivery and bad evidence: parked, refused or held, and never a document fetched from elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import struct
import zipfile
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.world.pictures import png
from state.vault import path_of
from tests.support.vendors import NOW, Intake, text

CAPTURED = NOW - timedelta(hours=2)
PICTURE = png(48, 24, 3)
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x0b\x08" + struct.pack(">HH", 30, 40) + bytes(20)


def ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def task(
    name: str, /, shipment: str = "S-1", done: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    values = {"consignment_id": shipment, "order_id": "O-1", "received_at": ms(CAPTURED)} | more
    details = {"success": True, "time": ms(CAPTURED), "photoUploadIds": [], "signatureUploadId": None}
    return {
        "id": name, "timeLastModified": ms(CAPTURED), "completionDetails": details | (done or {}),
        "metadata": [{"name": key, "value": value} for key, value in values.items()],
    }  # fmt: skip


def signed(name: str, upload: str, **more: Any) -> dict[str, Any]:
    return task(name, done={"signatureUploadId": upload}, **more)


def delivery(name: str, **changes: Any) -> dict[str, Any]:
    moment = CAPTURED.isoformat()
    return {
        "id": name, "shipment": "S-1", "order": "O-1", "status": "delivered", "captured_at": moment,
        "uploaded_at": moment, "updated_at": moment, "lines": [], "documents": [], "damage": False,
    } | changes  # fmt: skip


def zipped() -> bytes:
    """An archive whose member would climb out of its folder and unpack to a thousand times its size."""
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../etc/passwd", bytes(1_000_000))
    return body.getvalue()


EVIDENCE: dict[str, tuple[str, str, bytes, str]] = {
    "empty signature": ("sig-1", "image/png", b"", "EVIDENCE_REJECTED"),
    "1x1 signature": ("sig-2", "image/png", png(1, 1, 0), "EVIDENCE_REJECTED"),
    "1x1 signature as JPEG": (
        "sig-3", "image/jpeg", JPEG.replace(struct.pack(">HH", 30, 40), struct.pack(">HH", 1, 1)), "EVIDENCE_REJECTED"
    ),
    "PDF declared as JPEG": ("sig-4", "image/jpeg", b"%PDF-1.7\n%%EOF", "EVIDENCE_REJECTED"),
    "PDF named .jpg": ("sig-5.jpg", "application/pdf", b"%PDF-1.7\n%%EOF", "EVIDENCE_REJECTED"),
    "image bomb": (
        "sig-6", "image/png", PICTURE[:16] + struct.pack(">II", 60_000, 60_000) + PICTURE[24:], "EVIDENCE_REJECTED"
    ),
    "image bomb as JPEG": (
        "sig-7", "image/jpeg", JPEG.replace(struct.pack(">HH", 30, 40), b"\xff\xff\xff\xff"), "EVIDENCE_REJECTED"
    ),
    "zip with a path traversal": ("sig-8", "application/zip", zipped(), "EVIDENCE_REJECTED"),
    "answer that unpacks beyond every limit": (
        "sig-9", "image/png", gzip.compress(bytes(64 << 20)), "EVIDENCE_REJECTED"
    ),
}  # fmt: skip
ELSEWHERE = {
    "link-local address": "http://169.254.169.254/latest/meta-data/",
    "private address": "http://10.0.0.8/photo.png",
    "another port of this machine": "http://127.0.0.1:1/photo.png",
    "address without a scheme": "//192.168.0.1/photo.png",
    "file of this machine": "file:///etc/passwd",
    "path traversal": "/cdn/uploads/../../etc/passwd",
    "percent-encoded path traversal": "/cdn/%2e%2e/%2e%2e/etc/passwd",
}


@pytest.fixture(scope="module", autouse=True)
def read(intake: Intake) -> None:
    told = intake.vendors
    told.lists["consignments"] = [consignment("S-1")]
    intake.read("dispatch")
    for upload, kind, content, _ in EVIDENCE.values():
        told.files[f"/cdn/uploads/{upload}"] = kind, content
    told.headers["/cdn/uploads/sig-9"] = {"content-encoding": "gzip"}
    told.files |= {
        "/cdn/uploads/good.jpg": ("image/jpeg", JPEG), "/cdn/uploads/changed": ("image/png", PICTURE),
        "/cdn/uploads/same": ("image/png", PICTURE), "/cdn/uploads/bill.pdf": ("application/pdf", b"%PDF-1.7"),
    }  # fmt: skip
    told.lists["tasks"] = [signed(f"T-{upload}", upload) for upload, *_ in EVIDENCE.values()]
    told.lists["tasks"] += [
        signed("T-good", "good.jpg"),
        signed("T-bill", "bill.pdf"),
        signed("T-changed", "changed", evidence_sha256=json.dumps({"changed": "0" * 64})),
        signed("T-same", "same", evidence_sha256=json.dumps({"same": hashlib.sha256(PICTURE).hexdigest()})),
        seconds(),
        task("T-flag", damage="false"),
        task("T-flags", damage=False),
        task("T-null", consignment_id=None),
    ]
    told.lists["deliveries"] = [
        delivery(f"D-{number}", documents=[{"id": "p", "kind": "photo", "url": url}])
        for number, url in enumerate(ELSEWHERE.values())
    ] + [delivery("D-own", documents=[{"id": "p", "kind": "photo", "url": "/cdn/uploads/same"}])]
    counts = intake.read("pod")
    assert (counts["evidence"].dead_lettered, counts["evidence"].loaded) == (len(EVIDENCE) + 1, 3)
    counts = intake.read("depot_pod")
    assert (counts["evidence"].dead_lettered, counts["evidence"].loaded) == (len(ELSEWHERE), 1)


def consignment(name: str) -> dict[str, Any]:
    return {
        "id": name, "lastModified": CAPTURED.isoformat(), "status": "accepted",
        "externalAttributes": {"orderId": "O-1"},
    }  # fmt: skip


def seconds() -> dict[str, Any]:
    return task("T-seconds", done={"time": int(CAPTURED.timestamp())})


def reason_of(intake: Intake, evidence_id: str) -> tuple[str, str]:
    [letter] = [each for each in intake.letters() if each.source_id == evidence_id]
    assert json.loads(letter.raw)["evidence_id"] == evidence_id
    return letter.reason, letter.detail


@pytest.mark.parametrize("case", EVIDENCE)
def test_a_document_is_refused_and_its_proof_is_loaded(intake: Intake, case: str) -> None:
    upload, _, _, reason = EVIDENCE[case]
    assert reason_of(intake, f"T-{upload}|{upload}")[0] == reason
    assert len(intake.rows("pod", "proofs", f"T-{upload}")) == 1


@pytest.mark.parametrize(
    ("proof", "kind"), [("T-good|good.jpg", "image/jpeg"), ("T-bill|bill.pdf", "application/pdf")]
)
def test_a_sound_document_is_sealed(intake: Intake, proof: str, kind: str) -> None:
    [row] = intake.rows("pod", "evidence", proof)
    assert (row["status"], row["mime_type"]) == ("sealed", kind)


def test_a_document_of_another_checksum_is_refused_and_kept_under_seal(intake: Intake) -> None:
    reason, detail = reason_of(intake, "T-changed|changed")
    digest = hashlib.sha256(PICTURE).hexdigest()
    assert reason == "EVIDENCE_HASH_MISMATCH" and digest in detail
    assert path_of(intake.settings, digest).read_bytes() == PICTURE
    assert intake.rows("pod", "evidence", "T-same|same")[0]["sha256"] == digest


@pytest.mark.parametrize("number", range(len(ELSEWHERE)), ids=list(ELSEWHERE))
def test_what_lies_elsewhere_is_refused_and_never_fetched(intake: Intake, number: int) -> None:
    assert reason_of(intake, f"D-{number}|p")[0] == "URL_REFUSED"
    assert not any("etc" in each or "photo" in each or "latest" in each for each in intake.vendors.asked)


def test_what_lies_on_the_apps_own_host_is_fetched(intake: Intake) -> None:
    assert intake.rows("pod", "evidence", "D-own|p")[0]["status"] == "sealed"


def test_an_address_elsewhere_alarms(intake: Intake) -> None:
    from state.dead_letters import of_run

    assert len(of_run(intake.engine, f"run-{intake.runs}", "pod", ["URL_REFUSED"])) == len(ELSEWHERE)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (seconds(), "TIME_INVALID"),
        (task("T-flag", damage="false"), "FIELD_INVALID"),
        (task("T-null", consignment_id=None), "FIELD_MISSING"),
    ],
    ids=["seconds for milliseconds", '"false" as a boolean', "shipment null"],
)
def test_a_proof_is_refused_and_its_bytes_are_kept(intake: Intake, row: dict[str, Any], reason: str) -> None:
    assert intake.letter(row, "proofs").reason == reason


def test_a_proof_with_a_true_boolean_is_loaded(intake: Intake) -> None:
    assert intake.rows("pod", "proofs", "T-flags")[0]["has_damage"] is False


def test_a_proof_that_comes_before_dispatch_waits_for_its_shipment(fresh: Intake) -> None:
    fresh.vendors.lists["consignments"] = [consignment("S-0")]
    fresh.read("dispatch")
    early = task("P-1")
    fresh.vendors.lists["tasks"] = [early, task("P-0", shipment="S-0")]
    counts = fresh.read("pod")["proofs"]
    assert (counts.loaded, counts.parked) == (1, 1)
    assert fresh.letter(early, "proofs", "parked").park_until == CAPTURED + timedelta(hours=72)
    assert fresh.rows("pod", "proofs", "P-1") == []
    fresh.vendors.lists["consignments"].append(consignment("S-1"))
    fresh.read("dispatch")
    assert fresh.read("pod")["proofs"].loaded == 1
    assert len(fresh.rows("pod", "proofs", "P-1")) == 1 and fresh.letters("parked") == []


def test_an_unknown_shipment_is_waited_for_three_days_and_then_refused(fresh: Intake) -> None:
    fresh.vendors.lists["consignments"] = [consignment("S-0")]
    fresh.read("dispatch")
    stray = task("P-1")
    fresh.vendors.lists["tasks"] = [stray]
    fresh.vendors.now = CAPTURED + timedelta(hours=71)
    assert fresh.read("pod")["proofs"].parked == 1
    fresh.vendors.now = CAPTURED + timedelta(hours=73)
    assert fresh.read("pod")["proofs"].dead_lettered == 1
    assert fresh.letter(stray, "proofs").reason == "UNKNOWN_PARENT" and fresh.letters("parked") == []


def test_two_proofs_that_contradict_each_other_are_both_kept(fresh: Intake) -> None:
    fresh.vendors.lists["consignments"] = [consignment("S-1")]
    fresh.read("dispatch")
    fresh.vendors.lists["tasks"] = [task("P-1"), task("P-2", done={"success": False})]
    assert fresh.read("pod")["proofs"].loaded == 2
    outcomes = [fresh.rows("pod", "proofs", each)[0]["outcome"] for each in ("P-1", "P-2")]
    assert outcomes == ["succeeded", "failed"]


def test_proofs_of_a_depot_in_the_gap_are_refused_and_naive_ones_flagged(fresh: Intake) -> None:
    fresh.vendors.lists["consignments"] = [consignment("S-1")]
    fresh.read("dispatch")
    gap = delivery("D-1", captured_at="2026-03-29T01:30:00")
    fresh.vendors.lists["deliveries"] = [gap, delivery("D-2", captured_at="2026-03-29T03:30:00")]
    counts = fresh.read("depot_pod")["proofs"]
    assert (counts.loaded, counts.dead_lettered) == (1, 1)
    assert fresh.letter(gap, "proofs").raw == text(gap)
    assert fresh.rows("pod", "proofs", "D-2")[0]["time_quality"] == "assumed_zone"

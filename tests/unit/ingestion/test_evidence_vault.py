"""Evidence is kept once, read-only, under its hash; what is no document is told."""

import hashlib
import struct

import pytest

from core.settings import Settings
from state.vault import objection, path_of, seal

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 40, 30) + bytes(20)
DOT = PNG[:16] + struct.pack(">II", 1, 1) + PNG[24:]
BOMB = PNG[:16] + struct.pack(">II", 60_000, 60_000) + PNG[24:]


def test_sealing_twice_keeps_one_read_only_file(tmp_path):
    settings = Settings(home=tmp_path)
    digest = seal(settings, PNG)
    assert digest == hashlib.sha256(PNG).hexdigest() == seal(settings, PNG)
    path = path_of(settings, digest)
    assert path.read_bytes() == PNG
    assert path.stat().st_mode & 0o777 == 0o444
    assert len(list(settings.evidence.rglob("*"))) == 2


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (b"", "image/png"),
        (DOT, "image/png"),
        (BOMB, "image/png"),
        (b"%PDF-1.7", "image/jpeg"),
        (b"MZ", "image/png"),
    ],
)
def test_what_is_no_evidence_is_told(content, declared):
    assert objection(content, declared)


@pytest.mark.parametrize("content", [PNG, b"\xff\xd8\xff\xe0jpeg", b"%PDF-1.7 x"])
def test_a_real_document_passes(content):
    assert objection(content, "application/octet-stream") is None

"""Small real PNG images: signatures and photos, each a little different."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int, seed: int) -> bytes:
    """A grey-scale image with a wavy line, no two seeds (mod 251) alike."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            wave = (x * (seed % 7 + 2) + seed) % height
            rows.append(20 if abs(wave - y) < 2 else 255 - (seed + x) % 251 // 8)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(rows), 1)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body

"""Reading a body that anybody may have sent: within limits of size, time and shape, before anything looks into it.

Belongs here: bytes and JSON. What a document means is the contracts' business.
"""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from typing import Any

from fastapi import Request

from api.problems import Problem
from core.ids import sha256_hex

LARGEST_JSON = 1 << 20
"""Bytes of a JSON body, unpacked. A batch of 500 events has about 250 kB."""
LARGEST_UPLOAD = 20 * (1 << 20)
READ_S = 10.0
"""Seconds in which a body has to be there."""
MOST_DEEP = 32
MOST_KEYS = 50_000
LONGEST_STRING = 64 * 1024
MOST_INTEGER = 2**63 - 1
# A text that is not closed ends with the document: so that each character is looked at once.
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}:]', re.DOTALL)


class Refused(Exception):
    """A body that is kept as a dead letter: its status, the letter's reason code, and what is wrong with it."""

    def __init__(self, status: int, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.reason, self.detail = status, reason, detail


async def read(request: Request, largest: int) -> bytes:
    """The body, unpacked when it came as gzip; Problem 408, 411-415 when it is not one that is taken here.

    ``TooLarge`` is what a body beyond the limit raises, as soon as it is.
    """
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise Problem(415, "The encoding is not known.", "Send it as it is, or as gzip.")
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > largest:
        raise TooLarge(b"", int(declared), largest)
    try:
        async with asyncio.timeout(READ_S):
            return await _read(
                request, largest, zlib.decompressobj(zlib.MAX_WBITS | 16) if encoding == "gzip" else None
            )
    except TimeoutError as error:
        raise Problem(
            408, f"The body did not come within {READ_S:.0f} s.", "Send it again, faster."
        ) from error


def check_type(request: Request, *taken: str) -> None:
    """Problem 415 for a body that says to be something else; one that says nothing is taken for what is taken here."""
    said = request.headers.get("content-type", taken[0]).partition(";")[0].strip().lower()
    if said not in taken:
        raise Problem(415, "The type of the body is not taken here.", f"Send it as {' or '.join(taken)}.")


class TooLarge(Exception):
    """A body beyond the limit. ``note`` is what is kept of it: how large it is, and the hash of what was read."""

    def __init__(self, begun: bytes, size: int, largest: int) -> None:
        super().__init__(f"more than {largest} bytes")
        self.note = json.dumps({"size_at_least": size, "sha256_of_what_was_read": sha256_hex(begun)}).encode()
        self.largest = largest


def note_of(body: bytes) -> bytes:
    """What is kept of something that is not kept itself."""
    return json.dumps({"size": len(body), "sha256": sha256_hex(body)}).encode()


async def _read(request: Request, largest: int, unpacking: Any) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        try:
            # One byte more than may be: of what unpacks to more, no more is unpacked.
            body += chunk if unpacking is None else unpacking.decompress(chunk, largest + 1 - len(body))
        except zlib.error as error:
            raise Problem(400, "The body is no gzip.", "Send it as it is, or as gzip.") from error
        if unpacking is not None and unpacking.unused_data:
            # It would be dropped unread, and what came before it be taken for all.
            raise Problem(
                400, "Something follows the end of the gzip.", "Send it as one gzip, nothing after it."
            )
        if len(body) > largest or (unpacking is not None and unpacking.unconsumed_tail):
            raise TooLarge(bytes(body), len(body), largest)
    if unpacking is not None and not unpacking.eof:
        raise Problem(400, "The gzip is cut off.", "Send all of it.")
    return bytes(body)


def parse(body: bytes) -> Any:
    """The JSON document; Refused when it is none, or one that two readers could read differently."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused(400, "JSON_INVALID", "the body is not UTF-8") from error
    _measure(text)
    try:
        return json.loads(
            text, parse_int=_whole, parse_constant=_no_constant, object_pairs_hook=_each_key_once
        )
    except ValueError as error:
        raise Refused(400, "JSON_INVALID", "the body is not one JSON document") from error


def items(body: bytes) -> list[tuple[bytes, Any]]:
    """Each item of a JSON list that ``parse`` has read: its bytes as they came, and what they say."""
    text, decoder = body.decode("utf-8"), json.JSONDecoder()
    at = text.index("[") + 1
    found: list[tuple[bytes, Any]] = []
    while True:
        start = _after(text, at, " \t\n\r,")
        if text[start] == "]":
            return found
        item, at = decoder.raw_decode(text, start)
        found.append((text[start:at].encode("utf-8"), item))


def _after(text: str, at: int, blanks: str) -> int:
    while text[at] in blanks:
        at += 1
    return at


def _measure(text: str) -> None:
    """Depth, keys and lengths, seen before anything is built from the text."""
    depth = keys = 0
    for mark in _MARKS.finditer(text):
        first = mark[0][0]
        if first == '"' and len(mark[0]) > LONGEST_STRING:
            raise Refused(413, "TOO_LARGE", f"a text has more than {LONGEST_STRING} characters")
        depth += (first in "[{") - (first in "]}")
        keys += first == ":"
        if depth > MOST_DEEP:
            raise Refused(400, "NESTED_TOO_DEEP", f"nested deeper than {MOST_DEEP} levels")
        if keys > MOST_KEYS:
            raise Refused(413, "TOO_LARGE", f"more than {MOST_KEYS} keys")


def _whole(digits: str) -> int:
    if len(digits) > 20 or abs(int(digits)) > MOST_INTEGER:
        raise Refused(422, "NUMBER_INVALID", "a whole number beyond 2^63 - 1")
    return int(digits)


def _no_constant(name: str) -> float:
    raise Refused(422, "NUMBER_INVALID", f"{name} is no JSON")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused(422, "KEY_TWICE", "a key occurs twice in one object")
    return found

"""JSON from outside: decimals stay decimals, what is doubtful is noticed, every row keeps the text it came as.

Belongs here: reading, and why a document or one row of it cannot be read safely. A document that is cut off is
refused as a whole; a row that nests too deep, or is too large to keep, costs itself alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.ids import canonical_json, sha256_hex

MOST_DEEP = 64
"""Levels of nesting; no vendor's row has ten."""
LARGEST_ROW = 1 << 20
"""Bytes of a row; of a larger one only its hash and its size are kept."""

_blank = re.compile(r"[ \t\n\r]*").match
_MARKS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


class JsonRefused(ValueError):
    """The text is not one whole JSON document that can be read safely."""


class Doubtful(dict[str, Any]):
    """An object in which a key occurs twice: its row is refused, whichever value was meant."""


class Told(dict[str, Any]):
    """One row of an answer with its exact ``text``; ``fault`` says why it cannot be used."""

    text: bytes = b""
    fault: str | None = None


def loads(text: bytes | str) -> Any:
    """The document; NaN and infinities become Decimals, for the row's contract to refuse."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=Decimal, object_pairs_hook=_object)
    except RecursionError as error:
        raise JsonRefused("nested too deep") from error
    except ValueError as error:
        raise JsonRefused(str(error)) from error


def answer(body: bytes) -> Any:
    """The document of a source; objects in the lists of its outermost object, or in an outermost list, are ``Told``.

    Bytes that are no UTF-8 become lone surrogates, for the row's contract to refuse.
    """
    encoding = json.detect_encoding(body)
    try:
        text = body.decode(encoding, "surrogateescape" if encoding.startswith("utf-8") else "strict")
        return _Reader(text).document()
    except (RecursionError, IndexError) as error:
        raise JsonRefused("nested too deep" if isinstance(error, RecursionError) else "cut off") from error
    except ValueError as error:
        raise JsonRefused(str(error)) from error


def fault_of(row: object) -> str | None:
    """Why a row cannot be used, whatever its fields say; None when nothing speaks against it."""
    if isinstance(row, Told) and row.fault:
        return row.fault
    level: list[Any] = [row]
    for _ in range(MOST_DEEP):
        if any(isinstance(each, Doubtful) for each in level):
            return "a key occurs twice in one object"
        level = [inner for each in level for inner in _containers(each)]
        if not level:
            return None
    return f"nested deeper than {MOST_DEEP} levels"


def as_came(raw: Mapping[str, Any] | bytes) -> bytes:
    """A row's bytes as they came; canonical JSON of one that a source does not send by itself."""
    if isinstance(raw, bytes):
        return raw
    return raw.text if isinstance(raw, Told) and raw.text else canonical_json(raw)


def kept(raw: bytes) -> bytes:
    """What is kept of a refused row: all of it, or hash and size of one that is too large."""
    if len(raw) <= LARGEST_ROW:
        return raw
    return canonical_json({"sha256": sha256_hex(raw), "size": len(raw)})


class _Reader:
    """Reads the outermost object step by step, so that each row's place in the text is known."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._scan = json.JSONDecoder(
            parse_float=Decimal, parse_constant=Decimal, object_pairs_hook=_object
        ).raw_decode

    def document(self) -> Any:
        start = self._after_blanks(0)
        read = {"{": self._object, "[": self._list}.get(self._text[start])
        value, end = read(start) if read else self._scan(self._text, start)
        if self._after_blanks(end) != len(self._text):
            raise JsonRefused(f"more text after the document, at {end}")
        return value

    def _object(self, at: int) -> tuple[Any, int]:
        pairs: list[tuple[str, Any]] = []
        at = self._after_blanks(at + 1)
        while self._text[at] != "}":
            key, at = self._scan(self._text, at)
            at = self._after_blanks(self._expect(":", self._after_blanks(at)))
            value, at = self._list(at) if self._text[at] == "[" else self._scan(self._text, at)
            pairs.append((key, value))
            at = self._next(at, "}")
        return _object(pairs), at + 1

    def _list(self, at: int) -> tuple[list[Any], int]:
        rows: list[Any] = []
        at = self._after_blanks(at + 1)
        while self._text[at] != "]":
            row, at = self._row(at)
            rows.append(row)
            at = self._next(at, "]")
        return rows, at + 1

    def _row(self, at: int) -> tuple[Any, int]:
        fault = None
        try:
            value, end = self._scan(self._text, at)
        except json.JSONDecodeError:
            raise
        except (RecursionError, ValueError) as error:
            value, end = {}, self._end_of(at)
            fault = "nested too deep" if isinstance(error, RecursionError) else str(error)
        if not isinstance(value, dict):
            return value, end
        row = Told(value)
        row.text = self._text[at:end].encode("utf-8", "surrogateescape")
        row.fault = fault or ("a key occurs twice in one object" if isinstance(value, Doubtful) else None)
        if len(row.text) > LARGEST_ROW:
            row.fault = f"{len(row.text)} bytes, more than {LARGEST_ROW}"
        return row, end

    def _end_of(self, at: int) -> int:
        """The end of the value at ``at``, found without reading into it."""
        depth = 0
        for mark in _MARKS.finditer(self._text, at):
            if mark[0] in "[{":
                depth += 1
            elif mark[0] in "]}":
                depth -= 1
            if depth == 0:
                return mark.end()
        raise JsonRefused("cut off")

    def _next(self, at: int, closing: str) -> int:
        """Where the next member or the closing mark stands."""
        at = self._after_blanks(at)
        return at if self._text[at] == closing else self._after_blanks(self._expect(",", at))

    def _expect(self, mark: str, at: int) -> int:
        if self._text[at] != mark:
            raise JsonRefused(f"expected {mark!r} at {at}")
        return at + 1

    def _after_blanks(self, at: int) -> int:
        found = _blank(self._text, at)
        return found.end() if found else at


def _containers(value: object) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [each for each in inner if isinstance(each, dict | list)]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubtful(found)

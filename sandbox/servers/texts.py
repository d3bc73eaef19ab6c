"""JSON in and out without touching numbers: what the world planted (NaN, 1e309, 10.50) is served as it stands.

Belongs here: reading and writing JSON text. What the documents mean does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

_MARK = "\ue000number:"
_MARKED = re.compile(r'"\\ue000number:([^"\\]*)"')


def _mark(token: str) -> str:
    return _MARK + token


def _whole(token: str) -> int | str:
    return int(token) if len(token) <= 18 else _mark(token)


def parse(text: str) -> dict[str, Any]:
    """The document as a dict; fractions, NaN and huge integers are opaque tokens that ``dump`` writes back."""
    document: dict[str, Any] = json.loads(text, parse_float=_mark, parse_int=_whole, parse_constant=_mark)
    return document


def number(value: object) -> object:
    """A value of a parsed document for comparing: a token becomes a float."""
    if isinstance(value, str) and value.startswith(_MARK):
        return float(value.removeprefix(_MARK))
    return value


def dump(document: object) -> str:
    """JSON text of a parsed document or of anything that json can write."""
    return _MARKED.sub(r"\1", json.dumps(document, separators=(",", ":")))


def array(bodies: Iterable[str]) -> str:
    """A JSON array of texts that are JSON already."""
    return f"[{','.join(bodies)}]"

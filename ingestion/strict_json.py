"""JSON from outside: decimals stay decimals, a repeated key is noticed, depth and truncation are refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


class JsonRefused(ValueError):
    """The text is not one whole JSON document that can be read safely."""


class Doubtful(dict[str, Any]):
    """An object in which a key occurs twice: its row is refused, whichever value was meant."""


def loads(text: bytes | str) -> Any:
    """The document; NaN and infinities become Decimals, for the row's contract to refuse."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=Decimal, object_pairs_hook=_object)
    except RecursionError as error:
        raise JsonRefused("nested too deep") from error
    except ValueError as error:
        raise JsonRefused(str(error)) from error


def is_doubtful(value: object) -> bool:
    """Whether a key is repeated anywhere in ``value``."""
    if isinstance(value, Doubtful):
        return True
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            if isinstance(each, dict | list) and is_doubtful(each):
                return True
    return False


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else Doubtful(found)

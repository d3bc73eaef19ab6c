"""The border: every row is checked against its contract here, and gets its envelope or its reason.

Reasons are derived from the field's own type, so that the same mistake has the same code in every resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from contracts.arrow import field_type
from contracts.resources import Resource
from core.ids import canonical_json, sha256_hex
from ingestion.base import Rejection, SourceRecord

# What a model-wide check says, and the reason it stands for.
_MODEL_REASONS = {
    "minor unit": "AMOUNT_INVALID",
    "return": "QUANTITY_SIGN",
    "before start_at": "END_BEFORE_START",
    "own parent": "CYCLE",
}
_TYPE_REASONS = {
    "decimal": "AMOUNT_INVALID",
    "timestamp": "TIME_INVALID",
    "date32": "TIME_INVALID",
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """One row that kept its contract, with the envelope's own fields beside it."""

    source_id: str
    version: datetime
    row_hash: str
    fields: dict[str, Any]
    record: SourceRecord


class Border:
    """Checks the rows of one resource."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self._contract = resource.contract
        self._reasons = {name: _reason(name, info) for name, info in self._contract.model_fields.items()}

    def check(self, record: SourceRecord) -> Accepted | Rejection:
        """The row with its id, version and hash, or why it is refused."""
        if record.rejection is not None:
            return record.rejection
        if record.fields is None:
            return Rejection("FIELD_INVALID", "the row could not be read")
        if record.version is None:
            return Rejection("FIELD_MISSING", "the row does not say when it was last changed")
        try:
            row = self._contract.model_validate(record.fields)
        except ValidationError as error:
            return self._rejection(error)
        fields = dict(row.__dict__)  # contracts are flat: the same as model_dump(), without its cost
        return Accepted(
            source_id="|".join(_text(fields[name]) for name in self._contract.key),
            version=record.version,
            row_hash=sha256_hex(canonical_json(fields)),
            fields=fields,
            record=record,
        )

    def _rejection(self, error: ValidationError) -> Rejection:
        """The first error's reason; the detail tells all of them."""
        errors = error.errors(include_url=False)
        first = errors[0]
        detail = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'row'}: {each['msg']} (found {_short(each['input'])})"
            for each in errors
        )
        if not first["loc"]:
            reasons = [reason for words, reason in _MODEL_REASONS.items() if words in first["msg"]]
            return Rejection(reasons[0] if reasons else "FIELD_INVALID", first["msg"])
        if first["type"] == "missing" or first["input"] is None:
            return Rejection("FIELD_MISSING", detail)
        return Rejection(self._reasons.get(str(first["loc"][0]), "FIELD_INVALID"), detail)


def _reason(name: str, info: FieldInfo) -> str:
    """The code for a wrong value of one field."""
    if name in {"latitude", "longitude"}:
        return "COORDINATES_INVALID"
    if _is_literal(info.annotation):
        return "STATUS_UNKNOWN"
    arrow_type = str(field_type(info)[0])
    for prefix, reason in _TYPE_REASONS.items():
        if arrow_type.startswith(prefix):
            return reason
    if "currency" in name:
        return "CURRENCY_INVALID"
    if arrow_type == "string":
        return "ID_INVALID" if name.endswith(("_id", "uom", "_code")) else "TEXT_INVALID"
    return "FIELD_INVALID"


def _is_literal(annotation: Any) -> bool:
    from typing import Literal

    return get_origin(annotation) is Literal or any(_is_literal(each) for each in get_args(annotation))


def _text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _short(value: object) -> str:
    if isinstance(value, Mapping):
        return "a row"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

"""Fields of a message that its contract does not have: they refuse nothing, and are counted for `waybill connections drift`.

Belongs here: finding and counting them. Vendors' webhooks are left out: of them the contracts name the least that is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, RootModel
from sqlalchemy import Engine

from api.sources import Source
from state import source_fields
from state.inbox import LETTER_KIND

_MOST = 10
"""Names counted of one message: nobody fills the store with names."""
_LONGEST = 140


async def count(engine: Engine, source: Source, document: Any, message: BaseModel) -> None:
    """Count what nobody agreed on; nothing is written where there is nothing."""
    names = [each[:_LONGEST] for each in dict.fromkeys(unagreed(document, message))][:_MOST]
    if not names:
        return
    agreed = dict.fromkeys(type(_inside(message)).model_fields, 1)
    for fields in (agreed, dict.fromkeys(names, 1)):
        seen = {source.kind: fields}
        await asyncio.to_thread(
            source_fields.record, engine, source.partner, LETTER_KIND, source.trace_id, seen
        )


def unagreed(document: Any, message: BaseModel, before: str = "") -> Iterator[str]:
    """The names, with those of the parts they stand in before them."""
    message = _inside(message)
    known = {field.alias or name: name for name, field in type(message).model_fields.items()}
    for name, value in document.items():
        if name not in known:
            yield f"{before}{name}".encode("utf-8", "backslashreplace").decode()
            continue
        part = getattr(message, known[name])
        pairs = zip(value, part, strict=True) if isinstance(part, tuple) else [(value, part)]
        for inner, model in pairs:
            if isinstance(model, BaseModel):
                yield from unagreed(inner, model, f"{before}{name}.")


def _inside(message: BaseModel) -> BaseModel:
    found: BaseModel = message.root if isinstance(message, RootModel) else message
    return found

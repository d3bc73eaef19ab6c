"""What is a message's own fault, among all that nobody foresaw, and what its sender and we are told of it.

A slip in how messages are read breaks on one message and would break on it again. A full disk, a store that is gone or no
memory are nobody's message's fault: those are tried again as a whole.
"""

from __future__ import annotations

import logging

import duckdb
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from core.errors import WaybillError
from ingestion.base import Rejection
from state.inbox import Message

UNFORESEEN = "UNFORESEEN"
_OF_THE_PLACE = (WaybillError, OSError, MemoryError, duckdb.Error, DBAPIError)
_OF_THE_DATA = (duckdb.DataError, DataError, IntegrityError)
"""What a database says of a value and not of itself."""
log = logging.getLogger("waybill.ingestion")


def is_of_the_place(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says something of where we work and nothing of the message."""
    while error is not None:
        if isinstance(error, _OF_THE_PLACE) and not isinstance(error, _OF_THE_DATA):
            return True
        error = error.__cause__ or error.__context__
    return False


def given_up(message: Message, error: Exception) -> Rejection:
    """Why a message is given up; the log has what the letter does not say: where it broke."""
    log.error("message %s is given up", message.message_id, exc_info=error)
    return Rejection(
        UNFORESEEN,
        f"{type(error).__name__} while it was read, which nobody foresaw. Remedy: the log has the rest, by the id "
        f"{message.message_id}; once Waybill reads such a message, its sender sends it under a new id.",
    )

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
_OF_THE_DATA = (
    duckdb.DataError,
    duckdb.IntegrityError,
    duckdb.InvalidInputException,
    DataError,
    IntegrityError,
)
"""What a database says of a value and not of itself."""
log = logging.getLogger("waybill.ingestion")


def is_of_the_place(error: BaseException | None) -> bool:
    """Whether an error, or one that it came from, says something of where we work and nothing of the message."""
    seen: set[int] = set()
    while (
        error is not None and id(error) not in seen
    ):  # one that is raised again may stand in its own context
        if isinstance(error, _OF_THE_PLACE) and not is_of_the_data(error):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


def is_of_the_data(error: BaseException) -> bool:
    """Whether a database says it of a value that it was given."""
    return isinstance(error, _OF_THE_DATA)


def given_up(message: Message, error: Exception) -> Rejection:
    """Why a message is given up; the log has what the letter does not say: where it broke."""
    log.error("message %s is given up", message.message_id, exc_info=error)
    return Rejection(
        UNFORESEEN,
        f"{type(error).__name__} while it was read, which nobody foresaw. Remedy: the log has the rest, by the id "
        f"{message.message_id}; once Waybill reads such a message, its sender sends it under a new id.",
    )


def waited_in_vain(letter_id: str, error: Exception) -> Rejection:
    """Why a row is given up whose parent has come, and which cannot be loaded or built on all the same."""
    log.error("the row of dead letter %s is given up", letter_id, exc_info=error)
    return Rejection(
        UNFORESEEN,
        f"{type(error).__name__} once what it waited for had come: the row cannot be loaded, or a model cannot be built with it, "
        f"which nobody foresaw; it was taken back. Remedy: the log has the rest, by the id {letter_id}; once Waybill can do "
        "with such a row, `waybill dead-letter replay` loads it.",
    )


def breaks_a_model(message: Message, error: WaybillError) -> Rejection:
    """Why a message is given up whose rows were loaded and cannot be built on."""
    log.error("message %s is given up: its rows break a model", message.message_id, exc_info=error)
    return Rejection(
        UNFORESEEN,
        "its rows could be loaded, and a model cannot be built with them, which nobody foresaw; they were taken back. Remedy: "
        f"the log has the rest, by the id {message.message_id}; once the model can do with such rows, its sender sends it "
        "under a new id.",
    )

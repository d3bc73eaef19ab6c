"""How Great Expectations is started: in memory, quiet, reporting to nobody, and only when needed."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_PLAIN = frozenset({str, int, bool, type(None)})


def import_gx() -> Any:
    """The ``great_expectations`` module. The first call costs seconds."""
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return importlib.import_module("great_expectations")


def ephemeral_context() -> Any:
    """A context that writes no file, shows no progress bar and sends no usage statistics."""
    context = import_gx().get_context(mode="ephemeral")
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}
    return context


@contextmanager
def lightened() -> Iterator[None]:
    """While the block runs, Great Expectations does once what it does over and over; what it answers is the same.

    That is half of what judging a few candidates takes. An expectation makes its configuration, out of all its fields, anew
    each time that anything of it is asked for, seventy times in one validation; a suite does not change meanwhile. And an id
    of plain values is made of them as they are, without asking each twenty times what it is.
    """
    expectation = importlib.import_module("great_expectations.expectations.expectation").Expectation
    ids: Any = importlib.import_module("great_expectations.core.id_dict")
    anew, converted = expectation.configuration, ids.convert_to_json_serializable
    made: dict[int, tuple[Any, Any]] = {}

    def configuration(one: Any) -> Any:
        if id(one) not in made:
            made[id(one)] = one, anew.fget(one)  # kept, so that no other one gets its id
        return made[id(one)][1]

    expectation.configuration = property(configuration)
    ids.convert_to_json_serializable = lambda data: data if _is_plain(data) else converted(data)
    try:
        yield
    finally:
        expectation.configuration, ids.convert_to_json_serializable = anew, converted


def _is_plain(value: Any) -> bool:
    """Whether JSON has a value as it is; a float may be none."""
    if type(value) in _PLAIN:
        return True
    if type(value) in {list, tuple}:
        return all(map(_is_plain, value))
    return type(value) is dict and all(type(key) is str and _is_plain(own) for key, own in value.items())

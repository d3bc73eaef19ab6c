"""How Great Expectations is started: in memory, quiet, reporting to nobody, and only when needed."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


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
def configured_once() -> Iterator[None]:
    """While the block runs, an expectation makes its configuration once.

    It makes one anew, out of all its fields, each time that anything of it is asked for: seventy times in one validation,
    which is half of what judging a few candidates takes. A suite does not change while it is validated.
    """
    expectation = importlib.import_module("great_expectations.expectations.expectation").Expectation
    anew = expectation.configuration
    made: dict[int, tuple[Any, Any]] = {}

    def configuration(one: Any) -> Any:
        if id(one) not in made:
            made[id(one)] = one, anew.fget(one)  # kept, so that no other one gets its id
        return made[id(one)][1]

    expectation.configuration = property(configuration)
    try:
        yield
    finally:
        expectation.configuration = anew

"""How Great Expectations is started: in memory, quiet, reporting to nobody, and only when needed."""

from __future__ import annotations

import importlib
import logging
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

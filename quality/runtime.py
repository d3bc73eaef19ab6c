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
    base = importlib.import_module("great_expectations.data_context.types.base")
    # Given from the beginning: each that is set afterwards has the whole configuration written out as YAML. No site: its pages
    # are ours, and a folder for it would be left for each batch.
    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars={"globally": False, "metric_calculations": False},
    )
    return import_gx().get_context(mode="ephemeral", project_config=config)


@contextmanager
def lightened() -> Iterator[None]:
    """While the block runs, Great Expectations does once what it does over and over; what it answers is the same.

    That is more than half of what judging a few candidates takes. An expectation makes its configuration, out of all its
    fields, anew each time that anything of it is asked for, seventy times in one validation, and a configuration the
    expectation that it says, for each metric; a suite does not change meanwhile. An id of plain values is made of them as
    they are, without asking each twenty times what it is. And no fingerprint is made of a frame, twice: nobody reads it.
    """
    expectation = importlib.import_module("great_expectations.expectations.expectation").Expectation
    told = importlib.import_module(
        "great_expectations.expectations.expectation_configuration"
    ).ExpectationConfiguration
    ids: Any = importlib.import_module("great_expectations.core.id_dict")
    engine: Any = importlib.import_module("great_expectations.execution_engine.pandas_execution_engine")
    anew, converted, said = expectation.configuration, ids.convert_to_json_serializable, told.to_domain_obj
    made: dict[int, tuple[Any, Any]] = {}
    meant: dict[int, tuple[Any, dict[str, Any], Any]] = {}

    def configuration(one: Any) -> Any:
        if id(one) not in made:
            made[id(one)] = one, anew.fget(one)  # kept, so that no other one gets its id
        return made[id(one)][1]

    def to_domain_obj(one: Any) -> Any:
        # Its arguments may be filled in after it was asked first.
        if id(one) not in meant or meant[id(one)][1] != one.kwargs:
            meant[id(one)] = one, dict(one.kwargs), said(one)
        return meant[id(one)][2]

    expectation.configuration, told.to_domain_obj = property(configuration), to_domain_obj
    ids.convert_to_json_serializable = lambda data: data if _is_plain(data) else converted(data)
    # Of larger frames Great Expectations itself makes none.
    largest, engine.HASH_THRESHOLD = engine.HASH_THRESHOLD, 0
    try:
        yield
    finally:
        expectation.configuration, ids.convert_to_json_serializable = anew, converted
        told.to_domain_obj, engine.HASH_THRESHOLD = said, largest


def _is_plain(value: Any) -> bool:
    """Whether JSON has a value as it is; a float may be none."""
    if type(value) in _PLAIN:
        return True
    if type(value) in {list, tuple}:
        return all(map(_is_plain, value))
    return type(value) is dict and all(type(key) is str and _is_plain(own) for key, own in value.items())

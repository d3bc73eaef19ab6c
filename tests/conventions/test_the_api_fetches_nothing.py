"""The API opens no connection to anybody but the broker that the settings name: what it is sent names no address that it
would follow."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import api
from contracts.cloud_events import CloudEvent
from contracts.message_kinds import CAPABILITIES

MODULES = sorted(Path(api.__file__).parent.glob("*.py"))
CLIENTS = {
    "aiohttp",
    "fsspec",
    "ftplib",
    "http",
    "httpx",
    "paho",
    "requests",
    "smtplib",
    "socket",
    "subprocess",
    "urllib",
    "urllib3",
}
KNOWN = {("problems.py", "http"), ("mqtt.py", "paho")}
"""The names of statuses are in the module ``http``; the broker is asked for messages at the operator's own address."""


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_no_module_of_it_can_fetch(path: Path) -> None:
    assert {(path.name, each) for each in imported(path) & CLIENTS} <= KNOWN


@pytest.mark.parametrize("model", CAPABILITIES, ids=lambda model: model.__name__)
def test_no_message_names_an_address_to_fetch(model: type) -> None:
    # CloudEvents' own dataschema is a name, which nobody follows.
    text = str(model.model_json_schema()).replace("dataschema", "")  # type: ignore[attr-defined]
    assert "url" not in text.lower() or model is CloudEvent
    assert "uri" not in text.lower() or model is CloudEvent

"""The live demo's one document on stdout, and its exit code when an invoice did not come."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from cli import demo as module
from cli import live, result, trace
from cli.live import Delivery
from core.settings import Settings
from orchestration import run as job

GOOD = Delivery("SH-1", "SO-1", "P-1", {"posted": 3.0}, invoice="INV-1")
BAD = Delivery("SH-2", "SO-2", "P-2", why_not="no invoice within 120 s")

NOTED = [{"at": "2026-11-30T10:00:00", "what": "message received", "source": "inbox", "detail": "a proof"}]


def played(
    monkeypatch: pytest.MonkeyPatch,
    home: Path,
    deliveries: list[Delivery],
    *,
    json_output: bool,
    is_live: bool = True,
) -> int:
    """The command, with a run and deliveries that are given; its exit code."""

    @contextmanager
    def started(*_: Any) -> Iterator[Mapping[str, Any]]:
        yield {}

    monkeypatch.setattr(module, "home_for", lambda *_: Settings(home=home))
    monkeypatch.setattr(module, "sandbox", started)
    monkeypatch.setattr(module, "services", started)
    monkeypatch.setattr(module, "wait_until", lambda *_: None)
    monkeypatch.setattr(job, "run_once", lambda _: SimpleNamespace(problems=[]))
    monkeypatch.setattr(result, "result_document", lambda *_: {"run": 1})
    monkeypatch.setattr(result, "print_result", lambda _: typer.echo("a table of the run"))
    monkeypatch.setattr(live, "play", lambda *_: deliveries)
    monkeypatch.setattr(trace, "noted_of", lambda *_: NOTED)
    with pytest.raises(typer.Exit) as ended:
        module.demo(json_output=json_output, live=is_live)
    return ended.value.exit_code


@pytest.mark.parametrize(("deliveries", "code"), [([GOOD], 0), ([GOOD, BAD], 1), ([BAD], 1), ([], 1)])
@pytest.mark.parametrize("json_output", [True, False])
def test_an_invoice_that_did_not_come_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    deliveries: list[Delivery],
    code: int,
    *,
    json_output: bool,
) -> None:
    assert played(monkeypatch, tmp_path, deliveries, json_output=json_output) == code


def test_json_is_one_document_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played(monkeypatch, tmp_path, [GOOD], json_output=True)
    told = json.loads(capsys.readouterr().out)
    assert told["run"] == 1
    (delivery,) = told["deliveries"]
    assert (delivery["invoice"], delivery["noted"]) == ("INV-1", NOTED)
    played(monkeypatch, tmp_path, [], json_output=True, is_live=False)
    assert json.loads(capsys.readouterr().out) == {"run": 1}


def test_without_it_the_run_is_told_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    played(monkeypatch, tmp_path, [GOOD], json_output=False)
    said = capsys.readouterr().out
    assert "a table of the run" in said and "INV-1" in said
    assert "SH-1, by Waybill" in said and "message received" in said

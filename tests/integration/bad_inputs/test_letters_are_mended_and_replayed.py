"""A refused row is mended beside what came and goes the way of every row, once, whatever dies in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.connections import Connection
from core.errors import PermanentFailure
from core.settings import ROOT
from core.warehouse import open_warehouse
from ingestion.erp import frappe_fields
from ingestion.landing import landed
from ingestion.mending import mend, newest
from ingestion.replaying import STREAM, Fate, replay_letters
from ingestion.run import ensure_warehouse
from state import dead_letters, ingest_counts, ledger, letter_decisions, letter_fixes
from state.dead_letters import DeadLetter
from state.engine import reading
from state.letter_decisions import Word
from state.tables import ingest_counts as counts_table
from state.tables import ledger as entries
from tests.integration.bad_inputs.test_erp_rows import AT, LATER, customer, order
from tests.support.vendors import NOW, Intake, text

BAD = order("E-1", currency="EURO")


def refused(intake: Intake, *rows: dict[str, Any]) -> list[DeadLetter]:
    """An ERP with a customer and these orders is read; the letters in the order of the rows."""
    intake.vendors.lists["Customer"] = [customer("C-1")]
    intake.vendors.lists["Sales Order"] = list(rows)
    intake.read("erp")
    return [intake.letter(each, "orders") for each in rows]


def euros(intake: Intake, letter: DeadLetter) -> None:
    mend(intake.engine, letter, {"currency": "EUR"}, None, "anna", "a typo")


def replay(intake: Intake, *letters: DeadLetter) -> list[Fate]:
    names = [each.dead_letter_id for each in letters]
    return replay_letters(intake.settings, intake.engine, names, "anna", "mended")


def outcomes(fates: list[Fate]) -> list[str]:
    return [each.outcome for each in fates]


def orders(intake: Intake) -> list[tuple[Any, ...]]:
    with open_warehouse(intake.settings, "test") as warehouse:
        return warehouse.execute(
            "SELECT source_id, currency, po_no FROM raw_erp.orders ORDER BY source_id, source_version"
        ).fetchall()


def landed_letters(intake: Intake) -> list[Path]:
    return [each.path for each in landed(intake.settings) if each.stream == STREAM]


def now(intake: Intake, letter: DeadLetter) -> DeadLetter:
    return dead_letters.get(intake.engine, letter.dead_letter_id)


def counted(intake: Intake) -> tuple[int, int]:
    """Rows in and rows loaded by replays alone."""
    with reading(intake.engine) as db:
        runs = {row.run_id for row in db.execute(counts_table.select()) if row.run_id.startswith("replay")}
    found = [each for run in runs for each in ingest_counts.of_run(intake.engine, run)]
    return sum(each.rows_in for each in found), sum(each.loaded for each in found)


def told(intake: Intake, letter: DeadLetter) -> list[tuple[Any, ...]]:
    with reading(intake.engine) as db:
        return [
            (row.event, row.actor, row.detail["reason"], row.detail["before"], row.detail["after"])
            for row in db.execute(entries.select())
            if row.subject == letter.dead_letter_id
        ]


def test_a_mended_row_is_loaded_once_and_replayed_again_is_a_no_op(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    assert orders(fresh) == []
    euros(fresh, letter)
    assert orders(fresh) == []  # a fix loads nothing by itself
    assert outcomes(replay(fresh, letter)) == ["replayed"]
    assert orders(fresh) == [("E-1", "EUR", None)]
    assert (now(fresh, letter).status, now(fresh, letter).raw) == ("replayed", text(BAD))
    once = landed_letters(fresh), counted(fresh), told(fresh, letter)
    assert outcomes(replay(fresh, letter)) == ["nothing to do"]
    assert (landed_letters(fresh), counted(fresh), told(fresh, letter)) == once
    assert (len(once[0]), once[1]) == (1, (1, 1))
    assert [each[:3] for each in once[2]] == [
        ("edited", "anna", "a typo"), ("replay_begun", "anna", "mended"), ("replayed", "anna", "mended"),
    ]  # fmt: skip
    assert [(each[3]["currency"], each[4]["currency"]) for each in once[2][:1]] == [("EURO", "EUR")]
    assert [each[3:] for each in once[2][1:]] == [("open", "replaying"), ("replaying", "replayed")]
    assert dead_letters.open_reasons(fresh.engine)[0] == {
        "E-1": {"CURRENCY_INVALID"}
    }  # no model knows of it yet
    fresh.read("erp")  # the source still sends the bad bytes: they are the letter that there is
    assert (orders(fresh), fresh.letters()) == ([("E-1", "EUR", None)], [])
    assert dead_letters.open_reasons(fresh.engine) == ({}, {})
    assert ledger.verify(fresh.engine).first_bad is None


def test_a_fix_that_is_still_bad_is_refused_in_the_words_of_the_border(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    with pytest.raises(PermanentFailure) as bad:
        mend(fresh.engine, letter, {"po_no": "PO-1"}, None, "anna", "not enough")
    assert f"{letter.reason}: {letter.detail}" in bad.value.message
    for changes, word in (({"currency": None}, "FIELD_MISSING"), ({"colour": "red"}, "colour")):
        with pytest.raises(PermanentFailure, match=word):
            mend(fresh.engine, letter, changes, None, "anna", "worse")
    assert letter_fixes.of_letter(fresh.engine, letter.dead_letter_id) == []
    assert outcomes(replay(fresh, letter)) == ["refused"]
    assert (now(fresh, letter), orders(fresh), landed_letters(fresh)) == (letter, [], [])
    assert (told(fresh, letter), counted(fresh)) == ([], (0, 0))


def test_the_row_keeps_its_own_change_time_so_that_the_newer_version_stays_the_newer(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    with pytest.raises(PermanentFailure, match="changed at"):
        mend(fresh.engine, letter, {"currency": "EUR"}, NOW, "anna", "as if it were new")
    euros(fresh, letter)
    fresh.vendors.lists["Sales Order"] = [order("E-1", modified=LATER, po_no="PO-2")]
    fresh.read("erp")
    assert outcomes(replay(fresh, letter)) == ["replayed"]
    assert orders(fresh) == [("E-1", "EUR", None), ("E-1", "EUR", "PO-2")]


def test_another_row_of_the_same_version_is_not_overwritten(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    euros(fresh, letter)
    fresh.vendors.lists["Sales Order"] = [order("E-1", po_no="PO-2")]
    fresh.read("erp")
    [fate] = replay(fresh, letter)
    assert (fate.outcome, fate.detail.partition(":")[0]) == ("refused", "VERSION_CONFLICT")
    assert (now(fresh, letter).status, orders(fresh)) == ("open", [("E-1", "EUR", "PO-2")])


def test_a_row_that_the_source_has_mended_alike_meanwhile_is_loaded_already(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    euros(fresh, letter)
    fresh.vendors.lists["Sales Order"] = [order("E-1")]
    fresh.read("erp")
    assert outcomes(replay(fresh, letter)) == ["loaded already"]
    assert (now(fresh, letter).status, len(orders(fresh)), counted(fresh)) == ("resolved", 1, (1, 0))


def test_without_a_fix_two_rows_of_one_version_are_only_replayed_by_choice(fresh: Intake) -> None:
    twins = refused(fresh, order("E-1"), order("E-1", po_no="PO-2"))
    assert {each.reason for each in twins} == {"VERSION_CONFLICT"}
    assert outcomes(replay(fresh, *twins)) == ["refused", "refused"]
    assert outcomes(replay(fresh, twins[1])) == ["replayed"]
    assert (outcomes(replay(fresh, twins[0])), orders(fresh)) == (["refused"], [("E-1", "EUR", "PO-2")])


def test_what_the_adapter_itself_refused_needs_a_fix(fresh: Intake) -> None:
    [letter] = refused(fresh, order("E-1", creation="2026-03-29 02:30:00"))
    assert (letter.reason, letter.fields) == ("TIME_GAP", None)
    [fate] = replay(fresh, letter)
    assert (fate.outcome, fate.detail.startswith("TIME_GAP: ")) == ("refused", True)
    whole = {"order_id": "E-1", "customer_id": "C-1", "currency": "EUR", "status": "confirmed"}
    mend(
        fresh.engine, letter, whole | {"ordered_at": "2026-03-29T01:30:00+00:00"}, None, "anna", "asked them"
    )
    assert outcomes(replay(fresh, letter)) == ["replayed"]
    assert newest(fresh.engine, letter).version == letter.source_version


def test_evidence_is_never_written_by_hand(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    document = replace(letter, kind="pod", resource="evidence")
    dead_letters.record(fresh.engine, [document])
    with pytest.raises(PermanentFailure, match="not written by hand"):
        mend(fresh.engine, document, {"sha256": "0" * 64}, None, "anna", "trust me")
    assert letter_fixes.of_letter(fresh.engine, document.dead_letter_id) == []


def test_a_discarded_row_holds_nothing_up_and_stays_discarded(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    assert dead_letters.open_reasons(fresh.engine)[0] == {"E-1": {"CURRENCY_INVALID"}}
    letter_decisions.discard(fresh.engine, [letter], Word("anna", "a test of theirs", NOW))
    assert dead_letters.open_reasons(fresh.engine) == ({}, {})
    [fate] = replay(fresh, letter)
    assert (fate.outcome, "a test of theirs" in fate.detail) == ("nothing to do", True)
    with pytest.raises(PermanentFailure, match="is discarded"):
        euros(fresh, letter)
    fresh.read("erp")
    assert (now(fresh, letter).status, orders(fresh), fresh.letters()) == ("discarded", [], [])


def test_a_parked_row_that_was_discarded_is_not_taken_up_when_its_parent_comes(fresh: Intake) -> None:
    rows = [order("E-1", customer="C-2", creation=LATER), order("E-2", customer="C-2", creation=LATER)]
    fresh.vendors.lists["Customer"] = [customer("C-1")]
    fresh.vendors.lists["Sales Order"] = list(rows)
    fresh.read("erp")
    gone, waits = (fresh.letter(each, "orders", "parked") for each in rows)
    [fate] = replay(fresh, waits)
    assert (fate.outcome, fate.detail.partition(":")[0]) == ("refused", "UNKNOWN_PARENT")
    letter_decisions.discard(fresh.engine, [gone], Word("anna", "theirs", NOW))
    fresh.vendors.lists["Sales Order"] = []
    fresh.vendors.lists["Customer"].append(customer("C-2", modified=LATER))
    fresh.read("erp")
    assert [now(fresh, each).status for each in (gone, waits)] == ["discarded", "resolved"]
    assert [each[0] for each in orders(fresh)] == ["E-2"]


def test_bytes_that_pass_after_a_repair_close_their_letter_and_others_do_not(
    fresh: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    same, other = order("E-1", status="Teleported"), order("E-2", status="Teleported")
    letters = refused(fresh, same, other)
    monkeypatch.setitem(frappe_fields._ORDER_STATUS, "Teleported", "confirmed")
    fresh.vendors.lists["Sales Order"] = [same, order("E-2", modified=LATER)]
    fresh.read("erp")
    assert [now(fresh, each).status for each in letters] == ["resolved", "open"]


def test_a_line_that_passes_by_a_mended_mapping_closes_its_letter(fresh: Intake, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("id,state\nE-1,beamed\nE-2,lost\nE-3,ok\n", encoding="utf-8")
    words = {"ok": "confirmed"}
    for known in (words, words | {"beamed": "closed"}):
        fields = {
            "order_id": "id", "customer_id": {"constant": "C-1"}, "currency": {"constant": "EUR"},
            "status": {"column": "state", "map": known}, "ordered_at": {"constant": "2026-11-12T09:00:00+00:00"},
        }  # fmt: skip
        options = {
            "folder": str(tmp_path), "tables": {"orders": {"files": "orders.csv"}},
            "resources": [{"resource": "orders", "table": "orders", "fields": fields}],
        }  # fmt: skip
        fresh.read_files(
            Connection(connection="shop", kind="erp", adapter="files", owner="tests", options=options)
        )
    assert {each.source_id: each.status for status in ("open", "resolved") for each in fresh.letters(status)} == {
        "E-1": "resolved", "E-2": "open",
    }  # fmt: skip
    assert [each[0] for each in orders(fresh)] == ["E-1", "E-3"]


def test_a_lost_warehouse_comes_back_with_what_was_replayed(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    euros(fresh, letter)
    replay(fresh, letter)
    fresh.settings.warehouse.unlink()
    ensure_warehouse(fresh.settings, fresh.engine)
    assert orders(fresh) == [("E-1", "EUR", None)]


SCRIPT = """
import os, signal, sys
from pathlib import Path
from core.settings import Settings
from state.engine import open_state
from ingestion import replaying

home, name, dies_at = sys.argv[1:]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if dies_at == "land":
    replaying.land = die
elif dies_at == "load":
    replaying.Loader.load = die
elif dies_at == "mark":
    replaying.letter_decisions.finish_replay = die
settings = Settings(home=Path(home))
[fate] = replaying.replay_letters(settings, open_state(settings), [name], "ben", "mended")
print(fate.outcome)
"""


def another(intake: Intake, letter: DeadLetter, dies_at: str = "") -> subprocess.Popen[str]:
    """A process of its own that replays a letter."""
    command = [sys.executable, "-c", SCRIPT, str(intake.settings.home), letter.dead_letter_id, dies_at]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )


@pytest.mark.parametrize(("dies_at", "files"), [("land", 0), ("load", 1), ("mark", 1)])
def test_a_killed_replay_is_finished_by_the_next_and_loads_once(
    fresh: Intake, dies_at: str, files: int
) -> None:
    [letter] = refused(fresh, BAD)
    euros(fresh, letter)
    killed = another(fresh, letter, dies_at)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert (now(fresh, letter).status, len(landed_letters(fresh))) == ("replaying", files)
    assert dead_letters.open_reasons(fresh.engine)[0] == {"E-1": {"CURRENCY_INVALID"}}
    with pytest.raises(PermanentFailure, match="being replayed"):
        mend(fresh.engine, now(fresh, letter), {"currency": "USD"}, None, "ben", "after all")
    assert outcomes(replay(fresh, letter)) == ["replayed"]
    assert outcomes(replay(fresh, letter)) == ["nothing to do"]
    assert (orders(fresh), len(landed_letters(fresh)), counted(fresh)) == ([("E-1", "EUR", None)], 1, (1, 1))


def test_two_replays_at_once_load_the_row_once(fresh: Intake) -> None:
    [letter] = refused(fresh, BAD)
    euros(fresh, letter)
    both = [another(fresh, letter), another(fresh, letter)]
    assert sorted(each.communicate()[0].strip() for each in both) == ["nothing to do", "replayed"]
    assert (orders(fresh), len(landed_letters(fresh)), counted(fresh)) == ([("E-1", "EUR", None)], 1, (1, 1))
    assert AT in str(letter.raw)

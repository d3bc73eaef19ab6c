"""Replaying dead letters: their rows go the way of every row that arrives, through border, landing and load.

    fix or mapped fields ─► border ─► intent in the state store ─► landing ─► load ─► marked and counted

Whatever dies in between, the next replay goes on from there, and none loads a row twice: a letter is landed under its
own name, and the load replaces equal versions. The row keeps its own change time, so that a newer version that has
come meanwhile stays the newer one. Belongs here: that order, and what became of each letter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from sqlalchemy import Engine

from contracts.resources import RESOURCES, resource
from core.clock import utc_now
from core.ids import new_id
from core.settings import Settings
from core.warehouse import writer_lock
from ingestion.base import SourceRecord
from ingestion.border import Accepted
from ingestion.envelope import enveloped
from ingestion.known import Known, Parents
from ingestion.landing import Batch, land, tagged
from ingestion.load import Loader
from ingestion.mending import newest
from ingestion.sorting import Sorted, Sorter, Visit
from ingestion.strict_json import as_came
from ingestion.warehouse import ensure_warehouse
from state import dead_letters, letter_decisions
from state.dead_letters import DeadLetter
from state.letter_decisions import Word
from state.letter_states import STANDING

STREAM = "dead_letters"
"""What a landed letter's batch names as its stream; it has no cursor."""
_ORDER = {(each.kind, each.name): number for number, each in enumerate(RESOURCES)}

Outcome = Literal["replayed", "loaded already", "refused", "nothing to do"]


@dataclass(frozen=True)
class Fate:
    """What became of a letter in a replay; ``detail`` says why."""

    dead_letter_id: str
    outcome: Outcome
    detail: str


def replay_letters(
    settings: Settings, engine: Engine, ids: Sequence[str], actor: str, reason: str
) -> list[Fate]:
    """Send the rows of letters through the border again, parents first; what became of each.

    What is replayed, discarded or resolved already stays so. TransientFailure when another process holds the warehouse
    for too long: whatever was begun is finished by the next replay.
    """
    word = Word(actor, reason, utc_now())
    fates: list[Fate] = []
    with writer_lock(settings, "replay dead letters"):
        ensure_warehouse(settings, engine)
        letters = sorted((dead_letters.get(engine, each) for each in dict.fromkeys(ids)), key=_turn)
        messages = [each for each in letters if (each.kind, each.resource) not in _ORDER]
        fates += [
            Fate(each.dead_letter_id, "refused", "it is a whole message: its sender sends it under a new id")
            for each in messages
        ]
        letters = [each for each in letters if each not in messages]
        standing = [each for each in letters if each.status in STANDING]
        fates += [
            Fate(each.dead_letter_id, "nothing to do", f"it is {each.status}: {_because(each)}")
            for each in letters
            if each not in standing
        ]
        for _, group in groupby(standing, key=_turn):
            fates += _Replay(settings, engine, word, list(group)).fates()
    return fates


class _Replay:
    """The letters of one resource of one connection in one replay."""

    def __init__(self, settings: Settings, engine: Engine, word: Word, letters: Sequence[DeadLetter]) -> None:
        first = letters[0]
        self._settings, self._engine, self._word = settings, engine, word
        self._own, self._connection = resource(first.kind, first.resource), first.connection
        self._begun = [each for each in letters if each.status == "replaying"]
        self._fresh = [each for each in letters if each.status != "replaying"]

    def fates(self) -> list[Fate]:
        """Finish what an earlier replay began, then carry out the rest; what became of each letter."""
        return [*self._finish_begun(), *self._replay_fresh()]

    def _finish_begun(self) -> list[Fate]:
        """Load what was landed; a letter of which nothing was landed is open again, and is replayed as any other."""
        landed: dict[str, Batch] = {}
        for letter in self._begun:
            batch = tagged(self._settings, self._own, self._connection, _tag(letter))
            if batch is not None:
                landed[letter.dead_letter_id] = batch
            else:
                letter_decisions.give_up_replay(self._engine, letter, self._word)
                self._fresh.append(dead_letters.get(self._engine, letter.dead_letter_id))
        if not landed:
            return []
        self._load(new_id("replay"), landed, [])
        return [
            Fate(each, "replayed", "an earlier replay had landed its row; now it is loaded")
            for each in landed
        ]

    def _replay_fresh(self) -> list[Fate]:
        run_id = new_id("replay")
        # What is refused again makes no letter: the name that it carries is that of the letter there is.
        records = [
            replace(newest(self._engine, each), raw=each.dead_letter_id.encode()) for each in self._fresh
        ]
        mapped = [each for each in records if each.fields is not None]
        outcome = self._sorter(run_id).sort(mapped)
        accepted = {_name(each.record): each for each in outcome.accepted}
        refused = {each.raw.decode(): f"{each.reason}: {each.detail}" for each in outcome.letters}
        unmapped = {_name(each) for each in records} - {_name(each) for each in mapped}
        passed = [each for each in self._fresh if each.dead_letter_id in accepted]
        known = [each for each in self._fresh if each.dead_letter_id not in {*accepted, *refused, *unmapped}]
        letter_decisions.begin_replay(self._engine, passed, self._word)
        landed = {
            name: self._land(run_id, _tag(each), accepted[name])
            for each in passed
            for name in [each.dead_letter_id]
        }
        self._load(run_id, landed, known)
        for each in self._fresh:
            if each.dead_letter_id in unmapped:
                refused[each.dead_letter_id] = (
                    f"{each.reason}: {each.detail}; what its adapter refused needs a fix"
                )
        return [
            *(Fate(name, "replayed", "its row is loaded") for name in landed),
            *(
                Fate(each.dead_letter_id, "loaded already", "this very version of the row is there")
                for each in known
            ),
            *(Fate(name, "refused", detail) for name, detail in refused.items()),
        ]

    def _sorter(self, run_id: str) -> Sorter:
        visit = Visit(self._connection, run_id, self._word.at)
        hashes = Known(self._settings, self._own, self._connection).hashes
        parents = Parents(self._settings, self._own.parent).among if self._own.parent else None
        return Sorter(self._own, visit, hashes, parents)

    def _land(self, run_id: str, tag: str, row: Accepted) -> Batch:
        """One batch a letter, to be found again by the letter's name."""
        table = enveloped(self._own, self._connection, run_id, Sorted(accepted=[row]))
        return land(self._settings, self._own, self._connection, STREAM, None, table, tag)

    def _load(self, run_id: str, landed: Mapping[str, Batch], known: Sequence[DeadLetter]) -> None:
        if landed:
            loader = Loader(self._settings, self._connection, self._own.kind)
            loader.cursors()  # finishes what a crash interrupted, before anything is added
            loader.load(list(landed.values()))
        replayed = [dead_letters.get(self._engine, each) for each in landed]
        loaded = replace(self._word, at=utc_now())  # from when on a model may be built on them
        letter_decisions.finish_replay(self._engine, run_id, replayed, known, loaded)


def _turn(letter: DeadLetter) -> tuple[int, str]:
    return _ORDER.get((letter.kind, letter.resource), -1), letter.connection


def _tag(letter: DeadLetter) -> str:
    return f"letter-{letter.dead_letter_id}"


def _name(record: SourceRecord) -> str:
    return as_came(record.raw).decode()


def _because(letter: DeadLetter) -> str:
    if letter.decided_by is None:
        return "its row was loaded"
    return f"{letter.decided_by}: {letter.decided_because}"

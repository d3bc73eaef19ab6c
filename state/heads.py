"""Signed heads: what the ledger's chain ended with after each batch, kept in a file outside the database.

A head says: at this time the ledger had this many rows, and the last had this hash. Whoever cuts the newest rows
off, or writes the whole chain anew, cannot make the signed heads fit. The ledger itself names each key that ever
signed (event ``signing_key``, the public half as subject).

Belongs here: signing, keeping and comparing heads. The chain is ``ledger``, the key is ``signing``.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from core.clock import utc_now
from core.disk import told_when_full
from core.errors import PermanentFailure
from core.files import sync_folder
from core.ids import canonical_json
from core.settings import Settings
from state import ledger
from state.engine import reading
from state.signing import is_signed, public_hex, signing_key

KEY_EVENT = "signing_key"
_ACTOR = "ledger"


class Head(BaseModel):
    """One line of the file. ``signed_at`` is an ISO 8601 instant in UTC; hash, key and signature are hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sequence: int = Field(ge=1, lt=2**63)
    row_hash: str
    signed_at: str
    key: str
    signature: str

    def signed_bytes(self) -> bytes:
        """What the signature covers: everything but itself."""
        return canonical_json(self.model_dump(exclude={"signature"}))

    def line(self) -> str:
        """The head as it stands in the file."""
        return canonical_json(self.model_dump()).decode()


def sign(settings: Settings, engine: Engine) -> Head | None:
    """Sign what the ledger ends with and keep it; None when that is signed already or nothing was ever written.

    PermanentFailure, and nothing signed, when the ledger is not the one that was signed last: a signature would
    make it look whole. DiskFull when there is no room for the head; the next one covers what this one would have.
    """
    path = settings.ledger_heads
    with told_when_full(settings.root), _locked(path):
        last = _last(path)
        with reading(engine) as db:
            sequence, row_hash = ledger.newest(db)
        if sequence == 0 and last is None:
            return None
        if last is not None:
            _refuse_another(engine, last)
            if last.sequence == sequence:
                return None
        private = signing_key(settings.ledger_key)
        public = public_hex(private)
        if last is None or last.key != public:
            sequence, row_hash = _name_key(engine, public)
        now = utc_now().isoformat(timespec="microseconds")
        unsigned = Head(sequence=sequence, row_hash=row_hash, signed_at=now, key=public, signature="")
        head = unsigned.model_copy(update={"signature": private.sign(unsigned.signed_bytes()).hex()})
        _append(path, head)
    return head


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        yield


@contextmanager
def signed_after(settings: Settings, engine: Engine) -> Iterator[None]:
    """Sign the head when the block ends, however it ends: what it wrote before it failed is signed too."""
    try:
        yield
    finally:
        sign(settings, engine)


def read(path: Path) -> list[Head]:
    """Every head of a file, oldest first; PermanentFailure when a line is none. No file is no heads."""
    if not path.exists():
        return []
    heads = []
    for number, line in enumerate(_whole_lines(path.read_bytes()), start=1):
        try:
            heads.append(Head.model_validate_json(line))
        except ValueError as error:
            raise PermanentFailure(
                f"Line {number} of {path} is no signed head.",
                remedy="Compare with the copy kept elsewhere: `waybill ledger verify --against FILE --key PUBLIC`.",
            ) from error
    return heads


def problems(engine: Engine, heads: Sequence[Head], keys: Collection[str] | None = None) -> list[str]:
    """What of the signed heads does not fit the ledger, in words; empty when everything does.

    ``keys`` are the public keys to believe; without them those that the ledger names.
    """
    with reading(engine) as db:
        named = set(ledger.subjects_of(db, KEY_EVENT))
        rows, _ = ledger.newest(db)
    if not heads:
        return ["no signed head is there, though the ledger names a key that signed"] if named else []
    found = ledger.hashes_of(engine, {head.sequence for head in heads})
    told = _missing_tail(heads, rows)
    for head in heads:
        if not is_signed(head.key, head.signed_bytes(), head.signature):
            told.append(f"the signature of the head at row {head.sequence} is broken")
        elif head.key not in (named if keys is None else keys) and (
            keys is not None or head.sequence <= rows
        ):
            # A cut tail may have held the row that names the key: that is told already.
            told.append(f"the head at row {head.sequence} was signed by a foreign key {head.key[:12]}…")
        elif head.sequence in found and found[head.sequence] != head.row_hash:
            told.append(f"row {head.sequence} is not the one that was signed at {head.signed_at}")
    return told


def _missing_tail(heads: Sequence[Head], rows: int) -> list[str]:
    furthest = max(heads, key=lambda head: head.sequence)
    if furthest.sequence <= rows:
        return []
    return [
        f"the tail is missing: rows {rows + 1} to {furthest.sequence} were there at {furthest.signed_at} "
        f"and are not now"
    ]


def _refuse_another(engine: Engine, last: Head) -> None:
    if ledger.hashes_of(engine, {last.sequence}).get(last.sequence) != last.row_hash:
        raise PermanentFailure(
            f"The ledger is not the one whose row {last.sequence} was signed at {last.signed_at}: "
            "it was cut or written anew.",
            remedy="`waybill ledger verify` says what is wrong; nothing is signed until a backup is restored.",
        )


def _name_key(engine: Engine, public: str) -> tuple[int, str]:
    """Name the key in the ledger if it is not yet: from that row on it may sign. Sequence and hash of the end."""
    with engine.begin() as db:
        if public not in ledger.subjects_of(db, KEY_EVENT):
            ledger.append(db, KEY_EVENT, _ACTOR, public, {"algorithm": "Ed25519"})
        return ledger.newest(db)


def _last(path: Path) -> Head | None:
    heads = read(path)
    return heads[-1] if heads else None


def _append(path: Path, head: Head) -> None:
    """One line, on disk before this returns. Half a line that a crash left is taken away first."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    with os.fdopen(handle, "r+b") as file:
        file.seek(sum(len(line) + 1 for line in _whole_lines(file.read())))
        file.truncate()
        file.write(head.line().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def _whole_lines(content: bytes) -> list[bytes]:
    """The lines that were written to their end."""
    return content.split(b"\n")[:-1]

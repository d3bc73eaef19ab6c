"""What dbt made of the project's files, kept in the project's ``.cache`` for homes in which nothing was parsed yet.

Belongs here: keeping and fetching it. A parse takes seconds, one that finds this a tenth of them; dbt itself compares it with
every file and reads anew what it was not made of. It holds nothing of any home.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from core.settings import ROOT

CACHE = ROOT / ".cache" / "dbt"
_NAME = "partial_parse.msgpack"


def fetch(target: Path, kind: str, definitions: str) -> None:
    """Lay what was made of these very ``definitions`` into a target that has nothing yet. Where it was not kept, or cannot be
    read, there is nothing, and dbt reads the files."""
    kept = _kept(kind, definitions)
    with suppress(OSError):
        if kept.exists() and not (target / _NAME).exists():
            target.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, target / _NAME)


def keep(target: Path, kind: str, definitions: str) -> None:
    """Keep what a parse left in its target, in place of what was made of other definitions. Where the project's folder
    cannot be written, nothing is kept."""
    kept, made = _kept(kind, definitions), target / _NAME
    with suppress(OSError):
        if kept.exists() or not made.exists():
            return
        CACHE.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=CACHE)
        os.close(handle)
        shutil.copyfile(made, draft)
        Path(draft).replace(kept)
        for other in CACHE.glob(f"{kind}-*"):
            if other != kept:
                other.unlink(missing_ok=True)


def _kept(kind: str, definitions: str) -> Path:
    # dbt notes where the project lies, which its own comparison leaves out.
    digest = hashlib.sha256(f"{ROOT}|{definitions}".encode()).hexdigest()
    return CACHE / f"{kind}-{digest}.msgpack"

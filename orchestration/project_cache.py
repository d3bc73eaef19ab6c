"""What was made of the project's files, kept in the project's ``.cache`` for homes in which nothing was made of them yet.

Belongs here: keeping and fetching it. To make it takes seconds; what it was made of stands in its name, and it holds nothing of
any home.
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


def fetch(made: Path, kind: str, made_of: str) -> None:
    """Lay what was made of just this where a home has nothing yet. Where it was not kept, or cannot be read, there is nothing,
    and it is made anew."""
    kept = _kept(made, kind, made_of)
    with suppress(OSError):
        if kept.exists() and not made.exists():
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(kept, made)


def keep(made: Path, kind: str, made_of: str) -> None:
    """Keep what a home has made, in place of what was made of something else. Where the project's folder cannot be written,
    nothing is kept."""
    kept = _kept(made, kind, made_of)
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


def _kept(made: Path, kind: str, made_of: str) -> Path:
    # dbt notes where the project lies, which its own comparison leaves out.
    digest = hashlib.sha256(f"{ROOT}|{made_of}".encode()).hexdigest()
    return CACHE / f"{kind}-{digest}{made.suffix}"

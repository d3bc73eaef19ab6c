"""The manifest of the dbt project as it stands, parsed once for all tests of one process."""

from __future__ import annotations

import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.settings import Settings
from orchestration.dbt_manifest import load_manifest


@lru_cache(maxsize=1)
def project_manifest() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as home:
        return load_manifest(Settings(home=Path(home)))

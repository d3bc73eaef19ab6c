"""dbt's own documentation as a site of one file, for reading without a server and without a network.

Belongs here: from which warehouse it takes the columns' types, and where it is put.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from core.settings import Settings


def write_site(settings: Settings) -> Path:
    """Write ``docs/index.html`` under the home: every source, model, column, test, exposure and the lineage graph.

    Columns have the types of the home's warehouse; without one the site is whole except for them.
    """
    from orchestration.dbt_runner import write_docs

    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        # dbt would leave an empty warehouse behind where none is.
        source = settings if settings.warehouse.exists() else Settings(home=scratch / "home")
        source.root.mkdir(parents=True, exist_ok=True)
        page = write_docs(source, scratch / "site")
        settings.dbt_docs.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(page, settings.dbt_docs)
    return settings.dbt_docs

"""``python -m cli`` is ``waybill``."""

from cli.main import app

app()

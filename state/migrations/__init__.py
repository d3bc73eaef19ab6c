"""Alembic migrations of the state store, run in-process by ``upgrade``."""

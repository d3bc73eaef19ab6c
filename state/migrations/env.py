"""Alembic's environment: the connection comes from ``upgrade``."""

from alembic import context

from state.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=False
)
context.run_migrations()

"""Alembic's environment, run by Alembic itself, for every service: the connection comes from `migrate`."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
# One transaction per migration, so that one may leave it for CREATE INDEX CONCURRENTLY (`autocommit_block`).
context.configure(connection=connection, transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()

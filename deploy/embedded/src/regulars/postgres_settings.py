"""How a private PostgreSQL is set up: it loses nothing, and one commit holds up another as little as it can."""

from __future__ import annotations

from collections.abc import Mapping

SETTINGS: Mapping[str, str] = {
    "fsync": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A new file of the log holds all commits up for 50 to 110 ms; so does the end of a checkpoint, of which a run over
    # everybody has one or two a minute with a smaller log.
    "min_wal_size": "1GB",
    "max_wal_size": "4GB",
    # Whole pages are a quarter of the log. Every build has this algorithm.
    "wal_compression": "pglz",
    # What a session writes out itself goes to the disk soon, not all at once when it is half a minute old.
    "backend_flush_after": "256kB",
    # Short statements: compiling one costs more than it saves.
    "jit": "off",
    # At the default pace three vacuums take the processors from the tills.
    "autovacuum_vacuum_cost_delay": "10ms",
    # What a failing statement carried may be personal data; the log keeps the error alone.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
"""postgresql.conf names and values."""

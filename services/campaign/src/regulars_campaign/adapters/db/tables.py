"""The tables that the compiler and the stores speak of in SQLAlchemy's words. The migrations make them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, Numeric, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

metadata = MetaData()

customers = Table("customers", metadata, Column("id", Uuid), Column("traits", JSONB), Column("stage", Text))

consents = Table(
    "consents",
    metadata,
    Column("customer_id", Uuid),
    Column("purpose", Text),
    Column("channel", Text),
    Column("is_granted", Boolean),
)

accounts = Table(
    "accounts",
    metadata,
    Column("customer_id", Uuid),
    Column("programme", Text),
    Column("points", BigInteger),
    Column("tier", Text),
)

scores = Table(
    "scores",
    metadata,
    Column("customer_id", Uuid),
    Column("recency", Integer),
    Column("frequency", Integer),
    Column("monetary", Integer),
    Column("rfm_segment", Text),
    Column("decile", Integer),
    Column("churn_band", Text),
    Column("churn_90", Numeric),
    Column("p_alive", Numeric),
    Column("clv", BigInteger),
    Column("currency", Text),
)

rollups = Table(
    "rollups",
    metadata,
    Column("customer_id", Uuid),
    Column("deed", Text),
    Column("day", Date),
    Column("category", Text),
    Column("store", Text),
    Column("channel", Text),
    Column("currency", Text),
    Column("times", BigInteger),
    Column("net_minor", BigInteger),
    Column("least_minor", BigInteger),
    Column("most_minor", BigInteger),
)

totals = Table(
    "totals",
    metadata,
    Column("customer_id", Uuid),
    Column("deed", Text),
    Column("currency", Text),
    Column("times", BigInteger),
    Column("net_minor", BigInteger),
    Column("least_minor", BigInteger),
    Column("most_minor", BigInteger),
    Column("first_day", Date),
    Column("last_day", Date),
)

segments = Table(
    "segments",
    metadata,
    Column("id", Uuid),
    Column("code", Text),
    Column("name", Text),
    Column("rule", JSONB),
    Column("facets", ARRAY(Text)),
    Column("is_timed", Boolean),
    Column("created_at", DateTime(timezone=True)),
    Column("swept_on", Date),
)

members = Table(
    "members",
    metadata,
    Column("segment_id", Uuid),
    Column("customer_id", Uuid),
    Column("entered_at", DateTime(timezone=True)),
)

templates = Table(
    "templates",
    metadata,
    Column("id", Uuid),
    Column("version", Integer),
    Column("code", Text),
    Column("subject", Text),
    Column("body", Text),
    Column("created_at", DateTime(timezone=True)),
)

campaigns = Table(
    "campaigns",
    metadata,
    Column("id", Uuid),
    Column("code", Text),
    Column("name", Text),
    Column("trigger", Text),
    Column("segment_id", Uuid),
    Column("segment", Text),
    Column("template_id", Uuid),
    Column("template", Text),
    Column("template_version", Integer),
    Column("channel", Text),
    Column("purpose", Text),
    Column("state", Text),
    Column("created_at", DateTime(timezone=True)),
    Column("launched_at", DateTime(timezone=True)),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Uuid),
    Column("campaign_id", Uuid),
    Column("step", Text),
    Column("customer_id", Uuid),
    Column("channel", Text),
    Column("state", Text),
    Column("reason", Text),
    Column("due_at", DateTime(timezone=True)),
    Column("ended_at", DateTime(timezone=True)),
    Column("template_id", Uuid),
    Column("template_version", Integer),
    Column("content_hash", Text),
)

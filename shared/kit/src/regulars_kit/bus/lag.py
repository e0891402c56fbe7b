"""How far the groups are behind, asked from beside them: also while none of their members runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from regulars_kit.values import Unavailable

_POSTGRES_GROUPS = """
    SELECT DISTINCT groups.name AS "group", topics.name AS topic, topics."table", groups.id AS group_id, topics.id
    FROM group_offsets JOIN groups ON groups.id = group_id JOIN topics ON topics.id = topic_id ORDER BY 1, 2
"""
_POSTGRES_BEHIND = """
    SELECT count(*) FROM {table} AS message JOIN group_offsets USING (partition)
    WHERE group_id = $1 AND topic_id = $2 AND message.seq >= next_offset
"""


@dataclass(frozen=True, slots=True)
class Lag:
    """`events` were published to the topic, and the group has not said that it is done with them."""

    group: str
    topic: str
    events: int


async def postgres_lags(connection: Any) -> list[Lag]:
    """Of every group that ever read from the bus in this database. Raises what asyncpg does."""
    if await connection.fetchval("SELECT to_regclass('group_offsets')") is None:
        return []
    lags = []
    for row in await connection.fetch(_POSTGRES_GROUPS):
        behind = _POSTGRES_BEHIND.format(table=row["table"])
        lags.append(Lag(row["group"], row["topic"], await connection.fetchval(behind, row["group_id"], row["id"])))
    return lags


async def kafka_lags(bootstrap_servers: str, groups: Mapping[str, Sequence[str]]) -> list[Lag]:
    """Of each group by its name, over the topics it reads: all of one it never read from. Raises `Unavailable`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers)
    try:
        await admin.start()
        await consumer.start()
        places = await _places(admin, {topic for topics in groups.values() for topic in topics})
        first, last = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        lags = []
        for group, topics in groups.items():
            done = await admin.list_consumer_group_offsets(group)
            for topic in topics:
                theirs = [place for place in places if place.topic == topic]
                events = sum(last[p] - (done[p].offset if p in done else first[p]) for p in theirs)
                lags.append(Lag(group, topic, events))
        return lags
    except (KafkaError, OSError) as error:
        raise Unavailable(f"the bus is away: {type(error).__name__}") from error
    finally:
        await consumer.stop()
        await admin.close()


async def _places(admin: AIOKafkaAdminClient, topics: set[str]) -> list[TopicPartition]:
    present = sorted(topics & set(await admin.list_topics()))
    described = await admin.describe_topics(present) if present else []
    return [
        TopicPartition(topic["topic"], partition["partition"])
        for topic in described
        for partition in topic["partitions"]
    ]

"""The bus on Kafka, with plain aiokafka and in batches: a relay's pipeline and a group's polls.

The producer is idempotent and waits for all replicas. It never gives up a message by itself, so a publish that is not
acknowledged in time drops the whole producer: the relay says the batch again, in order, through a new one.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, TopicAlreadyExistsError, for_code

from regulars_kit.bus import PARTITIONS, Message, Received
from regulars_kit.values import Unavailable

LARGEST_MESSAGE_BYTES = 8 * 1024 * 1024
"""Of a topic. A purchase of 2,000 lines with the longest texts is above Kafka's own limit of 1 MiB."""

KEEP_DAYS = 30
_BATCH_BYTES = 256 * 1024
_REPLICAS = 3
_AWAY = (KafkaError, OSError)
_EVENT_ID, _TYPE = "event_id", "type"


class KafkaBus:
    """The bus behind `bootstrap_servers` (`host:port,…`).

    A publish not acknowledged within `publish_timeout_s` is `Unavailable`. A member that is silent for
    `session_timeout_s` is taken for dead; the broker's `group.min.session.timeout.ms` must allow it.
    """

    def __init__(
        self, bootstrap_servers: str, *, publish_timeout_s: float = 15.0, session_timeout_s: float = 10.0
    ) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._publish_timeout_s = publish_timeout_s
        self._session_timeout_s = session_timeout_s
        self._producer: AIOKafkaProducer | None = None
        self._publishing = asyncio.Lock()

    async def publish(self, topic: str, messages: Sequence[Message]) -> None:
        if not messages:
            return
        # One batch at a time: two would interleave, and after a failure nobody could say again what came first.
        async with self._publishing:
            try:
                async with asyncio.timeout(self._publish_timeout_s):
                    await self._send(topic, messages)
            except _AWAY as error:
                await self._abandon()
                raise Unavailable(f"the bus is away: {type(error).__name__}") from error
            except BaseException:
                await self._abandon()
                raise

    async def subscribe(self, group: str, topics: Sequence[str]) -> KafkaSubscription:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap_servers,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=int(self._session_timeout_s * 1000),
            heartbeat_interval_ms=int(self._session_timeout_s * 1000 / 4),
            max_partition_fetch_bytes=LARGEST_MESSAGE_BYTES,
            retry_backoff_ms=50,
        )
        subscription = KafkaSubscription(consumer)
        consumer.subscribe(list(topics), listener=subscription)
        try:
            await consumer.start()
        except _AWAY as error:
            await consumer.stop()
            raise Unavailable("the bus is away; try again") from error
        return subscription

    async def ensure_topics(self, topics: Sequence[str], partitions: int = PARTITIONS) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap_servers)
        try:
            await admin.start()
            present = set(await admin.list_topics())
            missing = [topic for topic in topics if topic not in present]
            if missing:
                await _create(admin, missing, partitions)
        except _AWAY as error:
            raise Unavailable("the bus is away; try again") from error
        finally:
            await admin.close()

    async def ping(self) -> None:
        await self.ensure_topics(())  # which the broker must be reached for

    async def close(self) -> None:
        async with self._publishing:
            if self._producer is not None:
                await self._producer.stop()
                self._producer = None

    async def _send(self, topic: str, messages: Sequence[Message]) -> None:
        producer = await self._started()
        sent = [
            await producer.send(
                topic,
                key=message.key.encode(),
                value=message.body,
                headers=[(_EVENT_ID, message.event_id.bytes), (_TYPE, message.type.encode())],
            )
            for message in messages
        ]
        for outcome in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap_servers,
                enable_idempotence=True,
                acks="all",
                max_batch_size=_BATCH_BYTES,
                max_request_size=LARGEST_MESSAGE_BYTES,
                request_timeout_ms=int(self._publish_timeout_s * 1000),
                retry_backoff_ms=50,
            )
            await self._producer.start()
        return self._producer

    async def _abandon(self) -> None:
        """Let go of the producer with what it still holds; its own `stop` would first wait to deliver all of it."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        producer._closed = True
        producer._message_accumulator.fail_all(KafkaError("abandoned"))
        await producer._sender.close()
        await producer.client.close()


class KafkaSubscription(ConsumerRebalanceListener):  # type: ignore[misc]
    """Made by `KafkaBus.subscribe`.

    Only what the last poll brought may be committed: when a partition is revoked it is struck from the list, so an
    old owner's late commit never sets back the offset of the new one.
    """

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._ours: set[TopicPartition] = set()

    async def poll(self, max_messages: int, timeout_s: float) -> list[Received]:
        try:
            polled = await self._consumer.getmany(timeout_ms=int(timeout_s * 1000), max_records=max_messages)
        except _AWAY as error:
            raise Unavailable("the bus is away; try again") from error
        self._ours.update(polled)
        return [_received(record) for records in polled.values() for record in records]

    async def commit(self, topic: str, partition: int, next_offset: int) -> None:
        place = TopicPartition(topic, partition)
        if place not in self._ours:
            return
        try:
            await self._consumer.commit({place: next_offset})
        except (CommitFailedError, IllegalStateError):
            self._ours.discard(place)
        except _AWAY as error:
            raise Unavailable("the bus is away; try again") from error

    async def commit_all(self, next_offsets: Mapping[tuple[str, int], int]) -> None:
        offsets = {TopicPartition(*place): offset for place, offset in next_offsets.items()}
        mine = {place: offset for place, offset in offsets.items() if place in self._ours}
        try:
            if mine:
                await self._consumer.commit(mine)
        except (CommitFailedError, IllegalStateError):
            # One that was lost meanwhile spoils the commit of all; each alone tells which.
            for place, offset in mine.items():
                await self.commit(place.topic, place.partition, offset)
        except _AWAY as error:
            raise Unavailable("the bus is away; try again") from error

    async def behind(self) -> Mapping[str, int]:
        assigned = self._consumer.assignment()
        ends = {place: self._consumer.highwater(place) for place in assigned}
        # Before the first answer about each partition nothing is known, which is not to be behind by nothing.
        if not assigned or None in ends.values():
            return {}
        behind: Counter[str] = Counter(dict.fromkeys(self._consumer.subscription(), 0))
        try:
            for place, end in ends.items():
                behind[place.topic] += max(0, end - await self._consumer.position(place))
        except IllegalStateError:
            # A partition was revoked while we asked.
            return {}
        except _AWAY as error:
            raise Unavailable("the bus is away; try again") from error
        return behind

    def pause(self, topic: str, partition: int) -> None:
        place = TopicPartition(topic, partition)
        if place in self._consumer.assignment():
            self._consumer.pause(place)

    def resume(self, topic: str, partition: int) -> None:
        place = TopicPartition(topic, partition)
        if place in self._consumer.assignment():
            self._consumer.resume(place)

    def rewind(self, topic: str, partition: int, offset: int) -> None:
        place = TopicPartition(topic, partition)
        if place in self._ours and place in self._consumer.assignment():
            self._consumer.seek(place, offset)

    async def close(self) -> None:
        await self._consumer.stop()

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        self._ours -= set(revoked)

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Positions come from the committed offsets; nothing to do."""


async def _create(admin: AIOKafkaAdminClient, topics: Sequence[str], partitions: int) -> None:
    brokers = len((await admin.describe_cluster())["brokers"])
    settings = {
        "retention.ms": str(KEEP_DAYS * 86_400_000),
        "max.message.bytes": str(LARGEST_MESSAGE_BYTES),
    }
    answer = await admin.create_topics(
        [NewTopic(topic, partitions, min(_REPLICAS, brokers), topic_configs=settings) for topic in topics]
    )
    for _, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"making {', '.join(topics)}")


def _received(record: Any) -> Received:
    headers = dict(record.headers)
    message = Message(UUID(bytes=headers[_EVENT_ID]), headers[_TYPE].decode(), record.key.decode(), record.value)
    return Received(message, record.topic, record.partition, record.offset)

"""What clients get."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from regulars_gateway.domain.attempts import Attempt, State
from regulars_gateway.domain.deliveries import Delivery, webhook_id
from regulars_gateway.domain.endpoints import Endpoint
from regulars_gateway.domain.keys import ApiKey
from regulars_kit.models import Instant


class KeyOut(BaseModel):
    """A key without its secret; `prefix` is what it begins with. `client` stays the same when it is rotated."""

    id: UUID
    client: str
    name: str
    prefix: str
    scopes: list[str]
    stores: list[str] | None
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(
            id=key.id,
            client=key.client,
            name=key.name,
            prefix=key.prefix,
            scopes=sorted(key.scopes),
            stores=None if key.stores is None else sorted(key.stores),
            created_at=key.created_at,
            expires_at=key.expires_at,
            revoked_at=key.revoked_at,
            last_used_at=key.last_used_at,
        )


class NewKeyOut(KeyOut):
    """`key` is the secret, shown this once; null when the call was made before."""

    key: str | None = None


class KeysOut(BaseModel):
    items: list[KeyOut]
    next_cursor: str | None


class EndpointOut(BaseModel):
    """`types` null: every event. `disabled_reason` is `gone`, `failing` or `by_hand`."""

    id: UUID
    url: str
    types: list[str] | None
    description: str
    enabled: bool
    disabled_reason: Literal["gone", "failing", "by_hand"] | None
    disabled_at: Instant | None
    failures_in_row: int
    failing_since: Instant | None
    created_at: Instant

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        return cls.model_validate(
            {
                "id": endpoint.id,
                "url": endpoint.url,
                "types": None if endpoint.types is None else sorted(endpoint.types),
                "description": endpoint.description,
                "enabled": endpoint.is_enabled,
                "disabled_reason": endpoint.disabled_reason,
                "disabled_at": endpoint.disabled_at,
                "failures_in_row": endpoint.health.failures_in_row,
                "failing_since": endpoint.health.failing_since,
                "created_at": endpoint.created_at,
            }
        )


class NewEndpointOut(EndpointOut):
    """`secret` is what deliveries are signed by, shown this once; null when the call was made before."""

    secret: str | None = None


class EndpointsOut(BaseModel):
    items: list[EndpointOut]
    next_cursor: str | None


class AttemptOut(BaseModel):
    """`status` null: no answer came, and `error` says why. `answer_start`: what the answer began with."""

    at: Instant
    duration_ms: int
    status: int | None
    error: str | None
    answer_start: str

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        return cls(
            at=attempt.at,
            duration_ms=attempt.duration_ms,
            status=attempt.status,
            error=attempt.error,
            answer_start=attempt.answer_start,
        )


class PingOut(AttemptOut):
    """What came of a test ping."""

    delivered: bool

    @classmethod
    def of(cls, attempt: Attempt) -> Self:
        return cls(delivered=attempt.succeeded, **AttemptOut.of(attempt).model_dump())


class DeliveryOut(BaseModel):
    """`tries` counts since it was last sent anew; `next_at` is when the next one is due, at the earliest."""

    id: UUID
    webhook_id: str
    endpoint_id: UUID
    event_id: UUID
    event_type: str
    subject: str
    state: State
    tries: int
    created_at: Instant
    next_at: Instant | None
    attempts: list[AttemptOut]

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        return cls(
            id=delivery.id,
            webhook_id=webhook_id(delivery.id),
            endpoint_id=delivery.endpoint_id,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            subject=delivery.subject,
            state=delivery.state,
            tries=delivery.tries,
            created_at=delivery.created_at,
            next_at=delivery.next_at,
            attempts=[AttemptOut.of(attempt) for attempt in delivery.attempts],
        )


class DeliveriesOut(BaseModel):
    items: list[DeliveryOut]
    next_cursor: str | None


class CloudEventOut(BaseModel):
    """An event as it was published: CloudEvents 1.0. `/asyncapi.json` describes the data of each type."""

    specversion: Literal["1.0"]
    id: UUID
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    data: dict[str, object]


class FeedItemOut(BaseModel):
    """`sequence` counts the feed's events from 1, without a gap."""

    sequence: int
    event: CloudEventOut


class FeedOut(BaseModel):
    """`next_cursor` null: nothing more for now. `read_up_to` is what to go on after, later on, in any case."""

    items: list[FeedItemOut]
    next_cursor: str | None
    read_up_to: int

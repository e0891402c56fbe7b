"""The way out: signed by Standard Webhooks, posted through the guarded client."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from uuid import UUID

from standardwebhooks import Webhook

from regulars_gateway.application.ports import Send
from regulars_gateway.domain.attempts import ANSWER_CHARS, Attempt
from regulars_gateway.domain.deliveries import webhook_id
from regulars_gateway.domain.endpoints import Secret
from regulars_kit.outbound import Answer, OutboundClient, OutboundFailed
from regulars_kit.values import Clock

USER_AGENT = "Regulars-Webhooks/1"


def sending(client: OutboundClient, content_type: str, now: Clock) -> Send:
    """Post one webhook, and say what came of it; a receiver can do nothing that raises here."""

    async def send(url: str, delivery_id: UUID, body: bytes, secrets: Sequence[Secret]) -> Attempt:
        at, began = now(), time.monotonic()
        try:
            headers = {"Content-Type": content_type, **signed(webhook_id(delivery_id), at, body, secrets)}
            answer = await client.post(url, headers, body)
        except OutboundFailed as failure:
            return Attempt(at, _since_ms(began), error=failure.code)
        return Attempt(
            at,
            _since_ms(began),
            answer.status,
            answer_start=_start_of(answer),
            retry_after_s=retry_after_s(answer.headers.get("retry-after"), at),
        )

    return send


def signed(message_id: str, at: datetime, body: bytes, secrets: Sequence[Secret]) -> Mapping[str, str]:
    """The headers of Standard Webhooks: a signature for each secret, while one is being changed."""
    text = body.decode()
    signatures = [Webhook(secret.value).sign(message_id, at, text) for secret in secrets]
    return {
        "User-Agent": USER_AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


def retry_after_s(value: str | None, at: datetime) -> float | None:
    """Seconds from `at` that a `Retry-After` asks for, given as seconds or as a date; None without a usable one."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        until = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    aware = until if until.tzinfo is not None else until.replace(tzinfo=UTC)
    return max(0.0, (aware - at).total_seconds())


def _start_of(answer: Answer) -> str:
    # NUL is the one character that PostgreSQL's jsonb does not take.
    return answer.body[: 4 * ANSWER_CHARS].decode("utf-8", "replace").replace("\x00", "�")[:ANSWER_CHARS]


def _since_ms(began: float) -> int:
    return round((time.monotonic() - began) * 1000)

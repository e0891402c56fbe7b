"""Send what is due: claim, ask whether each may be sent, send, write down what became of it.

The claim is committed before anybody is asked, and the outcome after the provider has answered. Killed in between, the
message stays claimed until its lease ends, and is sent again under the same id, which the provider knows.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from regulars_campaign.application.ports import Contacts, Now, Provider, Renderer, Transactions
from regulars_campaign.domain.facts import Fact, MessageSent, MessageSkipped
from regulars_campaign.domain.messages import Claimed, Contact, Known, Outcome, variables_of, wait_after
from regulars_campaign.domain.refusals import InvalidTemplate
from regulars_campaign.domain.templates import Template, Text
from regulars_kit.values import CustomerId, Money, Unavailable

LEASE = timedelta(seconds=15)
"""How long a sender may hold a message before another takes it for dead."""

SENDS_FOR = timedelta(seconds=10)
"""How long after its claim a sender begins with messages. What is left of the lease is for ending one, and for writing
down what became of all."""

MESSAGES_AT_ONCE = 50
CANNOT_RENDER = "cannot_render"


@dataclass(frozen=True, slots=True)
class Post:
    """What sending needs of the world; `providers`, and what a message costs where that is known, by channel."""

    begin: Transactions
    contacts: Contacts
    renderer: Renderer
    providers: Mapping[str, Provider]
    now: Now
    costs: Mapping[str, Money] = field(default_factory=dict)


async def send_messages(post: Post, limit: int = MESSAGES_AT_ONCE) -> int:
    """Send up to `limit` messages that are due; how many were claimed, so that a caller can go on."""
    until = post.now().at + SENDS_FOR
    async with post.begin() as unit:
        claimed = await unit.messages.claim(limit, LEASE)
    groups: defaultdict[tuple[str, str], list[Claimed]] = defaultdict(list)
    for message in claimed:
        groups[message.purpose, message.channel].append(message)
    for (purpose, channel), messages in groups.items():
        await _send(post, purpose, channel, messages, until)
    return len(claimed)


async def _send(post: Post, purpose: str, channel: str, messages: Sequence[Claimed], until: datetime) -> None:
    customers = sorted({message.customer_id for message in messages})
    try:
        contacts = await post.contacts.resolve(customers, purpose=purpose, channel=channel)
    except Unavailable:
        await _put_back(post, messages)
        return
    letters = await _letters(post, messages, contacts)
    outcomes = [await _try(post, letter, until) for letter in letters]
    await _write_down(post, [outcome for outcome in outcomes if outcome is not None])
    done = {outcome.message.id for outcome in outcomes if outcome is not None}
    await _put_back(post, [message for message in messages if message.id not in done])


@dataclass(frozen=True, slots=True)
class _Letter:
    message: Claimed
    contact: Contact
    template: Template
    known: Known


async def _letters(
    post: Post, messages: Sequence[Claimed], contacts: Mapping[CustomerId, Contact]
) -> Sequence[_Letter]:
    """Each message with all that it is made of. One whose customer nobody spoke of is left out: it waits."""
    async with post.begin() as unit:
        wanted = {(message.template_id, message.template_version) for message in messages}
        templates = await unit.templates.versions(wanted)
        known = await unit.customers.known({message.customer_id for message in messages})
    return [
        _Letter(
            message,
            contacts[message.customer_id],
            templates[message.template_id, message.template_version],
            known.get(message.customer_id, Known()),
        )
        for message in messages
        if message.customer_id in contacts
    ]


async def _try(post: Post, letter: _Letter, until: datetime) -> Outcome | None:
    """What becomes of a message; None: nothing yet, it can be tried again."""
    message, contact = letter.message, letter.contact
    if post.now().at >= until:
        return None
    if contact.reason is not None or contact.address is None:
        return Outcome(message, contact.reason or "no_address")
    if message.channel not in post.providers:
        return None
    try:
        values = variables_of(message, contact, letter.known)
        text = post.renderer.render(Text(letter.template.subject, letter.template.body), values)
        await post.providers[message.channel].send(message.id, contact.address, text)
    except InvalidTemplate:
        return Outcome(message, CANNOT_RENDER)
    except Unavailable:
        return None
    return Outcome(message, None, _hash(text))


def _hash(text: Text) -> str:
    """SHA-256 of subject and body, in hexadecimal: it tells two texts apart and says nothing of either."""
    return hashlib.sha256(f"{text.subject}\0{text.body}".encode()).hexdigest()


async def _write_down(post: Post, outcomes: Sequence[Outcome]) -> None:
    if not outcomes:
        return
    moment = post.now()
    async with post.begin() as unit:
        # Another sender may have taken over meanwhile: what becomes of the message is for that one to say, once.
        news = await unit.messages.finish(outcomes, moment.at)
        told = sorted((outcome for outcome in outcomes if outcome.message.id in news), key=_by_id)
        await unit.announce([_fact(outcome, moment.at, post.costs) for outcome in told])


def _by_id(outcome: Outcome) -> UUID:
    return outcome.message.id


def _fact(outcome: Outcome, at: datetime, costs: Mapping[str, Money]) -> Fact:
    message = outcome.message
    if outcome.reason is None:
        cost = costs.get(message.channel)
        return MessageSent(
            message.customer_id,
            at,
            message.id,
            message.campaign_id,
            message.campaign,
            message.step,
            message.channel,
            message.template_id,
            message.template_version,
            cost.minor if cost else None,
            cost.currency if cost else None,
        )
    return MessageSkipped(
        message.customer_id,
        at,
        message.id,
        message.campaign_id,
        message.campaign,
        message.step,
        message.channel,
        outcome.reason,
    )


async def _put_back(post: Post, messages: Sequence[Claimed]) -> None:
    if messages:
        async with post.begin() as unit:
            for message in messages:
                await unit.messages.put_back(message, wait_after(message.attempts))

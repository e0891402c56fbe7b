"""What the alarms on events watch. Labels are topics and groups, never keys or ids."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

OUTBOX_UNSENT = Gauge("regulars_outbox_unsent", "Events committed and not yet published.", ["topic"])
RELAY_LAG_SECONDS = Gauge("regulars_relay_lag_seconds", "Age of the oldest event not yet published.", ["topic"])
PUBLISHED = Counter("regulars_relay_published", "Events published and acknowledged.", ["topic"])
CONSUMER_LAG = Gauge(
    "regulars_consumer_lag", "Events published and not handled yet by this member.", ["group", "topic"]
)
HANDLED = Counter("regulars_inbox_handled", "Events handled: each once, whatever the number of deliveries.", ["group"])
REDELIVERED = Counter("regulars_inbox_redelivered", "Deliveries of events that had been handled before.", ["group"])
RETRIED = Counter("regulars_inbox_retried", "Tries that ended in a transient error and will be repeated.", ["group"])
DEAD_LETTERS = Counter("regulars_dead_letters", "Events set aside because handling them cannot succeed.", ["group"])

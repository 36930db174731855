"""The SNS sink: one message contains a text for people and a JSON document for machines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from flowwarden.notify.notification import Notification

MACHINES = ("sqs", "lambda", "http", "https", "firehose")
"""Protocols that receive the document. Email receives the text, SMS a short text."""

MAX_BYTES = 262_144
"""SNS's default limit for body and attributes together."""

MAX_SUBJECT = 99
"""SNS requires fewer than 100 characters."""

MAX_SMS = 140
"""Characters of one SMS: there is room for 160, but brackets and braces take that of two."""

MAX_BODY = MAX_BYTES - 16_384
"""Space left by the largest possible attributes: eight, 4 bytes per character, including names and types."""

CUT = "\n[truncated: the notification exceeds the SNS size limit]\n"


class Topic(Protocol):
    """Publishes to one topic; `aws/sns.py` implements it."""

    name: str

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Publish a message with a text for each protocol. Raises PublishFailed."""


class SnsSink:
    """Sends notifications to one topic."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic
        self.name = f"sns:{topic.name}"

    def send(self, notification: Notification) -> None:
        """Publish the notification. Raises PublishFailed if SNS did not accept it."""
        # SNS may drop a message whose attribute is empty or contains a control character.
        attributes = {name: value for name, value in notification.attributes.items() if value}
        self._topic.publish(fit_subject(notification.subject), _body(notification), attributes)


def fit_subject(text: str, limit: int = MAX_SUBJECT) -> str:
    """A valid SNS subject: printable ASCII, at most `limit` characters; `...` marks truncation.

    SNS rejects the whole notification if its subject is invalid.
    """
    printable = "".join(char if " " <= char <= "~" else "?" for char in " ".join(text.split()))
    if len(printable) <= limit:
        return printable or "(no subject)"
    return printable[: limit - 3] + "..."


def _body(notification: Notification) -> str:
    document = msgspec.json.encode({**notification.document, "text": notification.text}).decode()
    whole = {
        "default": notification.text,
        "sms": _short(notification),
        **dict.fromkeys(MACHINES, document),
    }
    encoded = msgspec.json.encode(whole)
    return encoded.decode() if len(encoded) <= MAX_BODY else _shortened(notification)


def _short(notification: Notification) -> str:
    """A text that fits into an SMS: the subject, whose key fact comes first, and the incident."""
    incident = notification.document.get("incident")
    end = f" incident {incident}" if incident else ""
    # The alphabet of SMS lacks the backtick; with it, only 70 characters would fit.
    subject = fit_subject(notification.subject, min(MAX_SUBJECT, MAX_SMS - len(end))).replace("`", "'")
    return f"{subject}{end}"


def _shortened(notification: Notification) -> str:
    """The text alone, halved until it fits, because the bytes per character vary."""
    length = len(notification.text)
    while True:
        text = notification.text[:length] + (CUT if length < len(notification.text) else "")
        encoded = msgspec.json.encode({"default": text, "sms": _short(notification)})
        if len(encoded) <= MAX_BODY:
            return encoded.decode()
        length //= 2

"""The CloudWatch Logs Insights query of a notification, for any log format. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flowwarden.notify.notification import Composed


def log_query(terms: Sequence[str]) -> Composed:
    """A query for the lines that contain all terms."""
    return _query(
        " and ".join(f"@message like /(^|\\s){_escaped(term)}(\\s|$)/" for term in dict.fromkeys(terms))
    )


def stream_query(log_stream: str) -> Composed:
    """A query for the lines of a log stream."""
    return _query(f"@logStream like /^{_escaped(log_stream)}$/")


def _query(condition: str) -> Composed:
    return Composed.of(
        (
            "fields @timestamp, @logStream, @message",
            f"| filter {condition}",
            "| sort @timestamp desc",
            "| limit 200",
        ),
        end="",
    )


def _escaped(term: str) -> str:
    """A term as a literal part of a regular expression between slashes."""
    return re.escape(term).replace("/", "\\/")

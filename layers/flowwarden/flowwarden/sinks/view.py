"""What sinks other than SNS read of a notification: one typed view of its document. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from flowwarden.notify.incident import REOPENED, Event
from flowwarden.notify.notification import Notification

CUT: Final = "[truncated: the notification exceeds the limit of this service]"
"""Marks a text that is not whole, as a line of its own."""
RUNBOOK: Final = "Runbook"
INTERFACE: Final = "Interface in the AWS console"
QUERY: Final = "Query of the log group"
"""The titles of the links of a notification."""
_SENTENCE: Final = "summary"


class View(Struct, frozen=True, kw_only=True):
    """A notification, or one incident of it."""

    kind: str
    summary: str
    """One sentence, or the subject."""
    severity: str
    event: Event | None = None
    """None if it is not about an incident."""
    incident: str = ""
    """The incident's key; '' if it is not about one incident."""
    reopened: int = 0
    """How often the incident was reopened."""
    subject: str = ""
    """The host, subnet or interface that it is about."""
    account: str = ""
    region: str = ""
    detectors: tuple[str, ...] = ()
    technique: str = ""
    """MITRE ATT&CK technique."""
    because: str = ""
    likely: str = ""
    reason: str = ""
    """Why it is resolved."""
    advice: tuple[str, ...] = ()
    """What to do, in order."""
    runbook: str = ""
    links: Mapping[str, str] = {}
    """Titles of links, with their https addresses."""
    first: int | None = None
    """Unix seconds: when it began."""
    last: int | None = None
    """Unix seconds of the latest traffic behind it."""
    details: Mapping[str, Any] = {}
    """The document."""
    text: str = ""
    """The text for people; '' for one of several incidents."""
    resolved: tuple[View, ...] = ()
    """The incidents, if it is about several that are resolved."""

    @property
    def is_over(self) -> bool:
        """Whether it says that its incident is, or its incidents are, resolved."""
        return self.event is Event.RESOLVED

    @property
    def has_life(self) -> bool:
        """Whether it is about one incident."""
        return bool(self.incident) and self.event is not None


def view_of(notification: Notification) -> View:
    """The view of a notification."""
    document = {**notification.attributes, **notification.document}
    several = document.get("incidents")
    view = _view(document, notification.subject, notification.text)
    if not isinstance(several, list) or view.event is not Event.RESOLVED:
        return view
    parts = tuple(_view(each, "", "") for each in several if isinstance(each, Mapping))
    return _view(document, notification.subject, notification.text, parts)


def _view(document: Mapping[str, Any], subject: str, text: str, resolved: tuple[View, ...] = ()) -> View:
    event = _text(document, "event")
    return View(
        kind=_text(document, "kind") or "notification",
        summary=_text(document, _SENTENCE) or subject,
        severity=_text(document, "severity") or "info",
        event=Event(event) if event in {*Event} else None,
        incident="" if resolved else _text(document, "incident"),
        reopened=_number(document, REOPENED) or 0,
        subject=_text(document, "subject"),
        account=_text(document, "account"),
        region=_text(document, "region"),
        detectors=tuple(dict.fromkeys((*_texts(document, "detector"), *_texts(document, "detectors")))),
        technique=_text(document, "technique"),
        because=_text(document, "because"),
        likely=_text(document, "likely"),
        reason=_text(document, "reason") if event == Event.RESOLVED else "",
        advice=_texts(document, "advice"),
        runbook=_text(document, "runbook"),
        links=dict(_links(document)),
        first=_number(document, "first") or _number(document, "opened_at"),
        last=_number(document, "last") or _number(document, "last_seen"),
        details=document,
        text=text,
        resolved=resolved,
    )


def shortened(text: str, limit: int) -> str:
    """The first lines of a text, at most `limit` characters; `CUT` marks that lines are missing.

    `limit` must be larger than `CUT`.
    """
    if len(text) <= limit:
        return text
    kept = text[: limit - len(CUT) - 1]
    whole = kept.rpartition("\n")[0] or kept
    return f"{whole}\n{CUT}"


def _links(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The runbook and the links to the console that are addresses."""
    console = document.get("console")
    places = console if isinstance(console, Mapping) else {}
    titles = {
        RUNBOOK: document.get("runbook"),
        INTERFACE: places.get("interface"),
        QUERY: places.get("logs"),
    }
    for title, link in titles.items():
        if isinstance(link, str) and link.startswith("https://"):
            yield title, link


def _text(document: Mapping[str, Any], name: str) -> str:
    found = document.get(name)
    return found if isinstance(found, str) else ""


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = document.get(name)
    listed = found if isinstance(found, list | tuple) else [found]
    return tuple(each for each in listed if isinstance(each, str) and each)


def _number(document: Mapping[str, Any], name: str) -> int | None:
    found = document.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None

"""The members of an incident: findings of one cause on one page. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.notify.claims import Claim
from flowwarden.notify.subject import Title
from flowwarden.notify.text import plural

LISTED: Final = 20
"""Members, and findings, that a page lists; the others are counted, and are in the log."""


class Crowd(Struct, frozen=True, tag="cause", tag_field="kind"):
    """What a page says about findings with the same cause."""

    member: ClassVar[str] = "same_cause"
    """The name of its member of the document."""
    quiet: ClassVar[None] = None
    """Repeats are suppressed for the time of the finding."""
    what: str
    """The cause in words."""
    members: tuple[str, ...]
    """Of the batch."""
    others: tuple[str, ...] = ()
    """Summaries of the findings of the batch besides the one that the page is about."""
    mutes: tuple[dict[str, Any], ...] = ()
    """The mutes that match these findings, as JSON objects."""

    def together(self, claim: Claim) -> tuple[str, ...]:
        """The members of the batch, and those that joined the incident since its last notification."""
        return tuple(dict.fromkeys((*self.members, *claim.joined)))

    def titled(self, title: Title, _claim: Claim) -> Title:
        """The title of the page's finding, with the number of other findings that the page is about."""
        if not self.others:
            return title
        summary = f"{title.summary.removesuffix('.')}{self.added()}."
        return replace(title, summary=summary, brief=f"{title.brief or title.summary} +{len(self.others)}")

    def lines(self, claim: Claim) -> Iterator[str]:
        """The paragraph about the cause."""
        together = self.together(claim)
        yield f"Same cause   {self.what}: {_listed(together)}"
        yield from (f"  - {each}" for each in self.others[:LISTED])
        if len(self.others) > LISTED:
            yield f"  - … and {len(self.others) - LISTED:,} more"
        yield "Others with this cause join the incident for 1 h without a page; the log has each."

    def document(self, claim: Claim) -> dict[str, Any]:
        """The same for machines."""
        together = self.together(claim)
        return {
            "cause": self.what,
            "distinct": len(together),
            "members": list(together[:LISTED]),
            "joined": list(claim.joined[:LISTED]),
            "listed": list(self.others[:LISTED]),
        }

    def added(self) -> str:
        """`, and 3 more findings with this cause`; empty if there are none."""
        count = len(self.others)
        return f", and {plural(count, 'more finding')} with this cause" if count else ""


def _listed(names: tuple[str, ...]) -> str:
    rest = f" and {len(names) - LISTED:,} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{rest}"

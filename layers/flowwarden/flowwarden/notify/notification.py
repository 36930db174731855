"""A notification: a text for people, a document for machines, and attributes for routing.

Everything in it may come from outside: names, tags, ARNs, fields of records, messages of AWS. A text is
therefore `Composed` of lines, each of which stays one line, and a notification escapes all other texts. A
line or a member that is added later is safe without any further step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Self

from msgspec import Struct
from msgspec.structs import force_setattr

from flowwarden.printable import one_line, printable, safe

LONGEST_ATTRIBUTE: Final = 256
"""Characters of an attribute's value; the values are ids and words."""


class Composed(str):
    """A text of several lines, none of which its parts can add to or leave."""

    __slots__ = ()

    @classmethod
    def of(cls, *paragraphs: Iterable[str], end: str = "\n") -> Self:
        """The paragraphs of a text, each given by its lines, with a blank line between two of them.

        A line always stays one line, and an empty one is omitted, so that no part of a line can begin a line
        or a paragraph.
        """
        whole = ("\n".join(printable(line) for line in lines if line) for lines in paragraphs)
        return cls("\n\n".join(paragraph for paragraph in whole if paragraph) + end)


class Notification(Struct, frozen=True, kw_only=True):
    """A message about an incident or about the enforcer's changes, ready for any sink.

    `subject` is one line, which a sink fits to its limits; `text` has lines of at most `LONGEST_LINE`
    printable characters; `document` contains JSON values only, whose texts are one line each, except
    `Composed` members; subscribers filter by `attributes`, so their names are part of the interface.
    """

    subject: str
    text: str
    document: dict[str, Any]
    attributes: dict[str, str]

    def __post_init__(self) -> None:
        """Escape what is not visible in any text, and fold every text but `Composed` ones into a line."""
        force_setattr(self, "subject", one_line(self.subject))
        force_setattr(self, "text", "\n".join(printable(line) for line in self.text.split("\n")))
        kept = {name: str(each) for name, each in self.document.items() if isinstance(each, Composed)}
        force_setattr(self, "document", safe(self.document) | kept)
        attributes = {
            one_line(name): one_line(text, LONGEST_ATTRIBUTE) for name, text in self.attributes.items()
        }
        force_setattr(self, "attributes", attributes)

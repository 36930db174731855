"""Notifications: text from outside stays within its line, whatever it contains."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.notify.notification import Notification
from flowwarden.printable import LONGEST_LINE
from tests.examples import examples
from tests.hostile import HOSTILE

TEXTS = st.text(max_size=50) | st.sampled_from(HOSTILE) | st.just("x" * (LONGEST_LINE + 1))


def notification(text: str, **members: Any) -> Notification:
    """A notification with this text everywhere."""
    return Notification(
        subject=text, text=text, document={"member": text}, attributes={"name": text}, **members
    )


@examples(1)
@given(TEXTS)
def test_each_line_is_printable_and_bounded(text: str) -> None:
    """Also in a report that was stored and read again: the stored item may be damaged."""
    sent = notification(text)
    lines = [sent.subject, *sent.text.split("\n"), sent.document["member"], sent.attributes["name"]]
    assert all(line.isprintable() and len(line) <= LONGEST_LINE for line in lines)


def test_a_long_line_is_cut_visibly_and_the_next_one_is_kept() -> None:
    """A cut without a mark would read like the whole line."""
    first, second = notification("x" * 5000 + "\nnext").text.split("\n")
    assert (len(first), first[-3:], second) == (LONGEST_LINE, "...", "next")

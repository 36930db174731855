"""Builds HTML in which every text is escaped. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from flowwarden.printable import as_json, one_line, printable

LONGEST_CELL: Final = 400
"""Characters of a text in a table or a line."""


class Markup(str):
    """HTML that is complete; all other texts are escaped."""

    __slots__ = ()


type Content = str | int | Markup
"""A text is shown as it is; a number with separators of thousands."""


def element(name: str, *content: Content | Iterable[Content], **attributes: str | bool) -> Markup:
    """An element.

    Args:
        name: its name, such as `p`.
        content: what it contains.
        attributes: their values; `_` stands for `-`, a trailing one for nothing. True is an attribute without
            a value, False none.
    """
    named = "".join(_attribute(key, value) for key, value in attributes.items())
    return Markup(f"<{name}{named}>{''.join(map(_content, content))}</{name}>")


def _attribute(key: str, value: str | bool) -> str:  # noqa: FBT001 - as HTML's attributes
    if value is False:
        return ""
    written = key.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(one_line(value, LONGEST_CELL))}"'


def _content(content: Content | Iterable[Content]) -> str:
    match content:
        case Markup():
            return content
        case str():
            return escape(printable(content, LONGEST_CELL), quote=False)
        case int():
            return f"{content:,}"
        case _:
            return "".join(map(_content, content))


def lines(text: str, most: int) -> Markup:
    """A text of several lines, with at most `most` characters."""
    shown = "\n".join(printable(line) for line in text[:most].split("\n"))
    return Markup(escape(f"{shown}\n..." if len(text) > most else shown, quote=False))


def table(caption: str, header: Sequence[str], rows: Iterable[Sequence[Content]]) -> Markup:
    """A table that scrolls in itself if it is wider than the page; cells with numbers are aligned right."""
    head = element("tr", (element("th", each, scope="col") for each in header))
    body = (element("tr", (_cell(place, each) for place, each in enumerate(row))) for row in rows)
    whole = element("table", element("caption", caption), element("thead", head), element("tbody", body))
    return element("div", whole, class_="wide", role="region", aria_label=caption, tabindex="0")


def _cell(place: int, content: Content) -> Markup:
    if place == 0:
        return element("th", content, scope="row")
    return element("td", content, class_="number" if isinstance(content, int) else False)


def embedded_json(value: object) -> Markup:
    """A value as JSON for a `script` element, which none of its texts can end."""
    encoded = as_json(value)
    for char in "<>&":
        encoded = encoded.replace(char, f"\\u{ord(char):04x}")
    return Markup(encoded)

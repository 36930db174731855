"""The report as one HTML file, which loads nothing from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Final

from flowwarden.replay.result import ReplayResult
from flowwarden_cli.report.html import Markup, element, embedded_json
from flowwarden_cli.report.sections import Section, facts, period, sections

TITLE: Final = "Flow Warden: replay of an archive"
_PATTERNS: Final = Markup(
    '<svg width="0" height="0" aria-hidden="true" focusable="false"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="6" height="6" fill="var(--paper)"/>'
    '<rect width="2.5" height="6" fill="var(--rejected)"/></pattern>'
    '<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">'
    '<rect width="5" height="5" fill="var(--paper)"/>'
    '<circle cx="2.5" cy="2.5" r="1.5" fill="var(--skipped)"/></pattern>'
    "</defs></svg>"
)
"""Fills that can be told apart without colors."""


def page(result: ReplayResult, library: str) -> str:
    """The report.

    Args:
        result: the result of a replay that observed the traffic.
        library: the script of Vega-Embed, with Vega and Vega-Lite.
    """
    style, script = _own("page.css"), _own("page.js")
    made = sections(result)
    specs = [{"name": each.name, "spec": each.spec} for section in made for each in section.charts]
    head = element(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{_policy(style, [library, script])}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup('<meta name="color-scheme" content="light dark">'),
        element("title", TITLE),
        element("style", Markup(style)),
    )
    body = element(
        "body",
        element("a", "Skip to the content", class_="skip", href="#content"),
        _PATTERNS,
        element("header", element("h1", TITLE), element("p", period(result)), facts(result), _contents(made)),
        element("main", map(_section, made), id="content", tabindex="-1"),
        element("footer", element("p", "Made by flowwarden replay. Times are in UTC.")),
        element("noscript", element("p", "Without scripts, each chart is shown as a table only.")),
        element("script", embedded_json(specs), type_="application/json", id="charts"),
        element("script", Markup(library)),
        element("script", Markup(script)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, scripts: list[str]) -> str:
    """Allows these scripts and this style, by their hashes, and nothing else."""
    hashes = " ".join(map(_hash, scripts))
    allowed = f"script-src {hashes}; style-src {_hash(style)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _contents(made: list[Section]) -> Markup:
    links = (element("li", element("a", each.title, href=f"#{each.name}")) for each in made)
    return element("nav", element("ul", links), aria_label="Sections")


def _section(one: Section) -> Markup:
    heading = element("h2", one.title, id=f"{one.name}-title")
    return element("section", heading, *one.content, id=one.name, aria_labelledby=f"{one.name}-title")

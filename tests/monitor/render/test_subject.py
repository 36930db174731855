"""Subject and SMS: the key fact (who, what, where) fits into what receivers show, whatever the addresses."""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Mapping
from typing import Final

import pytest
from msgspec.structs import replace

from flowwarden.monitor.detectors import DETECTORS
from flowwarden.monitor.findings import Finding, TrafficFinding
from flowwarden.network.services import Service
from flowwarden.notify.alert import Route
from flowwarden.notify.subject import FITTING, Known, Title, shortened, subject_line
from flowwarden.sinks.sns import SnsSink
from tests.hostile import mapped
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import CONTEXT, first_notification
from tests.monitor.render.rows import page, row

NETWORK: Final = ipaddress.IPv6Network("2600:1f18:1234:5678:9abc:def0::/96")
LONG_REGION: Final = replace(CONTEXT, region="ap-southeast-2")
_ADDRESS: Final = re.compile(r"\b\d+\.\d+\.\d+\.\d+\b")
PAGING: Final = [each.name for each in DETECTORS if each.route is Route.PAGES]


class Topic:
    """Keeps what is published."""

    name = "pages"

    def __init__(self) -> None:
        self.subject = self.sms = ""

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Keep the subject and the SMS."""
        assert attributes
        self.subject, self.sms = subject, json.loads(message)["sms"]


def long(text: str) -> str:
    """The text with an IPv6 address of 39 characters for each IPv4 address, different for different ones."""

    def address(found: re.Match[str]) -> str:
        return str(NETWORK[int(ipaddress.IPv4Address(found[0])) | 0x1000_1000])

    return _ADDRESS.sub(address, text)


def published(finding: Finding, key: str = "0123456789abcdef" * 2) -> Topic:
    """What SNS is given about the finding, in the Region with one of the longest names."""
    topic = Topic()
    SnsSink(topic).send(first_notification(finding, key, LONG_REGION))
    return topic


def shows(text: str, finding: TrafficFinding) -> bool:
    """Whether a text names the ends that are the key fact, in full or shortened."""
    both = (finding.main_client, finding.main_server)
    names = (finding.subject,) if finding.detector in ABOUT_ONE_HOST else both
    return all(each in text or shortened(each) in text for each in names)


ABOUT_ONE_HOST: Final = {
    "scan": "many targets",
    "host-probing": "many targets",
    "lateral-movement": "many targets",
    "service-blocked": "many clients",
    "egress-denied": "a role",
    "nacl-blocks-replies": "a subnet and one of its hosts",
}
"""The detectors whose key fact has one address, and why."""


@pytest.mark.parametrize("name", PAGING)
def test_the_key_fact_fits_with_long_addresses(name: str) -> None:
    """The ends that matter are in the subject and in the SMS, and nothing is cut off."""
    finding = mapped(EXAMPLES[name](), long)
    assert isinstance(finding, TrafficFinding)
    assert (
        len(finding.main_client) == len(finding.main_server) == len("2600:1f18:1234:5678:9abc:def0:1234:5678")
    )
    topic = published(finding)
    assert len(topic.subject) < 100
    assert "..." not in topic.subject
    assert topic.subject.startswith(f"[{finding.severity.upper()}] ")
    assert shows(topic.subject, finding)
    assert len(topic.sms) <= 140
    assert topic.sms == f"{topic.subject} incident {'0123456789abcdef' * 2}"


@pytest.mark.parametrize("name", PAGING)
def test_the_key_fact_fits_with_high_numbers(name: str) -> None:
    """Large counts and high ports."""
    finding = mapped(EXAMPLES[name](), long)
    if hasattr(finding.facts, "sessions"):
        finding = replace(finding, facts=replace(finding.facts, sessions=1420), window=None)
    if hasattr(finding.facts, "sent"):
        finding = replace(finding, facts=replace(finding.facts, sent=98_765_432_000_000), window=None)
    if finding.service:
        finding = replace(finding, service=Service(6, 61_616))
    services = tuple(((6, 61_616 - each), 1) for each in range(12))
    finding = replace(finding, tally=replace(finding.tally, services=services))
    assert "..." not in published(finding).subject
    assert shows(published(finding).sms, finding)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_subject_with_short_addresses_is_complete(name: str) -> None:
    """Nothing is cut off, and the addresses stay as they are."""
    topic = published(EXAMPLES[name]())
    assert len(topic.subject) <= FITTING
    assert "..." not in topic.subject
    assert ":.." not in topic.subject


def test_the_text_has_the_addresses_in_full() -> None:
    """A shortened address is enough to recognize a host, and too little to search for it."""
    finding = mapped(EXAMPLES["blocked-connection"](), long)
    sent = page(finding)
    assert finding.main_client not in sent.subject
    assert finding.main_client in row(sent, "From")
    assert finding.main_server in row(sent, "To")


def test_a_long_name_is_cut_off_after_the_key_fact() -> None:
    """The name of a log group can have 512 characters."""
    group = "/flow-warden/" + "x" * 499
    for name, fact in (
        ("unparsed-lines", "7 of 7 lines cannot be parsed"),
        ("unjudged-records", "40 of 40 records"),
    ):
        topic = published(replace(EXAMPLES[name](), subject=group))
        assert fact in topic.subject
        assert topic.subject.endswith("...")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2600:1f18:1234:5678:9abc:def0:1234:5678", "2600:1f18:..:1234:5678"),
        ("x 2600:1f18:1234:5678:9abc:def0:1234:5678: y", "x 2600:1f18:..:1234:5678: y"),
        ("2600:1f18:1234:5678:9abc::5678", "2600:1f18:..::5678"),
        ("2600:1f18::5678", "2600:1f18::5678"),
        ("10.0.1.20 and tcp/443", "10.0.1.20 and tcp/443"),
        ("2025-11-24 16:00:00 UTC", "2025-11-24 16:00:00 UTC"),
    ],
)
def test_only_long_addresses_are_shortened(text: str, expected: str) -> None:
    """The first and the last groups stay: the network, and the host in it."""
    assert shortened(text) == expected


def test_an_sms_has_no_character_that_halves_its_length() -> None:
    """A backtick is not in the alphabet of SMS: with it, an SMS holds only 70 characters."""
    finding = replace(EXAMPLES["unparsed-lines"](), subject="/a`b")
    topic = published(finding)
    assert "`" in topic.subject
    assert "`" not in topic.sms


KNOWN = Known("10.0.1.5", "web-1")


@pytest.mark.parametrize(
    ("sentence", "named"),
    [
        ("10.0.1.5 is blocked at 10.0.2.30.", "10.0.1.5 (web-1) is blocked at 10.0.2.30."),
        ("203.0.113.9 connected to 10.0.1.5.", "203.0.113.9 connected to 10.0.1.5 (web-1)."),
        ("10.0.1.50 and 110.0.1.5 and 10.0.1.5.", "10.0.1.50 and 110.0.1.5 and 10.0.1.5 (web-1)."),
        ("10.0.1.5 to 10.0.1.5", "10.0.1.5 (web-1) to 10.0.1.5"),
        ("10.0.1.5:22 is open", "10.0.1.5:22 is open"),
        ("nothing", "nothing"),
    ],
)
def test_a_name_stands_behind_its_own_address(sentence: str, named: str) -> None:
    """Once, and at no other address: a name at the wrong host is worse than none."""
    assert KNOWN.in_text(sentence) == named


@pytest.mark.parametrize("name", ["", "a) [RESOLVED", "x\ny", "Ω", "x" * 41, " a", "a(b"])
def test_a_name_that_could_pretend_is_not_in_a_subject(name: str) -> None:
    """The page has it between quotation marks."""
    assert Known("10.0.1.5", name).in_text("10.0.1.5 scans.") == "10.0.1.5 scans."


def subject(length: int) -> str:
    """The subject about a sentence with a word of this length."""
    title = Title(summary=f"10.0.1.5 did {'x' * length}.", brief="10.0.1.5 did it", about=KNOWN)
    return subject_line("high", title, "eu-west-1")


def test_a_subject_without_room_loses_the_region_then_the_name() -> None:
    """The sentence is shortened only after that."""
    assert subject(55) == f"[HIGH] 10.0.1.5 (web-1) did {'x' * 55} (eu-west-1)"
    assert subject(68) == f"[HIGH] 10.0.1.5 (web-1) did {'x' * 68}"
    assert subject(77) == f"[HIGH] 10.0.1.5 did {'x' * 77}"
    assert subject(90) == "[HIGH] 10.0.1.5 (web-1) did it (eu-west-1)"

"""The text of digests: golden files, limits, and what comes from outside."""

from __future__ import annotations

import msgspec
import pytest

from flowwarden.dispatcher import daily_digest, hourly_digest
from flowwarden.dispatcher.digest_day import Day
from flowwarden.notify.notification import Notification
from flowwarden.printable import printable
from flowwarden.state.digests import Group, Kept, Source, Target, port_number
from tests.dispatcher.digests.examples import BEFORE, DAY, EXAMPLES, HOUR, KEPT, PLACE, TODAY, hour
from tests.dispatcher.digests.golden import digest_of, path_of

MOST_BYTES = 64_000


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_digest_is_the_golden_file(name: str) -> None:
    """A changed file is a changed text: `make golden`."""
    assert digest_of(name) == path_of(name).read_text()


def size(sent: Notification) -> int:
    """Bytes of text and document."""
    return len(sent.text.encode()) + len(msgspec.json.encode(sent.document))


def test_the_largest_hourly_digest_is_below_64_kb() -> None:
    """It lists 20 groups, those in most batches, and counts the others."""
    long = "\U0001f600" * 120
    groups = {
        Group("d" + "x" * 60, "v" * 128, f"{each}{long}", "p" * 128, "s" * 128): 10_000 + each
        for each in range(5_000)
    }
    sent = hourly_digest.render(HOUR, groups, KEPT, PLACE)
    assert size(sent) < MOST_BYTES
    assert len(sent.document["groups"]) == hourly_digest.LISTED
    assert sent.document["groups_left_out"] == 4_980
    assert sent.document["groups"][0]["batches_at_least"] == 14_999
    assert "and 4,980 more" in sent.text


def test_the_largest_daily_digest_is_below_64_kb() -> None:
    """It lists 20 internet hosts with 12 ports each, and 20 targets."""
    ports = tuple(port_number(6, port) for port in range(60_000, 60_064))
    network = "2001:db8:1111:2222:3333:4444:5555"
    sources = [Source(f"{network}:{number:x}", 40, 16, ports) for number in range(1000)]
    targets = [Target(f"{network}:{number:x}", 40) for number in range(1000)]
    today = Day.of([hour(sources, targets, 50_000, 50_000)])
    sent = daily_digest.render(DAY, today, BEFORE, PLACE)
    assert size(sent) < MOST_BYTES
    assert len(sent.document["sources"]) == len(sent.document["targets"]) == daily_digest.LISTED
    assert "and at least 980 more" in sent.text


def test_text_from_outside_stays_within_its_line() -> None:
    """A subject cannot add a line, and control characters are escaped."""
    group = Group("scan", "vpc\n1", "10.0.0.5\nTotals\x1b[2J\u202e", "own", "tcp/22")
    sent = hourly_digest.render(HOUR, {group: 1}, dict.fromkeys(Kept, 0), PLACE)
    assert all(printable(line) == line for line in sent.text.split("\n"))
    assert sent.text.count("\nTotals") == 1


def test_what_is_new_is_compared_with_the_day_before() -> None:
    """A known host, port and target are not new; without a day before, nothing is marked."""
    sent = daily_digest.render(DAY, TODAY, BEFORE, PLACE)
    new = {each["address"]: each["new"] for each in sent.document["sources"]}
    assert new == {"203.0.113.9": True, "198.51.100.7": False, "2001:db8::1": True}
    assert "DNS (udp/53)" not in sent.document["new_ports"]
    assert [each["new"] for each in sent.document["targets"]] == [False, True]
    first = daily_digest.render(DAY, TODAY, Day.of([]), PLACE)
    assert not first.document["compared_with_day_before"]
    assert not any(each["new"] for each in first.document["sources"])


def test_the_largest_count_of_an_hour_counts_and_hours_are_added() -> None:
    """Two containers may have counted the same batches of an hour."""
    assert (TODAY.sources[0].address, TODAY.sources[0].records) == ("203.0.113.9", 2**9 + 2**6)
    assert TODAY.targets[0] == ("10.0.0.5", 2**9 + 2**7)

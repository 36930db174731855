"""Mutes in the policy, and the notification when one ends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from flowwarden.errors import PolicyError
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.delivery import DeliveryReport
from flowwarden.policy.expired_mutes import LISTED, QUIET_SECONDS, REPORTED_SECONDS, EndedMutes
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from flowwarden.state.sets import DAY

STATED = {"until": "2027-03-31", "reason": "inventory"}
END = int(datetime(2027, 4, 1, tzinfo=UTC).timestamp())
MUTE = Mute(detector="scan", until="2027-03-31", reason="inventory")


def policy(**mute: Any) -> Policy:
    """A policy with one mute."""
    return Policy.from_json(json.dumps({"mutes": [mute]}))


@pytest.mark.parametrize(
    ("mute", "message"),
    [
        ({}, r"mutes\[0\]: it would mute every finding; write at least one of detector"),
        ({"detector": "scan", "subject": ""}, r"mutes\[0\].subject: ''; write 1 to 512 characters"),
        ({"detector": " scan"}, r"mutes\[0\].detector: ' scan'; .*without spaces at the ends"),
        ({"subject": "10.0.1.5/24"}, r"mutes\[0\].subject: 10.0.1.5/24 has host bits set"),
        ({"subject": "10.0.0.300"}, r"mutes\[0\].subject: '10.0.0.300'"),
        ({"subject": "010.0.1.66"}, r"mutes\[0\].subject: '010.0.1.66'"),
        ({"subject": "0.0.0.0/0"}, r"mutes\[0\].subject: '0.0.0.0/0' is too wide: it would mute"),
        ({"subject": "::/0"}, r"mutes\[0\].subject: '::/0' is too wide"),
        ({"peer": "0.0.0.0/0"}, r"mutes\[0\].peer: '0.0.0.0/0' is too wide"),
        ({"peer": "somewhere"}, r"mutes\[0\].peer: 'somewhere' .*or one of own, partner"),
        ({"peer": "::ffff:10.0.0.1"}, r"mutes\[0\].peer: .*IPv4 written as IPv6"),
        ({"service": "http"}, r"mutes\[0\].service: 'http'; write a service such as tcp/5432"),
        ({"service": "icmp/5"}, r"mutes\[0\].service: 'icmp/5'"),
        ({"service": "tcp/70000"}, r"mutes\[0\].service: 'tcp/70000'"),
        ({"role": "x" * 513}, r"mutes\[0\].role: 'x{80}'; write 1 to 512"),
        ({"detector": "scan", "until": "soon"}, r"mutes\[0\].until: 'soon'; write the last day in UTC"),
        ({"detector": "scan", "until": "2027-03-31T18:00:00"}, r"mutes\[0\].until: "),
        ({"detector": "scan", "until": "9999-12-31"}, r"mutes\[0\].until: "),
        ({"detector": "scan", "reason": " "}, r"mutes\[0\].reason: write why"),
        (
            {"detektor": "scan"},
            "unknown setting; write one of detector, subject, peer, .*did you mean detector",
        ),
    ],
)
def test_an_invalid_mute_is_refused_with_its_path(mute: dict[str, Any], message: str) -> None:
    """The message says what is allowed."""
    with pytest.raises(PolicyError, match=message):
        policy(**{**STATED, **mute})


STATED_NEVER = {"until": "never", "reason": "x"}
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def all_of(*members: dict[str, str], exempt: Sequence[str] = ()) -> str:
    """Why mutes with these members are refused together; '' if they are not."""
    document = {"mutes": [each | STATED_NEVER for each in members], "exempt": exempt}
    try:
        Policy.from_json(json.dumps(document))
    except PolicyError as error:
        return str(error)
    return ""


def test_mutes_that_together_silence_all_hosts_are_refused() -> None:
    """Like a network that is too wide; `exempt` counts, too."""
    refused = "policy: mutes: the networks of exempt and of mutes that only name a subject cover all private"
    assert all_of(*({"subject": each} for each in PRIVATE)).startswith(refused)
    assert all_of({"subject": PRIVATE[0]}, exempt=PRIVATE[1:]).startswith(refused)
    halves = [{"subject": f"{first}.0.0.0/8"} for first in range(128)]
    assert "cover half of all IPv4 addresses or more" in all_of(*halves)
    assert all_of(*halves[:100]) == ""
    assert all_of(*({"subject": each} for each in PRIVATE[:2])) == ""


def test_mutes_that_together_silence_all_peers_are_refused() -> None:
    """The networks of the internet, one by one."""
    peers = [{"peer": f"{first}.0.0.0/8"} for first in range(128, 256)]
    refused = "policy: mutes: the networks of mutes that only name a peer cover half of all IPv4 addresses"
    assert all_of(*peers).startswith(refused)
    assert all_of(*peers[1:]) == ""


def test_mutes_that_name_more_than_a_network_may_be_wide() -> None:
    """They hide findings of one detector only, or about one service."""
    for more in ({"detector": "scan"}, {"service": "tcp/22"}, {"vpc": "vpc-1"}):
        assert all_of(*({"subject": each} | more for each in PRIVATE)) == ""


@pytest.mark.parametrize("missing", ["until", "reason"])
def test_a_mute_says_when_it_ends_and_why_it_exists(missing: str) -> None:
    """Without an end it would stay forever; without a reason it could not be reviewed."""
    stated = {name: value for name, value in STATED.items() if name != missing}
    with pytest.raises(PolicyError, match=f"{missing} is missing; add it"):
        policy(detector="scan", **stated)


@pytest.mark.parametrize(
    "mute",
    [
        {"subject": "10.0.0.0/8"},
        {"subject": "tag:Role=web"},
        {"subject": "subnet-1"},
        {"peer": "internet"},
        {"peer": "198.51.100.0/24", "service": "UDP/53"},
        {"detector": "scan", "until": "never"},
        {"vpc": "vpc-1", "until": "2027-03-31T18:00:00+01:00"},
    ],
)
def test_a_valid_mute_is_read(mute: dict[str, Any]) -> None:
    """Subjects that are no networks are compared as text."""
    (read,) = policy(**{**STATED, **mute}).mutes
    assert read == Mute(**{**STATED, **mute})


def test_a_mute_ends_with_its_last_day_in_utc() -> None:
    """A time with a zone is that time, and `never` has no end."""
    assert MUTE.end == END
    assert MUTE.applies_at(END - 1)
    assert not MUTE.applies_at(END)
    at = Mute(detector="scan", until="2027-04-01T02:00:00+02:00", reason="x")
    assert at.end == END
    assert Mute(detector="scan", until="never", reason="x").applies_at(2**40)


def at(mutes: Sequence[Mute], now: int) -> list[str]:
    """The titles of the reports of a new container."""
    return [each.title for each in EndedMutes(mutes).alerts(now, "111122223333", "eu-west-1")]


def test_a_mute_that_ended_lately_is_reported_to_operations() -> None:
    """Not before its end, not later than `REPORTED_SECONDS` after it, and never if it has no end."""
    mutes = [MUTE, Mute(subject="10.0.1.5", until="never", reason="x")]
    assert at(mutes, END - 1) == []
    assert (
        at(mutes, END)
        == at(mutes, END + REPORTED_SECONDS - 1)
        == ["[INFO] a mute has ended in 111122223333 eu-west-1"]
    )
    assert at(mutes, END + REPORTED_SECONDS) == []


def test_mutes_with_the_same_end_are_one_report() -> None:
    """Months end for all of them. Those that end later are another one."""
    mutes = [Mute(subject=f"10.0.1.{number}", until="2027-03-31", reason="x") for number in range(200)]
    later = Mute(subject="10.0.9.9", until="2027-04-01", reason="x")
    assert at([*mutes, later], END) == ["[INFO] 200 mutes have ended in 111122223333 eu-west-1"]
    (alert, _) = EndedMutes([*mutes, later]).alerts(END + DAY, "111122223333", "eu-west-1")
    text = alert.notification(Claim(state=ClaimState.CLAIMED)).text
    assert text.count('"until":"2027-03-31"') == LISTED
    assert f"and {200 - LISTED} more" in text


def test_a_container_does_not_repeat_what_was_reported() -> None:
    """Each claim of it would take time from the pages, in each batch for days."""
    key = EndedMutes([MUTE]).alerts(END, "111122223333", "eu-west-1")[0].key
    for delivery in (DeliveryReport(sent=(key,)), DeliveryReport(known=(key,))):
        ended = EndedMutes([MUTE])
        ended.note(DeliveryReport(unsent=("x",)))
        assert ended.alerts(END, "111122223333", "eu-west-1")
        ended.note(delivery)
        assert ended.alerts(END, "111122223333", "eu-west-1") == []


def test_repeats_of_the_report_are_suppressed_for_longer_than_it_is_made() -> None:
    """So it is sent once; claims are stored for 7 days."""
    assert REPORTED_SECONDS < QUIET_SECONDS < 7 * DAY


def test_the_report_names_the_mute_as_it_is_written() -> None:
    """So that it can be found in the policy; different mutes are different incidents."""
    other = Mute(subject="10.0.1.5", until="2027-03-31", reason="a\nb")
    (first,) = EndedMutes([MUTE]).alerts(END, "111122223333", "eu-west-1")
    (second,) = EndedMutes([other]).alerts(END, "111122223333", "eu-west-1")
    assert first.key != second.key
    assert (first.route, first.quiet) == (Route.OPERATIONS, QUIET_SECONDS)
    sent = second.notification(Claim(state=ClaimState.CLAIMED))
    assert '{"subject":"10.0.1.5","until":"2027-03-31","reason":"a\\nb"}' in sent.text
    assert sent.document["mutes"] == [{"subject": "10.0.1.5", "until": "2027-03-31", "reason": "a b"}]

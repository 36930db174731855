"""Each notification says how many findings of its batch are not sent, and why."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.findings import counted
from flowwarden.monitor.render import rollup
from flowwarden.monitor.render.not_sent import NotSent
from flowwarden.notify.alert import Route
from flowwarden.notify.claims import Claim, ClaimState
from flowwarden.notify.notification import Notification
from flowwarden.policy.policy import Policy
from tests.faults import Faults
from tests.monitor.render.examples import EXAMPLES
from tests.monitor.render.golden import CONTEXT, first_notification
from tests.monitor.scenarios import Account
from tests.monitor.test_inhibited_count import PRIVATE, SSH
from tests.monitor.test_inhibition import process

NEW = Claim(state=ClaimState.CLAIMED)
SOME = NotSent({"scan": 2}, 3, 1, 4)
ROW = (
    "Not sent     10 findings of this batch: 2 explained by scan, 3 muted, 1 about exempt hosts, "
    "4 of report-only detectors"
)
COUNTS = {"inhibited": {"scan": 2}, "muted": 3, "exempt": 1, "report_only": 4}


@pytest.mark.parametrize("detector", list(EXAMPLES))
def test_every_kind_of_notification_has_the_row_and_the_counts(detector: str) -> None:
    """The document has the counts also if all are 0."""
    context = replace(CONTEXT, not_sent=SOME)
    sent = first_notification(EXAMPLES[detector](), "key0", context)
    assert ROW in sent.text.split("\n")
    assert sent.document["not_sent"] == COUNTS
    usual = first_notification(EXAMPLES[detector](), "key0", CONTEXT)
    assert "Not sent" not in usual.text
    assert usual.document["not_sent"] == {"inhibited": {}, "muted": 0, "exempt": 0, "report_only": 0}


def test_a_roll_up_has_them_too() -> None:
    """For the batch."""
    sent = rollup.render(["one."], 1, replace(CONTEXT, not_sent=SOME), Route.PAGES)
    assert ROW in sent.text.split("\n")
    assert sent.document["not_sent"] == COUNTS


def sent_by(policy: Policy) -> list[Notification]:
    """What a batch sends in which a finding about SSH is explained by a graver one."""
    account = Account(policy=policy)
    process(account.container(Faults()), SSH)
    return account.pages.sent


def test_a_page_counts_what_it_explains() -> None:
    """By the detector of the page."""
    (page,) = sent_by(PRIVATE)
    assert page.document["detector"] == "internet-to-private"
    assert "Not sent     1 finding of this batch: 1 explained by internet-to-private" in page.text


def test_each_finding_that_is_kept_back_counts_once() -> None:
    """Also one that only counts others; those that are sent or never page do not count."""
    found = [each() for each in EXAMPLES.values()]
    kept = [
        replace(
            each, silenced=True, inhibited="scan" if at % 3 == 0 else "", muted="known" if at % 3 == 1 else ""
        )
        for at, each in enumerate(found)
    ]
    counts = NotSent.of([*found, *kept])
    assert sum(counts.inhibited.values()) + counts.muted + counts.exempt == counted(kept)
    assert counts.muted == counted(each for each in kept if each.muted)
    assert NotSent.of(found) == NotSent()

"""What detectors do not report while a role is learned is in the report on learning."""

from __future__ import annotations

import pytest

from flowwarden.monitor.baseline.baseline import Edge, bursts_of, guessed_at
from flowwarden.monitor.detectors import BY_NAME
from flowwarden.monitor.review.rows import names_of, rows_of
from flowwarden.monitor.review.summary import Gravity, summary_of
from flowwarden.monitor.traffic import usual_volume
from tests.monitor.review.examples import TODAY, summary

POSTGRES, SSH = Edge("out", 6, 5432, "10.0.3.0/24"), Edge("out", 6, 22, "10.0.3.0/24")
SERVES = Edge("in", 6, 5432, "10.0.1.0/24")

SILENT = {
    "lateral-movement": ((SSH,), Gravity.ADMINISTERS, "SSH (tcp/22), to 10.0.3.0/24: 14 days"),
    "brute-force": ((SSH, bursts_of(SSH)), Gravity.ADMINISTERS, "; bursts of small sessions on 14 days"),
    "brute-force of a database": (
        (POSTGRES, bursts_of(POSTGRES)), Gravity.BURSTS, "PostgreSQL (tcp/5432), to 10.0.3.0/24",
    ),
    "database-egress": ((SERVES, Edge("out", 6, 443, "internet")), Gravity.SENDS, "HTTPS (tcp/443)"),
    "unexpected-egress": ((Edge("out", 6, 443, "internet"),), Gravity.PLAIN, "HTTPS (tcp/443)"),
    "new-egress-port": ((Edge("out", 6, 4444, "internet"),), Gravity.GOES_OUT, "tcp/4444, to the internet"),
    "internet-to-admin-port": ((Edge("in", 6, 5432, "internet"),), Gravity.REACHED, "PostgreSQL (tcp/5432)"),
    "internet-brute-force": (
        (Edge("in", 6, 22, "internet"), guessed_at(22)), Gravity.REACHED, "; passwords guessed on 14 days",
    ),
    "scanner-connected": ((Edge("in", 6, 3389, "internet"),), Gravity.REACHED, "RDP (tcp/3389), from"),
    "egress-denied": ((Edge("refused", 6, 25, "internet"),), Gravity.REFUSED, "SMTP (tcp/25)"),
    "blocked-connection": ((Edge("refused", 6, 22, "10.0.9.0/24"),), Gravity.REFUSED, "SSH (tcp/22), to"),
}  # fmt: skip
"""What each of the detectors looks for that is learned in the first two weeks, and its line."""


@pytest.mark.parametrize("case", SILENT)
def test_what_is_learned_without_a_page_is_in_the_report(case: str) -> None:
    """With its gravity."""
    edges, gravity, text = SILENT[case]
    assert case.split(maxsplit=1)[0] in BY_NAME
    rows = rows_of(summary("r", edges), names_of([]))
    assert [each.gravity for each in rows if text in each.text] == [gravity]


def test_large_uploads_are_in_the_report() -> None:
    """`egress-volume` finds nothing while a role is learned, and a large amount would become usual."""
    texts = [each.text for each in rows_of(summary("r", (), sent=2 * 10**9), names_of([]))]
    assert texts == ["a host sent up to 2.1 GB within an hour and 8.6 GB within a day to the internet"]
    small = rows_of(summary("r", (), sent=10**8), names_of([]))
    assert [each.gravity for each in small] == [Gravity.PLAIN]


def test_the_use_of_a_database_is_not_in_the_report() -> None:
    """Without bursts: it is the purpose of most applications."""
    assert rows_of(summary("r", (POSTGRES,)), names_of([])) == []


def test_contacts_with_the_plain_internet_come_last_but_one() -> None:
    """Web, DNS and NTP, unless the role serves a database."""
    edges = (
        Edge("out", 6, 443, "internet"),
        Edge("out", 17, 53, "internet"),
        Edge("refused", 6, 25, "internet"),
    )
    assert [each.gravity for each in rows_of(summary("r", edges), names_of([]))] == [
        Gravity.PLAIN, Gravity.PLAIN, Gravity.REFUSED,
    ]  # fmt: skip
    serving = rows_of(summary("r", (*edges, SERVES)), names_of([]))
    assert [each.gravity for each in serving] == [Gravity.SENDS, Gravity.PLAIN, Gravity.REFUSED]


def test_days_are_those_of_the_edge() -> None:
    """Not of the role."""
    few, many = summary("r", (SSH,), days=3), summary("r", (SSH,), days=14)
    assert (few.lines[0].days, many.lines[0].days) == (3, 14)
    assert (few.learning, many.learning) == (True, False)


def test_a_damaged_amount_is_bounded() -> None:
    """The stored exponent of a power of two can have 12 bits."""
    key = usual_volume.key_of("r", TODAY - 1)
    (row,) = rows_of(summary_of("r", TODAY, {key: {"sizes": frozenset({4095})}}), names_of([]))
    assert "GB within an hour" in row.text

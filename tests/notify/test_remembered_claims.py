"""Claims that a container remembers: exactly the calls are spared that would change nothing."""

from __future__ import annotations

from msgspec.structs import replace

from flowwarden.notify.claims import ClaimKey, ClaimState, ClaimTerms, Owner
from flowwarden.notify.evidence import MAX_SUPPRESSED, SPARED, Evidence
from flowwarden.notify.remembered_claims import MOST_REMEMBERED, RememberedClaims
from tests.notify.fakes import MemoryClaims

HOUR = 3600
TERMS = ClaimTerms(suppression=4 * HOUR, lease=50)
SPAN = TERMS.suppression // SPARED
KEY = ClaimKey("sink", "incident")
NOW = 1_764_000_000
SHOWN = Evidence(gravity=1, amount=10)


class Incident:
    """An incident that was sent, and whose repeats one container claims."""

    def __init__(self) -> None:
        self.table = MemoryClaims(TERMS)
        self.claims = RememberedClaims(self.table, TERMS.suppression)
        self.now = NOW
        self.count = 0
        self.claims.claim(KEY, self.owner, NOW, evidence=SHOWN)
        self.claims.confirm(KEY, self.owner, NOW, evidence=SHOWN)

    @property
    def owner(self) -> Owner:
        """Another batch each time."""
        self.count += self.table.calls > 1
        return Owner(f"batch-{self.count}", "attempt")

    def repeat(self, evidence: Evidence | None = SHOWN, *, after: int = 60) -> ClaimState:
        """A repeat so many seconds after the last one."""
        self.now += after
        return self.claims.claim(KEY, self.owner, self.now, evidence=evidence).state

    def calls(self, evidence: Evidence | None = SHOWN, *, after: int = 60) -> int:
        """The calls of a repeat."""
        before = self.table.calls
        assert self.repeat(evidence, after=after) is ClaimState.SUPPRESSED
        return self.table.calls - before


def lasting() -> Incident:
    """An incident of which the table counts no further repeats, as the container knows."""
    incident = Incident()
    assert [incident.calls() for _ in range(MAX_SUPPRESSED + 1)] == [1] * (MAX_SUPPRESSED + 1)
    return incident


def test_further_repeats_cost_a_call_only_after_a_part_of_the_window() -> None:
    """The next call extends the suppression, as it would without the memory."""
    incident = lasting()
    assert [incident.calls(after=600) for _ in range(SPAN // 600)] == [0] * (SPAN // 600 - 1) + [1]


def test_evidence_that_grew_is_claimed_at_once() -> None:
    """Graver or more than any repeat that was suppressed, or about others."""
    for more in (replace(SHOWN, amount=11), replace(SHOWN, members=("a",)), replace(SHOWN, asks=(("b",),))):
        incident = lasting()
        before = incident.table.calls
        incident.repeat(more)
        assert incident.table.calls == before + 1
    assert lasting().repeat(replace(SHOWN, gravity=2)) is ClaimState.CLAIMED
    assert lasting().repeat(replace(SHOWN, amount=100)) is ClaimState.CLAIMED


def test_the_highest_amount_that_was_suppressed_counts() -> None:
    """Amounts vary from batch to batch."""
    incident = lasting()
    assert incident.calls(replace(SHOWN, amount=12)) == 1
    assert incident.calls(replace(SHOWN, amount=11)) == 0
    assert incident.calls(replace(SHOWN, amount=12), after=SPAN) == 1
    assert incident.calls(SHOWN) == incident.calls(replace(SHOWN, amount=12)) == 0


def test_an_incident_that_pauses_for_the_window_is_sent_again() -> None:
    """The memory is shorter than the window."""
    incident = lasting()
    incident.calls()
    assert incident.repeat(after=TERMS.suppression + SPAN) is ClaimState.CLAIMED


def test_without_evidence_each_repeat_is_claimed() -> None:
    """Its window is not extended, so it may end within the memory."""
    incident = lasting()
    before = incident.table.calls
    incident.repeat(None)
    assert incident.table.calls == before + 1


def test_the_memory_is_bounded() -> None:
    """An incident that is forgotten costs its call again."""
    incident = lasting()
    for number in range(MOST_REMEMBERED):
        other = ClaimKey("sink", f"other-{number}")
        incident.table.items[other] = incident.table.items[KEY]
        incident.claims.claim(other, incident.owner, incident.now, evidence=SHOWN)
    assert incident.calls() == 1

"""database-egress and unexpected-egress over days: served databases and outbound connections."""

from __future__ import annotations

from flowwarden.monitor.triage import triage
from tests.flows import flow
from tests.monitor.batches import of_traffic
from tests.monitor.weeks import CLIENT, DAY, IN, OUT, POLICY, TODAY, got, learned, look, paged


def test_a_database_is_recognized_by_what_its_role_serves() -> None:
    """It answered for three weeks; now it initiates."""
    served = [
        flow("10.0.7.7:41000", f"{CLIENT}:5432", tcp_flags=2, flow_direction=IN),
        flow(f"{CLIENT}:5432", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
    ]
    evidence = learned(*served)
    findings = look(got("203.0.113.9", 443), evidence)
    assert {found.detector for found in findings} == {"database-egress", "unexpected-egress"}
    (reported,) = of_traffic(triage(findings, POLICY).remaining)
    assert (reported.detector, reported.subject) == ("database-egress", CLIENT)
    assert paged(got("203.0.113.9", 443), learned()) == []


def test_a_learning_database_is_found_at_unneeded_services() -> None:
    """Recognition takes two days; connections on these days are usual."""
    served = [
        flow("10.0.7.7:41000", f"{CLIENT}:5432", tcp_flags=2, flow_direction=IN),
        flow(f"{CLIENT}:5432", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
    ]
    for strange in got("10.0.9.1", 22), got("203.0.113.9", 4444):
        (found,) = look(strange, learned(*served, days=2))
        assert (found.detector, found.subject) == ("database-egress", CLIENT)
        assert look(strange, learned(*served, days=1)) == []
        assert look(strange, learned(days=2)) == [], "serves no database"
        assert look(strange, learned(*served, *strange, days=2)) == []
    assert look(got("203.0.113.9", 443), learned(*served, days=2)) == []


def test_egress_of_a_listening_role_is_reported_until_it_is_usual() -> None:
    """For three weeks it only answered on a port that is not a database port."""
    served = [
        flow("10.0.7.7:41000", f"{CLIENT}:8080", tcp_flags=2, flow_direction=IN),
        flow(f"{CLIENT}:8080", "10.0.7.7:41000", tcp_flags=18, flow_direction=OUT),
    ]
    evidence = learned(*served)
    (found,) = look(got("203.0.113.9", 443), evidence)
    assert (found.detector, found.subject) == ("unexpected-egress", CLIENT)
    goes_out = learned(*served, *got("203.0.113.9", 80))
    assert paged(got("203.0.113.9", 443), goes_out) == []
    later = [
        bool(look(got("203.0.113.9", 443, at), evidence, at))
        for at in range(TODAY + DAY + 3600, TODAY + 4 * DAY, DAY)
    ]
    assert later == [True, False, False], "reported on two days, then usual"

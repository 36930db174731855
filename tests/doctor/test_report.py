"""The report as text and as JSON."""

from __future__ import annotations

from flowwarden.doctor.report import as_document, as_text, examine
from tests.doctor.sound import GROUP, PLACE, changed, instead, sound


def test_the_text_begins_with_what_failed_and_groups_what_is_in_order() -> None:
    """Failed before unknown and warnings; one line for each check without a problem."""
    facts = changed("topics", "operations", pending=1)(sound())
    facts = instead("queues", "events", 2)(facts)
    lines = as_text(examine(facts), PLACE).split("\n")
    assert lines[0] == "Stack flow-warden, account 111122223333, region eu-west-1, 2026-11-02 09:30:00 UTC"
    assert lines[2].startswith("failed   queues: events: the failure queue has 2 messages")
    assert lines[3].startswith("         fix: correct the cause")
    assert lines[4].startswith("warning  topics: operations: subscriptions of the topic wait")
    assert lines[-1].startswith("1 failed, 0 unknown, 1 warning, ")
    assert [each for each in lines if each.startswith("ok")] == sorted(
        {each for each in lines if each.startswith("ok")}, key=lines.index
    )
    assert "ok       roles: MonitorRole, EnforcerRole, DispatcherRole and 1 more: present" in "\n".join(lines)


def test_the_document_has_every_line_and_the_result() -> None:
    """Also those that the text groups."""
    lines = examine(instead("groups", GROUP, None)(sound()))
    document = as_document(lines, PLACE)
    assert document["sound"] is False
    assert document["counts"] == {"ok": len(lines) - 1, "warning": 0, "failed": 1, "unknown": 0}
    found = document["lines"]
    assert isinstance(found, list)
    (failed,) = [each for each in found if each["verdict"] == "failed"]
    assert {name: failed[name] for name in ("check", "subject", "problem")} == {
        "check": "subscriptions",
        "subject": GROUP,
        "problem": "log-group-missing",
    }

"""The text of the report on learning: gravest first, of bounded size, and nothing in it can be forged."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from flowwarden.monitor.baseline.baseline import Edge
from flowwarden.monitor.baseline.known_roles import KnownRole
from flowwarden.monitor.review.rows import MOST_PEERS, names_of, rows_of
from flowwarden.monitor.review.summary import RoleSummary
from flowwarden.monitor.review.text import MOST_BYTES, Review, as_document, as_text, notification
from flowwarden.network.roles import LONGEST
from flowwarden.notify.notification import Notification
from flowwarden.sinks.sns import MAX_BYTES, SnsSink
from tests.hostile import HOSTILE, is_visible, texts
from tests.monitor.review import golden
from tests.monitor.review.examples import KNOWN, ROLES, WEB_EDGES, known, summary


class Topic:
    """Stores messages."""

    name = "operations"

    def __init__(self) -> None:
        self.messages: list[str] = []

    def publish(self, _subject: str, message: str, _attributes: object) -> None:
        """See the port."""
        self.messages.append(message)


def report(roles: list[RoleSummary], *others: KnownRole) -> Notification:
    """The notification about roles."""
    return notification(Review.of(roles, others, most=MOST_BYTES), "key0", "111122223333", "eu-west-1")


def message(sent: Notification) -> str:
    """What SNS gets."""
    topic = Topic()
    SnsSink(topic).send(sent)
    return topic.messages[0]


def is_whole(text: str) -> bool:
    """Whether a message contains the whole text and the JSON document."""
    return "[truncated" not in text and '"sqs"' in text


def test_the_report_is_the_golden_one() -> None:
    """`make golden` regenerates it."""
    assert golden.FILE.read_text() == golden.report()


def test_the_gravest_roles_and_rows_come_first() -> None:
    """What is reached from outside, administration, unusual ports and large amounts, then the rest."""
    text = str(as_text(Review.of(reversed(ROLES), KNOWN)))
    order = ["tag:Role=web", "Reached", "Administers", "Goes out", "tcp/4444", "HTTPS", "Is refused"]
    assert [*map(text.index, order)] == sorted(map(text.index, order))
    assert text.index("Role tag:Role=web") < text.index("Role tag:Role=db") < text.index("Role asg:idle")


def test_a_role_in_learning_is_marked() -> None:
    """It has been seen on three days."""
    assert "Role asg:idle (3 days since 2025-11-21; still being learned)" in as_text(Review.of(ROLES, KNOWN))


def test_a_network_is_named_by_the_roles_of_its_hosts() -> None:
    """At most two; none if no known role has hosts there."""
    lines = str(as_text(Review.of(ROLES, KNOWN))).splitlines()
    assert any("to 10.0.2.0/24 (tag:Role=cache, tag:Role=db and 1 more):" in line for line in lines)
    assert any("to 10.0.9.0/24:" in line for line in lines)


def test_many_networks_are_one_row() -> None:
    """The line names some of them, the document all."""
    edges = [Edge("out", 6, 22, f"10.0.{number}.0/24") for number in range(50)]
    (row,) = rows_of(summary("r", edges), names_of([]))
    assert row.text.count("/24") == MOST_PEERS
    assert f" and {50 - MOST_PEERS} more: " in row.text
    assert len(row.document["peers"]) == 50


def test_fifty_ordinary_roles_fit() -> None:
    """With all rows, in one message of SNS that is not shortened."""
    roles = [summary(f"tag:Role=service-{number}", WEB_EDGES[:6]) for number in range(50)]
    sent = report(roles, *(known(each.role, "10.0.1.5") for each in roles))
    assert sent.document["rows_left_out"] == 0
    assert len(message(sent)) < MAX_BYTES
    assert is_whole(message(sent))


def test_a_report_of_any_size_fits_and_says_what_is_left_out() -> None:
    """Long names, thousands of ports; the gravest rows of all roles stay."""
    ports = [Edge("out", 6, port, "internet") for port in range(1000, 1400)]
    names = [f"{number:02}{'é' * (LONGEST - 2)}" for number in range(64)]
    roles = [summary(name, [*ports, Edge("in", 6, 22, "internet")], days=3) for name in names]
    sent = report(roles, *(known(name, *(f"10.{each}.1.1" for each in range(9))) for name in names))
    assert len(message(sent).encode()) < MAX_BYTES
    assert is_whole(message(sent))
    listed = sent.text.count("SSH (tcp/22), from the internet")
    assert listed + sent.document["roles_left_out"] == 64
    assert listed > 32
    assert sent.document["rows_left_out"] == 64 * 401 - sent.text.count(": 3 days since ")
    assert f"Left out     {sent.document['rows_left_out']:,} rows" in sent.text
    assert "flowwarden baseline show" in sent.text


@pytest.mark.parametrize("count", [1, 20, 50, 64])
@pytest.mark.parametrize("networks", [1, 9])
def test_a_report_is_never_shortened_by_the_sink(count: int, networks: int) -> None:
    """Whatever the share of headings and rows. A shortened message would have no JSON document."""
    for edges in WEB_EDGES[:1], WEB_EDGES:
        roles = [summary(f'tag:"Role"={number}{"x" * 80}', edges) for number in range(count)]
        addresses = [f"2001:db8:{number:x}:1234::1" for number in range(networks)]
        sent = report(roles, *(known(each.role, *addresses) for each in roles))
        assert is_whole(message(sent))


def test_the_whole_list_has_everything() -> None:
    """As the command prints it."""
    ports = [Edge("out", 6, port, "internet") for port in range(1000, 1400)]
    review = Review.of([summary(f"r{number}", ports) for number in range(64)], [])
    assert review.left_out == 0
    assert sum(len(each["rows"]) for each in as_document(review)) == 64 * 400


def test_a_role_without_rows_is_listed_by_the_command() -> None:
    """It does nothing that is shown."""
    assert "Nothing to list" in as_text(Review.of([summary("r", [Edge("out", 6, 8080, "10.0.1.0/24")])], []))


def test_a_role_cannot_forge_a_line() -> None:
    """Its name is a tag, which the owner of a host chooses."""
    made = summary("r")
    harmless = report([made], known("r", "10.0.2.1"))
    for text in (HOSTILE, *dict.fromkeys(HOSTILE)):
        name = f"r{text}"
        sent = report([replace(made, role=name)], known(name, "10.0.2.1"))
        assert sent.text.count("\n") == harmless.text.count("\n")
        assert is_visible(sent.text)
        assert all(is_visible(each) for each in texts(sent.document))
        assert sent.subject.isprintable()
        assert all(each.isprintable() for each in sent.attributes.values())


def test_a_row_says_when_the_last_connection_was_if_that_is_days_ago() -> None:
    """The others have no such date."""
    old, new = summary("r", [Edge("in", 6, 22, "internet")], days=10), summary("r", WEB_EDGES, days=4)
    merged = replace(new, lines=(*(replace(each, last=each.last - 6) for each in old.lines), *new.lines[1:]))
    texts_of = [row.text for row in rows_of(merged, names_of([]))]
    assert texts_of[0].endswith("since 2025-11-14, last 2025-11-17")
    assert sum(", last " in each for each in texts_of) == 1

"""A mark holds a service, and the hash of its server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.state.marks import mark, read_mark, server_hash


@given(st.ip_addresses().map(str), st.integers(0, 255), st.integers(0, 65_535))
def test_what_is_read_of_a_mark_is_what_was_marked(server: str, protocol: int, port: int) -> None:
    """For every service."""
    assert read_mark(mark(server, protocol, port)) == (server_hash(server), protocol, port)


def test_other_servers_and_services_have_other_marks() -> None:
    """A port, a protocol, an address."""
    marks = {
        mark("10.0.0.1", 6, 22), mark("10.0.0.1", 6, 23), mark("10.0.0.1", 17, 22), mark("10.0.0.2", 6, 22),
    }  # fmt: skip
    assert len(marks) == 4

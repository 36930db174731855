"""A mark contains a service and the hash of its server."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flowwarden.state.marks import mark, read_mark, server_hash


@given(st.ip_addresses().map(str), st.integers(0, 255), st.integers(0, 65_535))
def test_reading_a_mark_returns_its_parts(server: str, protocol: int, port: int) -> None:
    """For every service."""
    assert read_mark(mark(server, protocol, port)) == (server_hash(server), protocol, port)


def test_different_servers_and_services_have_different_marks() -> None:
    """They differ in port, protocol or address."""
    marks = {
        mark("10.0.0.1", 6, 22), mark("10.0.0.1", 6, 23), mark("10.0.0.1", 17, 22), mark("10.0.0.2", 6, 22),
    }  # fmt: skip
    assert len(marks) == 4

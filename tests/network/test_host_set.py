"""Sets of hosts in the policy."""

from flowwarden.network.host_set import host_set


def test_a_host_matches_by_id_address_or_cidr() -> None:
    """Any of the three is sufficient."""
    here = host_set(("subnet-1", "10.0.2.0/24", "fd00::5"))
    assert here.hold(None, "subnet-1")
    assert here.hold("10.0.2.7")
    assert here.hold("fd00::5")


def test_other_hosts_do_not_match() -> None:
    """Adjacent addresses, other ids, and no values at all."""
    here = host_set(("subnet-1", "10.0.2.0/24"))
    assert not here.hold("10.0.3.7", "subnet-2", None)
    assert not here.hold(None, None)
    assert not host_set(()).hold("10.0.2.7", "subnet-1")

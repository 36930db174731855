"""Places named by the policy."""

from flowwarden.network.host_set import host_set


def test_a_place_is_found_by_id_address_or_cidr() -> None:
    """Any of the three is enough."""
    here = host_set(("subnet-1", "10.0.2.0/24", "fd00::5"))
    assert here.hold(None, "subnet-1")
    assert here.hold("10.0.2.7")
    assert here.hold("fd00::5")


def test_what_is_not_named_is_not_found() -> None:
    """Neighbours, other ids, and nothing at all."""
    here = host_set(("subnet-1", "10.0.2.0/24"))
    assert not here.hold("10.0.3.7", "subnet-2", None)
    assert not here.hold(None, None)
    assert not host_set(()).hold("10.0.2.7", "subnet-1")

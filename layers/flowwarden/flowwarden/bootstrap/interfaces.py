"""The network interfaces of an account, for `flowwarden interfaces export`."""

from __future__ import annotations

from flowwarden.aws.clients import make_client
from flowwarden.aws.ec2.interfaces import DescribedInterfaces
from flowwarden.aws.identity import identity
from flowwarden.replay.interface_file import InterfaceFile


def exported(region: str | None) -> InterfaceFile:
    """The interfaces of the caller's account in a Region; None for that of the environment or the profile.

    Raises:
        SettingsError: there is no Region, or the credentials are not valid.
        InterfacesUnavailable: EC2 refused a call.
    """
    caller = identity(region)
    described = DescribedInterfaces(lambda: make_client("ec2", caller.region))
    return InterfaceFile(account=caller.account_id, region=caller.region, interfaces=tuple(described.every()))

"""`flowwarden interfaces export`: the file that `flowwarden replay --interfaces` reads."""

from __future__ import annotations

from moto import mock_aws
from msgspec.structs import replace

from flowwarden.bootstrap.interfaces import exported
from flowwarden.errors import InterfacesUnavailable
from flowwarden.network.interface import NetworkInterface
from flowwarden.replay.interface_file import InterfaceFile, decoded
from flowwarden_cli.commands import interfaces
from tests.cli.fakes_console import Ended, flowwarden

HOST = NetworkInterface(interface_id="eni-1", addresses=("10.0.0.5",), tags={"Role": "w\x1beb"})
FILE = InterfaceFile(account="111122223333", region="eu-west-1", interfaces=(HOST,))


def export(file: InterfaceFile | Exception) -> Ended:
    """Run the command on an account with these interfaces."""

    def read(_region: str | None) -> InterfaceFile:
        if isinstance(file, Exception):
            raise file
        return file

    command = replace(interfaces.COMMAND, run=lambda options, at: interfaces.run(options, at, read))
    return flowwarden(["interfaces", "export", "--region", "eu-west-1"], commands=[command])


def test_the_file_contains_the_interfaces() -> None:
    """A tag with control characters does not reach the terminal, and is the same when it is read."""
    ended = export(FILE)
    assert decoded("file", ended.stdout) == FILE
    assert "\x1b" not in ended.stdout
    assert ended.code == 0


def test_a_refused_call_is_an_error() -> None:
    """Nothing is printed that could be mistaken for a file."""
    ended = export(InterfacesUnavailable("DescribeNetworkInterfaces: denied", "denied"))
    assert (ended.code, ended.stdout) == (1, "")
    assert "error: DescribeNetworkInterfaces" in ended.stderr


def test_the_interfaces_of_an_account_are_read() -> None:
    """On moto, in an account without interfaces."""
    with mock_aws():
        file = exported("eu-west-1")
    assert (file.region, file.interfaces) == ("eu-west-1", ())

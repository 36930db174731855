"""A traffic source of a user: one host, one delivery a day, and a scan on the first judged day."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.evaluation.generator.model import BEGIN, DAY, Delivery, Incident, Interface, Network

HOST = "10.9.0.5"


class OneHost:
    """A source whose only host scans once."""

    def __init__(self, network: Network) -> None:
        self.day = 0
        self._network = network
        self.labels: list[Incident] = []

    @property
    def learning(self) -> bool:
        """See the interface."""
        return self.day < self._network.learning_days

    @property
    def over(self) -> bool:
        """See the interface."""
        return self.day >= self._network.days

    def interfaces(self) -> dict[str, Interface]:
        """See the interface."""
        return {
            "eni-1": Interface(
                interface_id="eni-1", account_id="111122223333", vpc_id="vpc-1", subnet_id="subnet-1",
                subnet_cidr="10.9.0.0/24", az_id="use1-az1", instance_id="i-1", interface_type="interface",
                requester_managed=False, private_ipv4=HOST, secondary_ipv4=(), ipv6=(), public_ipv4=None,
                security_groups=("sg-1",), tags=(("Role", "web"),), auto_scaling_group=None, role="web",
                public_subnet=False,
            )
        }  # fmt: skip

    def next_day(self) -> Iterator[Delivery]:
        """See the interface."""
        at, number = BEGIN + self.day * DAY + 3600, self.day
        is_scan = self.day == self._network.learning_days
        if is_scan:
            self.labels.append(Incident("of-my-own", HOST, "eni-1", (), at, at + 50))
        lines = tuple(
            f"2 111122223333 eni-1 {HOST} 10.9.1.{target} 40000 8080 6 3 180 {at} {at + 50} REJECT OK"
            for target in range(1, 60 * is_scan)
        )
        self.day += 1
        yield Delivery(number, at + 300, "/logs", "eni-1-all", "111122223333", lines, "")


make = OneHost

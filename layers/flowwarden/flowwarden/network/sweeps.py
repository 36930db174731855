"""Sweeps: probes of many ports or hosts by one host, in records that do not show who opened a connection."""

from __future__ import annotations

from typing import Final

import numpy as np

from flowwarden.network.services import UNPRIVILEGED
from flowwarden.records.columnar.flow_table import FlowTable
from flowwarden.records.columnar.group_by import Groups, Keys, packed
from flowwarden.records.columnar.tokenizer import Integers, Mask

PORTS: Final = 15
"""Privileged ports of one host: Zeek's threshold for a port scan. Clients of NFS and rsh use some, too."""
HOSTS: Final = 5
"""Hosts with the same port: a server that answers clients on one port answers one of them, or two."""


def ports_of_one_host(flows: FlowTable, ends: Integers, chosen: Mask) -> Mask:
    """Which of the chosen flows are between two hosts of which the first uses many ports of the second."""
    (rows,) = (chosen & (flows["dstport"] >= 0) & (flows["dstport"] < UNPRIVILEGED)).nonzero()
    if len(rows) < PORTS:
        return np.zeros(len(flows), bool)
    pairs = packed([ends[0], ends[1]], [len(flows.texts), len(flows.texts)])
    groups = Groups(pairs[rows])
    if int(groups.sizes.max()) < PORTS:
        return np.zeros(len(flows), bool)
    counted = Groups(packed([groups.numbers, flows["dstport"][rows]], [len(rows), 2**16])).rows
    many = _frequent(pairs[rows], counted, PORTS)
    return chosen & np.isin(pairs, many)


def hosts_of_one_port(flows: FlowTable, ends: Integers, rows: Integers) -> Mask:
    """Which of the flows in these rows are from one port of a host to one port of many others."""
    found = np.zeros(len(flows), bool)
    if len(rows) < HOSTS:
        return found
    texts = len(flows.texts)
    columns = ends[0][rows], flows["srcport"][rows], flows["dstport"][rows]
    groups = Groups(packed(columns, [texts, 2**16, 2**16]))
    if int(groups.sizes.max()) < HOSTS:  # as in most batches
        return found
    counted = Groups(packed([groups.numbers, ends[1][rows]], [len(rows), texts])).rows
    found[rows] = np.isin(groups.numbers, _frequent(groups.numbers, counted, HOSTS))
    return found


def _frequent(keys: Keys, counted: Integers, least: int) -> Keys:
    """The keys that occur in at least so many of the counted positions."""
    values, counts = np.unique(keys[counted], return_counts=True)
    frequent: Keys = values[counts >= least]
    return frequent

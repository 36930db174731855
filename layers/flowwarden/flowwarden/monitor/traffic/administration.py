"""Administration: which internal servers a host administers within a window. Pure.

A member of a domain asks its directory servers for names, tickets and entries, and reads group policy from
them over SMB and RPC. So SMB and RPC to a server that answered the host on two directory services is not
administration. Servers, and the services on which they answered, are numbers in one set, so the union of
batches in any order shows which servers are directory servers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from flowwarden.monitor.baseline.profile import Standing
from flowwarden.monitor.traffic import sessions
from flowwarden.monitor.traffic.contact import Contact, ContactOutcome
from flowwarden.monitor.traffic.excess import ADMINISTERED, SESSIONS
from flowwarden.monitor.traffic.sessions import SERVER_BITS, SmallSessions, server_number, small_sessions
from flowwarden.network.services import (
    ADMIN_PORTS,
    DATABASE_PORTS,
    DIRECTORY_SERVICES,
    FILE_AND_RPC,
    RPC_DYNAMIC,
    TCP,
)
from flowwarden.state.schema import MOST_SERVERS, MOST_SESSIONS, STORED_SESSIONS
from flowwarden.state.sets import Addition, Sets, merged

DIRECTORY_LEAST: Final = 2
"""Directory services on which a directory server answers: other servers, too, answer on DNS or LDAP alone."""

type Directories = Mapping[str, frozenset[int]]
"""The directory services, see `DIRECTORY_SERVICES`, that a role usually uses, by network."""

_ADMINISTERED, _FILE_AND_RPC, _DYNAMIC, _DIRECTORY = 1, 2, 3, 4
"""Kinds of marks of a server: contacted on an administration port other than `FILE_AND_RPC`; contacted on a
port of `FILE_AND_RPC`; answered on a dynamic RPC port; answered on a directory service, whose number from
`DIRECTORY_SERVICES` is added."""
_RPC: Final = 135
_NO_DIRECTORIES: Final[Directories] = {}


def administration(
    contact: Contact, directories: Directories = _NO_DIRECTORIES, *, usual: bool
) -> dict[str, set[int]]:
    """What a contact with an internal server adds to the sets of a window.

    Args:
        contact: the contact.
        directories: the directory services that the role usually uses, by network.
        usual: whether the role usually contacts the service, on any host.
    """
    known = usual or contact.standing in {Standing.USUAL, Standing.SUDDEN}
    marks = _marks(contact, directories, known=known)
    sudden = contact.standing is Standing.SUDDEN
    return {ADMINISTERED: marks, SESSIONS: _sessions(contact, known=known and not sudden)}


def counted(sets: Sets, whole: int = 1) -> dict[str, frozenset[int]]:
    """The sets of a window, without numbers beyond `MOST_SERVERS` and `MOST_SESSIONS`.

    Usual administration does not displace other administration, and sessions with one service do not displace
    those with another (`whole`: see `sessions.shared`). The set alone determines which numbers count, so the
    order and partition of batches do not matter.
    """
    found = dict(sets)
    if marks := found.get(ADMINISTERED):
        found[ADMINISTERED] = _lowest_of_each_kind(marks)
    if numbers := found.get(SESSIONS):
        found[SESSIONS] = sessions.shared(numbers, MOST_SESSIONS, whole)
    return found


def bounded(added: Addition, known: Sets, whole: int = 1) -> Addition:
    """The addition to a window, without numbers that do not count or are known.

    A number that counts in the whole window also counts in any part of it, so it is stored whenever it is
    seen. Later numbers displace some stored ones. `STORED_SESSIONS` bounds the stored numbers; only a host
    that contacts thousands of services in a contrived order reaches it.

    Args:
        added: the addition.
        known: the sets of the window, as far as they are known.
        whole: see `counted`.
    """
    if added.sets.keys().isdisjoint((ADMINISTERED, SESSIONS)):
        return added
    kept, together = dict(added.sets), counted(merged(known, added.sets), whole)
    for name in (ADMINISTERED, SESSIONS):
        before = known.get(name, frozenset())
        new = (kept.pop(name, frozenset()) & together.get(name, frozenset())) - before
        if name == SESSIONS:
            new = sessions.with_room(new, before, STORED_SESSIONS)
        if new:
            kept[name] = new
    return Addition(added.key, kept, added.kept_until)


def _lowest_of_each_kind(marks: frozenset[int]) -> frozenset[int]:
    """At most `MOST_SERVERS` marks of each kind: those with the lowest server numbers, which are hashes.

    So the marks that are kept are, as far as possible, of the same servers.
    """
    if len(marks) <= MOST_SERVERS:
        return marks
    by_kind: defaultdict[int, list[int]] = defaultdict(list)
    for mark in sorted(marks):
        by_kind[mark >> SERVER_BITS].append(mark)
    return frozenset(mark for of_kind in by_kind.values() for mark in of_kind[:MOST_SERVERS])


def _sessions(contact: Contact, *, known: bool) -> set[int]:
    """The numbers of sessions to store; none for usual administration with large sessions only."""
    is_watched = contact.port in ADMIN_PORTS or (contact.port in DATABASE_PORTS and not known)
    sizes = _sizes(contact) if is_watched and contact.protocol == TCP else frozenset()
    if known and all(size == sessions.LARGE for _, size in sizes):
        return set()
    return sessions.numbers(contact.server, contact.protocol, contact.port, sizes, usual=known)


def _sizes(contact: Contact) -> sessions.SizedRecords:
    """The sizes of a contact's connections.

    Of a contact that failed, only large ones: another batch may contain its answer.
    """
    if contact.outcome is ContactOutcome.ANSWERED:
        return contact.sizes or frozenset((port, sessions.UNKNOWN_SIZE) for port in contact.client_ports)
    return frozenset(each for each in contact.sizes if each[1] == sessions.LARGE)


def _marks(contact: Contact, directories: Directories, *, known: bool) -> set[int]:
    """The marks that a contact adds to its server."""
    kinds = []
    if contact.port in ADMIN_PORTS and not known:
        kinds.append(_FILE_AND_RPC if contact.port in FILE_AND_RPC else _ADMINISTERED)
    if contact.port in FILE_AND_RPC:
        kinds += [_DIRECTORY + service for service in directories.get(contact.peer, ())]
    if not contact.failed and contact.port in DIRECTORY_SERVICES:
        kinds.append(_DIRECTORY + DIRECTORY_SERVICES[contact.port])
    if not contact.failed and contact.port >= RPC_DYNAMIC:
        kinds.append(_DYNAMIC)
    return {kind << SERVER_BITS | server_number(contact.server) for kind in kinds}


def administered(sets: Sets) -> frozenset[int]:
    """The numbers of the servers that the host administers within a window, see `server_number`."""
    known = _by_server(sets)
    directory_servers = _directory_servers(known)
    return frozenset(
        server
        for server, kinds in known.items()
        if _ADMINISTERED in kinds or (_FILE_AND_RPC in kinds and server not in directory_servers)
    )


def guesses(sets: Sets) -> list[SmallSessions]:
    """The sessions of a window that may be password guesses, by service.

    Those over SMB or RPC with a directory server are usual. Excludes Windows RPC if the server also answered
    on a dynamic port: a refused caller is not directed to one.
    """
    known = _by_server(sets)
    directory_servers = _directory_servers(known)
    served = {server for server, kinds in known.items() if _DYNAMIC in kinds}
    return [
        replace(each, usual=True) if each.port in FILE_AND_RPC and each.server in directory_servers else each
        for each in small_sessions(sets.get(SESSIONS, frozenset()))
        if not (each.port == _RPC and each.server in served)
    ]


def _by_server(sets: Sets) -> dict[int, set[int]]:
    """What is known of each server; ignores numbers without a kind, which an earlier version stored."""
    known: defaultdict[int, set[int]] = defaultdict(set)
    for number in sets.get(ADMINISTERED, frozenset()):
        if kind := number >> SERVER_BITS:
            known[number & ((1 << SERVER_BITS) - 1)].add(kind)
    return known


def _directory_servers(known: Mapping[int, set[int]]) -> set[int]:
    return {
        server
        for server, kinds in known.items()
        if sum(kind >= _DIRECTORY for kind in kinds) >= DIRECTORY_LEAST
    }

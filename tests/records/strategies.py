"""Flow log lines for property tests: valid, nearly valid, and arbitrary ones."""

from __future__ import annotations

from hypothesis import strategies as st

from flowwarden.records.fields import FIELDS, Kind
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT, LogFormat

VALUES: dict[Kind, range | list[str]] = {
    Kind.TEXT: ["123456789012", "064076352821", "unknown", "eni-0a", "vpc-1", "S3", "IPv4"],
    Kind.ENCODED_TEXT: ["web", "a%20b", "%E2%82%AC", "100%", "%FF"],
    Kind.ADDRESS: ["10.0.0.1", "2001:db8::1", "::ffff:1.2.3.4"],
    Kind.PORT: range(65_536),
    Kind.PROTOCOL: range(256),
    Kind.COUNT: range(2**63),
    Kind.FLAGS: ["0", "1", "2", "3", "4", "7", "18", "19", "255"],
    Kind.SECONDS: range(10**14),
    Kind.INTEGER: range(12),
    Kind.ACTION: ["ACCEPT", "REJECT"],
    Kind.STATUS: ["OK", "OK", "OK", "NODATA", "SKIPDATA"],
    Kind.DIRECTION: ["ingress", "egress"],
}
"""Typical values of a kind of field: texts, or numbers."""


def _typical(values: range | list[str]) -> st.SearchStrategy[str]:
    if isinstance(values, range):
        return st.integers(values.start, values.stop - 1).map(str)
    return st.sampled_from(values)


TYPICAL = {kind: _typical(values) for kind, values in VALUES.items()}
TYPICAL[Kind.ADDRESS] |= st.ip_addresses().map(str)
NUMBERS = ["1_000", "+5", "-5", "-0", "0x10", "1e3", "5.0", "05", "00", "256", "65536", "\u0663", "\u00b2"]
LARGE = [
    "99999",
    "9223372036854775807",
    "9223372036854775808",
    "1" * 20,
    "9" * 5000,
    "0" * 30 + "1",
    "0" * 5000,
]
MILLISECONDS = ["1700000000000", "99999999999", "100000000000", "99999999999999", "100000000000000"]
WORDS = ["None", "null", "NULL", "ok", "OK", "GO_AWAY", "NODATA", "SUCCESS", "ACCEPT", "Ingress", "version"]
JSON = ["x", '"', "\\", '","', "[", "]]", "{}", "DATA", "-0", "-0.0", "srcaddr", "#"]
ADDRESSES = [
    "2001:db8:1111:2222:3333:4444:5555:6666",
    "::ffff:255.255.255.255",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.4/8",
    "256.1.1.1",
    "fe80::1%eth0",
    "::",
    ":::",
    "\u0661.2.3.4",
]
LONG = ["a" * 256, "a" * 257, "a" * 3072, "a" * 3073, "a\x7fb", "\x1b[2J", "\u202eabc"]
SIZES = [f"{'ab' * 24}"[:size] for size in (7, 8, 9, 15, 16, 17, 24, 25, 47, 48)]
SURROGATES = ["\ud800", "a%20b\ud800", "%E2%82"]
MARKED = ["\ufeff2", "\ufeff\ufeff", "\ufeff-", "--"]
TRICKY = [
    "-",
    *NUMBERS,
    *LARGE,
    *MILLISECONDS,
    *WORDS,
    *JSON,
    *ADDRESSES,
    *LONG,
    *SIZES,
    *SURROGATES,
    *MARKED,
]
BLANKS = [" ", " ", "  ", "\t", "\u00a0", "\x1c", "\n", "\ufeff", ""]
EDGES = ["", "", " ", "\r\n", "\ufeff", "\ufeff\ufeff", "\ufeff ", " \ufeff"]
GAP_KINDS = (Kind.TEXT, Kind.ENCODED_TEXT, Kind.SECONDS, Kind.STATUS, Kind.INTEGER)


@st.composite
def lines(draw: st.DrawFn, layouts: list[LogFormat]) -> str:
    """A line of one of the layouts, with up to two unusual tokens and possibly unusual whitespace."""
    fields = draw(st.sampled_from(layouts)).fields
    is_gap = draw(st.booleans())
    tokens = [
        "-" if is_gap and field.kind not in GAP_KINDS else draw(TYPICAL[field.kind]) for field in fields
    ]
    for _ in range(draw(st.integers(0, 2))):
        position = draw(st.integers(0, len(fields) - 1))
        tokens[position] = draw(st.sampled_from(TRICKY) | st.text(min_size=1, max_size=8))
    line = " ".join(tokens)
    if draw(st.booleans()):
        line = line.replace(" ", draw(st.sampled_from(BLANKS)), draw(st.integers(1, 2)))
    edges = st.sampled_from(EDGES)
    return draw(edges) + line + draw(edges)


def layouts() -> st.SearchStrategy[LogFormat]:
    """Any layout with the addresses of a flow."""
    others = [field.name for field in FIELDS if field.name not in ("srcaddr", "dstaddr")]
    return (
        st.lists(st.sampled_from([*others, "quite-new"]), unique=True, max_size=30)
        .flatmap(lambda names: st.permutations([*names, "srcaddr", "dstaddr"]))
        .map(lambda names: LogFormat(tuple(names)))
    )


def layout_sets() -> st.SearchStrategy[list[LogFormat]]:
    """The layouts for a reader: one or several, some of the same length."""
    shuffled = st.permutations(DEFAULT_LOG_FORMAT.names).map(lambda names: LogFormat(tuple(names)))
    return st.lists(layouts() | shuffled | st.just(DEFAULT_LOG_FORMAT), min_size=1, max_size=3)

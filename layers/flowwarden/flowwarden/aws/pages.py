"""The pages of an answer, read as hostile input: an answer that never ends is an error.

botocore only notices a token that is equal to the one before. Tokens that take turns, or empty pages with
ever new ones, would hold a function until its timeout.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from botocore.exceptions import PaginationError

from flowwarden.aws.answers import Answer

MOST: Final = 300
"""Pages of a listing of the account: 300,000 resources, or 15,000 log groups."""
FEW: Final = 20
"""Pages of an answer about a few resources, which usually has one."""
_TOKENS: Final = ("NextToken", "nextToken", "Marker", "LastEvaluatedKey")


def bounded[Page](pages: Iterable[Page], most: int = MOST) -> Iterator[Page]:
    """The pages.

    Raises:
        PaginationError: a token occurs twice, or there are more than `most` pages.
    """
    seen = set[str]()
    for number, page in enumerate(pages, 1):
        yield page
        token = next((repr(found) for name in _TOKENS if (found := Answer(page).value(name))), "")
        if token and (token in seen or number >= most):
            raise PaginationError(message=f"the answer does not end: {number} pages, and a token for more")
        seen.add(token)

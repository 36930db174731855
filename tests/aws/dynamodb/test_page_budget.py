"""The budget for pages: DynamoDB (on moto) and the fake of other tests follow the port's protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowwarden.aws.dynamodb.page_budget import DynamoDbPageBudget
from flowwarden.notify.claims import ClaimKey
from flowwarden.notify.page_budget import Page, PageLimits
from flowwarden.notify.ports import PageBudget
from flowwarden.state.schema import PAGE_BUDGET
from flowwarden.state.sets import DAY, HOUR
from flowwarden.unreadable import Unreadable
from tests.aws.dynamodb.damage import DAMAGE, TABLE, damage, dynamodb, empty, items
from tests.examples import examples
from tests.notify.fakes_budget import MemoryPageBudget

pytestmark = pytest.mark.usefixtures("state_table")

MIDNIGHT = 1_764_000_000 // DAY * DAY
NOON = MIDNIGHT + 12 * HOUR
LIMITS = PageLimits(hour=2, day=5, critical_hour=3)

type Make = Callable[[PageLimits], PageBudget]


@pytest.fixture(params=["dynamodb", "memory"])
def make(request: pytest.FixtureRequest) -> Make:
    """Both implementations of the port."""
    empty()
    if request.param == "memory":
        return MemoryPageBudget
    return lambda limits: DynamoDbPageBudget(dynamodb(), TABLE, limits)


def page(name: str, sink: str = "sns:pages", last_sent: int | None = None, *, critical: bool = False) -> Page:
    """The page of an incident."""
    return Page(key=ClaimKey(sink, name), last_sent=last_sent, critical=critical)


def granted(budget: PageBudget, now: int, *pages: Page) -> list[bool]:
    """Which of these pages may be sent."""
    return [budget.take(each, now) is None for each in pages]


def test_an_hour_has_its_number_of_pages(make: Make) -> None:
    """The next one is held, with the limit and its end; the next hour has room again."""
    budget = make(LIMITS)
    assert granted(budget, NOON, page("a"), page("b")) == [True, True]
    limit = budget.take(page("c"), NOON + HOUR - 1)
    assert limit is not None
    assert (limit.most, limit.span, limit.until, limit.critical) == (2, HOUR, NOON + HOUR, False)
    assert granted(budget, NOON + HOUR, page("c")) == [True]


def test_a_day_has_its_number_of_pages(make: Make) -> None:
    """Its limit is named before that of the hour; midnight (UTC) begins another day."""
    budget = make(LIMITS)
    for hour in range(3):
        granted(budget, MIDNIGHT + hour * HOUR, page(f"a{hour}"), page(f"b{hour}"))
    limit = budget.take(page("c"), MIDNIGHT + DAY - 1)
    assert limit is not None
    assert (limit.most, limit.span, limit.until) == (5, DAY, MIDNIGHT + DAY)
    assert granted(budget, MIDNIGHT + DAY, page("c")) == [True]


def test_the_same_notification_counts_once(make: Make) -> None:
    """A retry, another batch or the dispatcher sends it again; the next one of the incident is another."""
    budget = make(LIMITS)
    assert granted(budget, NOON, page("a"), page("b"), page("a"), page("b")) == [True] * 4
    assert granted(budget, NOON, page("a", last_sent=NOON)) == [False]


def test_a_notification_that_is_sent_in_a_later_hour_counts_there_too(make: Make) -> None:
    """Else the pages that an outage holds up would all arrive in one hour. For the day, it counts once."""
    budget = make(LIMITS)
    granted(budget, NOON - 1, page("a"), page("b"))
    assert granted(budget, NOON, page("a"), page("b"), page("c")) == [True, True, False]
    assert granted(budget, NOON + HOUR, page("c"), page("d")) == [True, True]
    assert granted(budget, NOON + 2 * HOUR, page("e"), page("f")) == [True, False], "five for the day"


def test_a_page_that_is_held_is_not_counted(make: Make) -> None:
    """Neither for the hour nor for the day."""
    budget = make(LIMITS)
    for hour in range(2):
        names = (page(f"{hour}{each}") for each in range(9))
        assert granted(budget, NOON + hour * HOUR, *names).count(True) == 2
    assert granted(budget, NOON + 2 * HOUR, page("x")) == [True]


def test_critical_pages_have_their_own_hours(make: Make) -> None:
    """They count neither for the others' hour nor for the day, and are not held by them."""
    budget = make(LIMITS)
    granted(budget, NOON, page("a"), page("b"))
    critical = [page(f"c{each}", critical=True) for each in range(4)]
    assert granted(budget, NOON, *critical) == [True, True, True, False]
    assert granted(budget, NOON, page("d")) == [False]
    limit = budget.take(critical[3], NOON)
    assert limit is not None
    assert (limit.most, limit.span, limit.critical) == (3, HOUR, True)
    later = [page(f"e{each}") for each in range(3)]
    assert granted(budget, NOON + HOUR, *later) == [True, True, False], "the day has three left"


def test_each_sink_has_its_own_budget(make: Make) -> None:
    """A second receiver gets as many."""
    budget = make(LIMITS)
    granted(budget, NOON, page("a"), page("b"))
    assert granted(budget, NOON, page("a", "chat"), page("b", "chat"), page("c", "chat")) == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize("critical", [False, True])
def test_zero_is_no_limit(make: Make, *, critical: bool) -> None:
    """Of an hour, of a day, or of both; then nothing is stored."""
    pages = [page(str(each), critical=critical) for each in range(30)]
    assert all(granted(make(PageLimits()), NOON, *pages))
    assert items() == []
    only_day = granted(make(PageLimits(day=7, critical_hour=7)), NOON, *pages)
    assert only_day.count(True) == 7


def test_a_lower_limit_holds_at_once(make: Make) -> None:
    """Of a new deployment: what was sent under the old one counts."""
    budget = make(PageLimits(hour=9))
    granted(budget, NOON, *(page(str(each)) for each in range(9)))
    lower = make(PageLimits(hour=4)) if items() else MemoryPageBudget(PageLimits(hour=4), budget.counted)  # type: ignore[attr-defined]
    assert granted(lower, NOON, page("x"), page("3")) == [False, True]


def test_the_item_outlives_its_day() -> None:
    """And is deleted soon after."""
    empty()
    DynamoDbPageBudget(dynamodb(), TABLE, LIMITS).take(page("a"), MIDNIGHT + DAY - 1)
    (item,) = items()
    assert int(item["expires_at"]["N"]) == MIDNIGHT + 2 * DAY


def stored(hour: dict[str, Any], day: dict[str, Any] | None = None) -> None:
    """Store the item of the day with these sets."""
    key, sort = PAGE_BUDGET.address("sns:pages", NOON // DAY)
    item = {"pk": {"S": key}, "sk": {"S": sort}, "hour_12": hour}
    dynamodb().put_item(TableName=TABLE, Item=item | ({"of_day": day} if day else {}))


@examples(0.3)
@given(st.sampled_from(sorted(DAMAGE)), st.sampled_from(["hour_12", "of_day", "critical_12", "expires_at"]))
def test_a_damaged_item_stops_no_page_and_is_repaired(kind: str, member: str) -> None:
    """A set counts as empty; afterward, the limit holds again."""
    empty()
    notes = Unreadable()
    budget = DynamoDbPageBudget(dynamodb(), TABLE, PageLimits(hour=4, day=5, critical_hour=4), notes)
    for each in range(4):
        budget.take(page(f"a{each}"), NOON)
        budget.take(page(f"c{each}", critical=True), NOON)
    (item,) = items()
    damage(item, member, kind)
    critical = member == "critical_12"
    first = budget.take(page("x", critical=critical), NOON)
    if member in {"hour_12", "critical_12"}:
        assert first is None
        assert kind in {"dropped", "texts"} or notes.take().count
    after = granted(budget, NOON, *(page(f"y{each}", critical=critical) for each in range(9)))
    assert after.count(True) <= 4


def test_texts_that_are_no_tokens_do_not_count_and_are_noted() -> None:
    """A full set of them stops no page, and disappears; the tokens beside them count."""
    empty()
    notes = Unreadable()
    budget = DynamoDbPageBudget(dynamodb(), TABLE, LIMITS, notes)
    stored({"SS": ["x" * 12, "y", page("a").token]})
    assert granted(budget, NOON, page("b"), page("c")) == [True, False]
    assert notes.take().named == (
        f"page-budget#sns:pages#{NOON // DAY}: hour_12 contains texts that are never stored",
    )
    (item,) = items()
    assert sorted(item["hour_12"]["SS"]) == sorted([page("a").token, page("b").token])


def test_a_counter_as_a_number_counts_as_empty() -> None:
    """As another version might store it; the set of the day beside it keeps its pages."""
    empty()
    budget = DynamoDbPageBudget(dynamodb(), TABLE, LIMITS)
    stored({"N": "99"}, {"SS": [page(str(each)).token for each in range(4)]})
    assert granted(budget, NOON, page("a"), page("b")) == [True, False]

"""What somebody works on: what awaits them, and everything pending with that first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hitl_approval.domain.approval import Status
from hitl_approval.domain.cursor import decode_cursor, encode_cursor
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.ports.records import Page
from hitl_approval.usecases.decide import SEARCH_PAGE, SEARCHED, DecisionService, finds

EXPORTED = 5_000
"""Records of one export: read in about two seconds, well inside one invocation's time."""
_NEWEST = "n"
_Item = Mapping[str, Any]
_Place = tuple[bool, str, str]


@dataclass(frozen=True, slots=True)
class Worklist:
    """One page of a list.

    Attributes:
        items: of it.
        cursor: of the next page; None after the last.
        total: how many the whole list has; None where that is not known.
        by_urgency: whether what awaits this person comes first, and what expires first.
    """

    items: Sequence[_Item]
    cursor: str | None
    total: int | None = None
    by_urgency: bool = False


@dataclass(frozen=True, slots=True)
class Awaiting:
    """What awaits somebody, up to `SEARCHED` requests; what expires first comes first.

    Attributes:
        items: the requests.
        complete: whether these are all.
    """

    items: Sequence[_Item]
    complete: bool

    @property
    def ids(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(item["approval_id"] for item in self.items)


def awaiting(service: DecisionService, name: str) -> Awaiting:
    """What awaits this person; nothing where the deployment keeps no inbox."""
    if service.inbox is None:
        return Awaiting((), complete=True)
    items, complete = _read(
        lambda cursor: service.awaiting(name, limit=SEARCH_PAGE, cursor=cursor), SEARCHED
    )
    return Awaiting(items, complete)


def mine(
    service: DecisionService, name: str, *, limit: int, cursor: str | None, search: str | None
) -> Worklist:
    """One page of what awaits this person, however many there are.

    Raises:
        InvalidRequest: this deployment keeps no inbox, or the cursor is none of this list.
    """
    if search is None:
        page = service.awaiting(name, limit=limit, cursor=cursor)
        return Worklist(page.items, page.cursor)
    found: list[_Item] = []
    for _ in range(SEARCHED // SEARCH_PAGE):
        page = service.awaiting(name, limit=SEARCH_PAGE, cursor=cursor)
        for item in page.items:
            if finds(search, item):
                found.append(item)
            if len(found) == limit:
                return Worklist(found, encode_cursor(item["expires_at"], item["approval_id"]))
        cursor = page.cursor
        if cursor is None:
            break
    return Worklist(found, cursor)


def pending(
    service: DecisionService,
    to_answer: Awaiting,
    *,
    limit: int,
    cursor: str | None,
    search: str | None,
) -> Worklist:
    """One page of everything pending: what awaits this person first, then what expires first.

    Where more than `SEARCHED` requests are pending, the newest come first instead: to sort them all
    would take reading them all, for each page.

    Args:
        service: of the deployment.
        to_answer: what awaits this person.
        limit: how many at most.
        cursor: where the page before ended.
        search: see `DecisionService.list_by_status`.

    Raises:
        InvalidRequest: the cursor is none of this list, or of one that has grown too long since.
    """
    status: Status = "pending"
    if cursor is None or not cursor.startswith(_NEWEST):
        everything, complete = _read(
            lambda after: service.list_by_status(status, limit=SEARCH_PAGE, cursor=after), SEARCHED
        )
        if complete:
            return _by_urgency(everything, to_answer.ids, limit, cursor, search)
        if cursor is not None:
            raise InvalidRequest("cursor", "is of a list that has grown since: open the list again")
    after = cursor[1:] if cursor else None
    page = service.list_by_status(status, limit=limit, cursor=after, search=search)
    return Worklist(page.items, f"{_NEWEST}{page.cursor}" if page.cursor else None)


def export(
    service: DecisionService, status: Status, *, search: str | None = None
) -> tuple[Sequence[_Item], bool]:
    """The approvals of a status, newest first, up to `EXPORTED`; and whether these are all."""
    items, complete = _read(
        lambda after: service.list_by_status(status, limit=SEARCH_PAGE, cursor=after), EXPORTED
    )
    return [item for item in items if finds(search, item)], complete


def _by_urgency(
    everything: Sequence[_Item],
    first: frozenset[str],
    limit: int,
    cursor: str | None,
    search: str | None,
) -> Worklist:
    def place(item: _Item) -> _Place:
        return item["approval_id"] not in first, item["expires_at"], item["approval_id"]

    after = _decoded(cursor) if cursor is not None else None
    found = sorted((item for item in everything if finds(search, item)), key=place)
    left = [item for item in found if after is None or place(item) > after]
    following = _encoded(place(left[limit - 1])) if len(left) > limit else None
    return Worklist(left[:limit], following, total=len(found), by_urgency=True)


def _encoded(place: _Place) -> str:
    return f"{int(place[0])}{encode_cursor(*place[1:])}"


def _decoded(cursor: str) -> _Place:
    if cursor[:1] not in {"0", "1"}:
        raise InvalidRequest("cursor", "is not one that a list gave")
    return (cursor[0] == "1", *decode_cursor(cursor[1:]))


def _read(page_after: Callable[[str | None], Page], most: int) -> tuple[list[_Item], bool]:
    """The items of all pages up to so many, and whether there are no more."""
    items: list[_Item] = []
    for page in _pages(page_after):
        items += page.items
        if len(items) >= most:
            return items[:most], page.cursor is None and len(items) == most
    return items, True


def _pages(page_after: Callable[[str | None], Page]) -> Iterator[Page]:
    page = page_after(None)
    yield page
    while page.cursor is not None:
        page = page_after(page.cursor)
        yield page

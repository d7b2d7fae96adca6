"""The threat: something else runs than what was approved."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval.domain.approval import digest_context
from hitl_approval.domain.binding import NotAsApproved, differences
from tests.anything import any_approval, any_request

from .test_files import a_file

CONTEXT = {"amount": 70, "to": {"iban": "DE02", "name": "Zo\u00eb"}, "lines": [1, 2.5, None]}


def problems(payload: Any, **fields: Any) -> list[str]:
    approval = any_approval(request=any_request(context=CONTEXT))
    return differences(digest_context(approval), (), payload=payload, **fields)


@pytest.mark.parametrize(
    "payload",
    [
        CONTEXT,
        dict(reversed(CONTEXT.items())),
        CONTEXT | {"amount": 70.0},
        CONTEXT | {"lines": (1.0, 2.5, None)},
    ],
)
def test_should_find_nothing_in_what_json_calls_the_same(payload: Any) -> None:
    assert problems(payload) == []


@pytest.mark.parametrize(
    "payload",
    [
        {},
        CONTEXT | {"amount": 71},
        CONTEXT | {"amount": "70"},
        CONTEXT | {"more": None},
        CONTEXT | {"lines": [2.5, 1, None]},
        CONTEXT | {"to": {"iban": "DE02", "name": "Zoe\u0308"}},
    ],
)
def test_should_say_that_it_is_another_payload(payload: Any) -> None:
    (problem,) = problems(payload)
    assert problem.endswith("is not the context that was approved (734e0c4f55a4)")


@pytest.mark.parametrize("payload", [None, [], "x", {"a": object()}, {"n": 2**53}, {"s": "\ud800"}])
def test_should_say_what_can_never_have_been_approved(payload: Any) -> None:
    (problem,) = problems(payload)
    assert problem.startswith("the payload cannot have been approved: context: ")


def test_should_not_take_an_unknown_context_for_the_right_one() -> None:
    (problem,) = differences("", (), payload={})
    assert problem.startswith("it is not known which context was approved")


def test_should_find_nothing_in_the_same_files() -> None:
    approved = (a_file(), a_file(name="b.sql", size=7))
    assert differences("", approved, files=approved) == []
    assert differences("", approved, files=approved[:1]) == []


def test_should_say_what_differs_of_each_file() -> None:
    approved = (a_file(), a_file(name="b.sql", size=7))
    given = [a_file(sha256="b" * 64), a_file(name="b.sql", size=8), a_file(name="c.sql")]
    other, size, unknown = differences("", approved, files=given)
    assert other == (
        "the file 'plan.tfplan' has other bytes, 1,024 with SHA-256 bbbbbbbbbbbb, than were asked "
        "about, 1,024 with SHA-256 aaaaaaaaaaaa"
    )
    assert size.startswith("the file 'b.sql' has other bytes, 8 with SHA-256 aaaaaaaaaaaa")
    assert unknown == "the request is not about a file 'c.sql', only plan.tfplan, b.sql"
    (problem,) = differences("", (), files=[a_file()])
    assert problem == "the request is not about a file 'plan.tfplan', no file at all"


def test_should_not_let_two_files_change_places() -> None:
    up, down = a_file(name="up.sql"), a_file(name="down.sql", sha256="b" * 64)
    swapped = [a_file(name="down.sql"), a_file(name="up.sql", sha256="b" * 64)]
    assert len(differences("", (up, down), files=swapped)) == 2


def test_should_keep_all_problems_in_the_error() -> None:
    error = NotAsApproved(["one", "two"])
    assert (str(error), error.problems) == ("one; two", ("one", "two"))

"""A request that replaces another: whom it may replace, and that no decision is lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.agreement import altered_end, examine
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.ending import cancel, expire
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.standing import end_in_a_word, end_in_words, how_it_ended
from hitl_approval.domain.superseding import supersede
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_approval, any_opening, any_request, declared

ARN = "arn:aws:lambda:us-east-1:123456789012:function:{}/durable-execution/{}/b"
LATER = NOW + timedelta(minutes=5)


def old(**fields: Any) -> Approval:
    return any_approval(**{"execution_arn": ARN.format("f:1", "old")} | fields)


def new(replaced: Approval, **fields: Any) -> Approval:
    given = {"execution_arn": ARN.format("f:2", "new")} | fields
    return any_approval(
        **{"request": any_request(supersedes=replaced.approval_id), "approval_id": "new"} | given
    )


def test_should_end_as_withdrawn_and_point_to_what_replaces_it() -> None:
    opening = any_opening(execution_arn=ARN.format("f:1", "old"))
    ended = supersede(opening.after, new(opening.after), now=LATER)

    assert (ended.after.status, ended.after.superseded_by) == ("cancelled", "new")
    assert (ended.event.event, ended.event.actor.name) == ("cancelled", "hitl-approval")
    assert ended.event.details == {"comments": "replaced by new", "superseded_by": "new"}
    assert (ended.after.comments, ended.after.decided_at) == ("replaced by new", LATER)
    trail = [opening.event.to_dict(), ended.event.to_dict()]
    assert examine(trail, ended.after) == []
    assert altered_end(ended.after, trail) == []
    elsewhere = replace(ended.after, superseded_by="another")
    assert altered_end(elsewhere, trail) == ["superseded_by"]


def test_should_say_so_to_people() -> None:
    ended = supersede(old(), new(old()), now=LATER).after
    assert how_it_ended(ended) == "Replaced by a new request"
    assert end_in_a_word(ended) == "Replaced"
    assert end_in_words(ended) == "has been replaced by a new request."


def test_should_know_the_requester_by_the_spelling_and_the_function_whatever_its_version() -> None:
    replaced = old(request=any_request(requester="Rita"))
    assert supersede(replaced, new(replaced), now=LATER).after.status == "cancelled"


@pytest.mark.parametrize(
    ("replaced", "rule"),
    [
        (None, "names 'gone', which is no approval"),
        (old(request=any_request(requester="ann")), "names a request of ann, who alone replaces"),
        (
            old(request=any_request(requester="r\u0456ta")),
            "names a request of r\u0456ta, who alone",
        ),
        (old(execution_arn=ARN.format("g:1", "old")), "names a request of another function"),
        (old(execution_arn="arn/1"), "names a request of another function"),
        (old(timeout=timedelta(minutes=1)), r"has ended \(its time to decide is over\): leave it"),
    ],
)
def test_should_refuse_what_it_may_not_replace(replaced: Approval | None, rule: str) -> None:
    named = any_approval(
        request=any_request(supersedes="gone"), execution_arn=ARN.format("f:2", "new")
    )
    with pytest.raises(InvalidRequest, match=f"^supersedes: .*{rule}"):
        supersede(replaced, named, now=LATER)


def ends() -> dict[str, Approval]:
    asked = old()
    found = {
        "approved by bob": cast_vote(asked, declared("bob"), "approved", "", now=LATER),
        "rejected by bob": cast_vote(asked, declared("bob"), "rejected", "no", now=LATER),
        "withdrawn by rita": cancel(asked, declared("rita"), "", now=LATER),
        "timed out: nobody decided in time": expire(asked, now=asked.expires_at),
        "replaced by a new request": supersede(asked, new(asked), now=LATER),
    }
    return {said: ended.after for said, ended in found.items() if ended is not None}


@pytest.mark.parametrize("said", ends())
def test_should_never_replace_what_has_ended(said: str) -> None:
    replaced = ends()[said]
    with pytest.raises(InvalidRequest, match=rf"has ended \({said}\): leave it out to ask anew$"):
        supersede(replaced, new(replaced), now=LATER)
    assert len(ends()) == 5

"""Whatever people answer and change, in any order: no vote covers a content that it did not see."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hitl_approval.domain.agreement import altered_end, examine
from hitl_approval.domain.approval import digest_content
from hitl_approval.domain.errors import ApprovalError
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.values import Values
from hitl_approval.domain.voting import cast_vote
from tests.anything import NOW, any_opening, any_request, declared

PEOPLE = ("ann", "bob", "cid", "dee")
ACTS = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(["approved", "approved", "approved", "rejected"]),
    st.none() | st.integers(99, 102),  # another amount, or the same
    st.sampled_from(["now", "now", "now", "an earlier one", "none"]),
)
SEEN = st.lists(ACTS, max_size=14)


@settings(max_examples=500, deadline=None)  # no time is asserted
@given(SEEN, st.sampled_from([Quorum.any_one(), Quorum.at_least(2), Quorum.everyone()]), st.data())
def test_should_never_count_a_vote_for_what_it_did_not_see(
    acts: list[tuple[Any, ...]], quorum: Quorum, data: st.DataObject
) -> None:
    request = any_request(approvers=PEOPLE, context={"amount": 100}, editable=["amount"])
    opening = any_opening(request=request, policy=Policy(quorum=quorum, rejections_needed=3))
    approval, entries = opening.after, [opening.entry]
    contents = {approval.content_digest: 100}
    stands: dict[str, int] = {}
    """Who has approved, and which amount."""
    for name, decision, amount, saw in acts:
        shown = {
            "now": approval.content_digest,
            "an earlier one": data.draw(st.sampled_from(sorted(contents))),
            "none": None,
        }[saw]
        changes = None if amount is None else {"amount": amount}
        if decision == "rejected":
            changes = None
        try:
            transition = cast_vote(
                approval,
                declared(name),
                decision,
                "",
                now=NOW,
                content_digest=shown,
                values=Values(changes=changes),
            )
        except ApprovalError:
            continue
        if transition is None:
            continue
        before, approval = approval, transition.after
        entries.append(transition.entry)
        stands_for = json.loads(approval.context)["amount"]
        contents[approval.content_digest] = stands_for
        edited = approval.content_digest != before.content_digest
        if edited:
            assert shown == before.content_digest, "changed by who saw it as it stood"
            assert changes == {"amount": stands_for}
            stands = {}
        elif decision == "approved":
            assert shown is None or contents[shown] == stands_for
            assert shown is not None or not approval.changes
        if decision == "approved":
            stands[name] = stands_for

    assert approval.content_digest == digest_content(approval)
    assert {v.approver for v in approval.votes if v.decision == "approved"} == set(stands)
    assert set(stands.values()) <= {json.loads(approval.context)["amount"]}
    if approval.status == "approved":
        assert len(stands) >= quorum.needed(PEOPLE)
    stored = json.loads(json.dumps(entries))
    assert examine(stored, approval) == []
    assert approval.pending or altered_end(approval, stored) == []
    amount_now = json.loads(approval.context)["amount"]
    assert {p: (c.before, c.after) for p, c in approval.changes.items()} == (
        {} if amount_now == 100 else {"amount": (100, amount_now)}
    )

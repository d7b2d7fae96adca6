"""A request comes back from JSON as it was."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_approval.domain.asked import from_json, to_json
from hitl_approval.domain.digest import MAX_WHOLE
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import FIELDS, ApprovalRequest
from hitl_approval.domain.stage import Escalate, Stage
from tests.anything import TRACEPARENT

names = st.sampled_from(["ann", "bob@example.com", "Zoë", "ops"])
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_WHOLE, MAX_WHOLE)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("aé中\n"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3),
    max_leaves=5,
)
whole = st.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "subject": st.sampled_from(["Refund 7", "Ünïcode"]),
    "document_id": st.sampled_from(["doc-1", "7"]),
    "requester": names,
    "approvers": st.lists(names, unique=True).map(tuple),
    "quorum": st.sampled_from([Quorum.any_one(), Quorum.at_least(2), Quorum.everyone()]),
    "stages": st.just((Stage(["ann"]), Stage((), Quorum.of({"ops": 2}), timedelta(hours=1)))),
    "escalation": st.just((Escalate(timedelta(hours=8), ["ops"], "replace"),)),
    "timeout": whole,
    "reminders": st.lists(whole, max_size=3, unique=True).map(sorted).map(tuple),
    "context": st.dictionaries(st.text("abc"), json_values, max_size=3),
    "sensitive": st.just(("card",)),
    "supersedes": st.sampled_from(["approval-1", "0" * 32]),
    "files": st.just((FileDigest(name="plan.tfplan", sha256="0" * 64, size=7),)),
    "form": st.just({"type": "object", "properties": {"reason": {"type": "string"}}}),
    "editable": st.just(("card",)),
    "traceparent": st.just(TRACEPARENT),
}


@st.composite
def requests(draw: st.DrawFn) -> ApprovalRequest:
    said = {
        name: draw(VALUES[name])
        for name, field in FIELDS.items()
        if field.required or draw(st.booleans())
    }
    if "stages" in said:  # which say it themselves
        said = {name: value for name, value in said.items() if name not in {"approvers", "quorum"}}
    if {"sensitive", "editable"} & said.keys():  # each names a field that is there
        said["context"] = {"card": "4111"} | said.get("context", {})
    return ApprovalRequest(**said)


@given(requests())
def test_should_come_back_as_it_was(request: ApprovalRequest) -> None:
    assert from_json(json.loads(json.dumps(to_json(request)))) == request


def test_should_know_every_field() -> None:
    assert VALUES.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", ["subject", "requester"])
def test_should_name_the_field_that_lacks(name: str) -> None:
    values = {"subject": "Refund", "requester": "agent"}
    del values[name]
    with pytest.raises(InvalidRequest, match=f"^{name}: is required$"):
        from_json(values)

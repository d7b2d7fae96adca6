"""What a page shows of files and of a request that replaces another: nothing is approved unseen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from hitl_approval.domain.files import FileDigest
from hitl_approval.domain.slack import asking
from hitl_approval.domain.superseding import supersede
from hitl_approval.http.inbox_page import card
from hitl_approval.testing import World, in_memory
from tests.anything import NOW, any_approval, any_request
from tests.unit.http import by_link, by_sign_in

FILES = [
    FileDigest(name="plan<b>.tfplan", sha256="ab" * 32, size=18_231),
    FileDigest(name="b\u115fql.sql", sha256="cd" * 32, size=1),
]
LONG = {"rows": ["x" * 1_000] * 60}
"""Three parts of a page."""


@pytest.fixture
def world() -> World:
    return in_memory()


def page_of(world: World, **fields: Any) -> str:
    by_link.asked(world, request=any_request(approvers=("ann",), **fields))
    _, page = by_link.call(world, by_link.token_of(world, "ann"))
    return str(page)


@pytest.mark.parametrize("context", [{}, LONG])
def test_should_show_every_file_whole_beside_the_form(world: World, context: Any) -> None:
    page = page_of(world, files=FILES, context=context)
    assert "plan&lt;b&gt;.tfplan, 18,231 bytes" in page
    assert "b\\u115fql.sql, 1 byte" in page
    assert "ab" * 32 in page
    assert "cd" * 32 in page


def test_should_show_what_a_request_replaces(world: World) -> None:
    page = page_of(world, supersedes="approval-0")
    assert re.search(r"<dt>Replaces</dt><dd>\s*<code>approval-0</code>", page)
    assert "Replaces" not in page_of(world)


def replaced(world: World) -> str:
    approval_id = by_sign_in.asked(world, "ann@example.com")
    approval = world.store.approvals[approval_id]
    by = any_approval(
        request=any_request(requester=approval.requester, supersedes=approval_id),
        approval_id="new",
        execution_arn=approval.execution_arn,
    )
    ended = supersede(approval, by, now=world.clock.now())
    world.store.commit(ended)
    return approval_id


def test_should_lead_who_has_signed_in_to_what_replaces_it(world: World) -> None:
    approval_id = replaced(world)
    answer = by_sign_in.call(world, "GET /approvals/{approval_id}", approval_id=approval_id)
    page = answer["body"]
    assert "Replaced by a new request" in page
    assert '<a href="/approvals/new"><code>new</code></a>' in page


def test_should_approve_none_of_it_in_a_list() -> None:
    assert card(any_approval(request=any_request(context={"a": 1}))) is not None
    for fields in ({"files": FILES}, {"supersedes": "approval-0"}):
        assert card(any_approval(request=any_request(context={"a": 1}, **fields))) is None


def test_should_show_files_in_slack_beside_the_button() -> None:
    approval = any_approval(request=any_request(files=FILES, approvers=["ann"]), now=NOW)
    said = str(asking(approval, page=None).blocks)
    assert f"File: plan<b>.tfplan, 18,231 bytes, SHA-256 {'ab' * 32}" in said
    assert "'Approve'" in said

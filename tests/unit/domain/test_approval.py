"""What stands on a record from the beginning."""

from __future__ import annotations

import hashlib

import pytest

from hitl_approval.domain.approval import digest_content
from hitl_approval.domain.request import CONTENT
from tests.anything import any_approval, any_request

DIGEST = hashlib.sha256(
    b'{"approvers":[],"context":{},"policy":{"allow_self_approval":false,"on_timeout":"timeout",'
    b'"quorum":"any_one","quorum_count":1,"rejections_needed":1,'
    b'"require_comment_on_rejection":false,"require_verified_identity":false},'
    b'"requester":"rita","subject":"Q4 Budget Proposal"}'
).hexdigest()
"""Of `any_approval()`."""


@pytest.mark.parametrize("name", CONTENT)
def test_should_digest_every_text_that_is_set(name: str) -> None:
    one, another = (any_approval(request=any_request(**{name: text})) for text in ("one", "two"))
    assert digest_content(one) != digest_content(another)


def test_should_keep_the_digest_that_stands_on_record_when_a_text_is_not_set() -> None:
    assert any_approval().content_digest == DIGEST

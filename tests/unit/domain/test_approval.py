"""What stands on a record from the beginning."""

from __future__ import annotations

import pytest

from hitl_approval.domain.approval import digest_content
from hitl_approval.domain.request import CONTENT
from tests.anything import any_approval, any_request

DIGEST = "3d0e61d23ec796f45267790a4a79dcf4d0ed4fd45bafbfea85f5f7426fc659e3"
"""Of `any_approval()`, as the first version wrote it."""


@pytest.mark.parametrize("name", CONTENT)
def test_should_digest_every_text_that_is_set(name: str) -> None:
    one, another = (any_approval(request=any_request(**{name: text})) for text in ("one", "two"))
    assert digest_content(one) != digest_content(another)


def test_should_keep_the_digest_that_stands_on_record_when_a_text_is_not_set() -> None:
    assert any_approval().content_digest == DIGEST

"""A publish that fails may be tried again; a personal message never reaches everybody."""

from __future__ import annotations

import pytest

from hitl_approval.adapters.sns import SnsNotifier
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.notification import approval_needed
from tests.anything import any_approval
from tests.unit.adapters.failing import LATER, Failing, answered


@pytest.mark.parametrize("error", [*LATER, answered("NotFound", 404)], ids=repr)
def test_should_let_a_failed_publish_be_tried_again(error: Exception) -> None:
    notifier = SnsNotifier(client=Failing(error), topic_arn="arn")
    with pytest.raises(Unavailable):
        notifier.publish(approval_needed(any_approval()))


def test_should_never_publish_a_personal_message_to_everybody() -> None:
    notifier = SnsNotifier(client=Failing(AssertionError("published")), topic_arn="arn")
    message = approval_needed(any_approval(), recipient="ann", link="https://page.example/a/x")
    with pytest.raises(RuntimeError, match="must never reach the topic"):
        notifier.publish(message)

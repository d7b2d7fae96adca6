"""What comes back is noted where it belongs. Threat: who can send through the same account forges
a bounce to hide a request from its approver, or to fill its trail.
"""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

import pytest

from hitl_approval.domain.delivery import Directory
from hitl_approval.domain.errors import Unavailable, UnreadableRecord
from hitl_approval.domain.returned import Returned
from hitl_approval.testing import RecordingNotifier, World, in_memory
from hitl_approval.usecases.returned import ReturnedService
from tests.anything import any_opening, any_request, declared

ANN = "ann@example.com"


@pytest.fixture
def world() -> World:
    return in_memory()


def mailed(world: World, *, refuses: bool = False) -> str:
    """A request that ann was mailed."""
    notifier = RecordingNotifier(unreachable={ANN} if refuses else set())
    delivery = replace(
        world.delivery,
        notifiers={"ses": notifier, "sns": world.notifier},
        directory=Directory(mail=True),
    )
    request = any_request(approvers=(ANN,), requester="rita")
    opening = any_opening(now=world.clock.now(), request=request)
    approval_id = world.store.create(opening).approval_id
    delivery.take(world.store.history(approval_id))
    return approval_id


def service(world: World) -> ReturnedService:
    return ReturnedService(
        store=world.store, clock=world.clock, meter=world.meter, messages=world.messages
    )


def came_back(approval_id: str, receipt: str = "receipt 1", *, arrived: bool = False) -> Returned:
    return Returned(
        approval_id=approval_id, receipt=receipt, reason="there is no such mailbox", arrived=arrived
    )


def test_should_be_on_the_trail_of_the_approval_and_counted(world: World) -> None:
    approval_id = mailed(world)
    assert service(world).note(came_back(approval_id))
    [message] = world.messages.about(approval_id)
    assert (message.state, message.reason) == ("failed", "there is no such mailbox")
    [_, noted] = world.store.history(approval_id)
    assert noted["event"] == "notification_failed"
    assert noted["details"]["reason"] == f"{ANN}: there is no such mailbox"
    assert world.meter.counted == ["NotificationFailed"]


def test_should_be_noted_once_however_often_it_is_said(world: World) -> None:
    approval_id = mailed(world)
    for _ in range(3):
        assert service(world).note(came_back(approval_id))
    assert len(world.store.history(approval_id)) == 2
    assert world.meter.counted == ["NotificationFailed"]


def test_should_stay_sent_where_it_may_have_arrived(world: World) -> None:
    approval_id = mailed(world)
    assert service(world).note(came_back(approval_id, arrived=True))
    [message] = world.messages.about(approval_id)
    assert (message.state, message.noted) == ("sent", True)
    assert len(world.store.history(approval_id)) == 2


@pytest.mark.parametrize("receipt", ["receipt 2", "", "forged"])
def test_should_believe_nothing_that_the_record_does_not_confirm(
    world: World, receipt: str
) -> None:
    approval_id = mailed(world)
    assert not service(world).note(came_back(approval_id, receipt))
    assert not service(world).note(came_back("another"))
    assert len(world.store.history(approval_id)) == 1
    assert world.meter.counted == []
    [message] = world.messages.about(approval_id)
    assert message.state == "sent"


def test_should_come_again_while_the_message_is_at_work(world: World) -> None:
    approval_id = mailed(world, refuses=True)
    with pytest.raises(Unavailable, match="still at work"):
        service(world).note(came_back(approval_id))


def test_should_mark_the_message_though_the_request_has_ended(world: World) -> None:
    approval_id = mailed(world)
    world.decisions.decide(approval_id, declared(ANN), "approved", "fine")
    before = len(world.store.history(approval_id))
    assert service(world).note(came_back(approval_id))
    assert len(world.store.history(approval_id)) == before
    assert world.messages.about(approval_id)[0].state == "failed"


@pytest.mark.parametrize("gone", [True, False])
def test_should_mark_the_message_though_the_row_is_gone(world: World, gone: bool) -> None:
    approval_id = mailed(world)
    if gone:
        del world.store.approvals[approval_id]
        assert service(world).note(came_back(approval_id))
    else:
        damaged = UnreadableRecord(approval_id, "damaged")
        with patch.object(type(world.store), "get", side_effect=damaged):
            assert service(world).note(came_back(approval_id))
    assert world.messages.about(approval_id)[0].state == "failed"


def test_should_be_sent_again_once_it_is_repaired(world: World) -> None:
    approval_id = mailed(world)
    service(world).note(came_back(approval_id))
    [message] = world.messages.about(approval_id)
    world.messages.reopen(message, world.clock.now())
    [again] = world.messages.about(approval_id)
    assert (again.state, again.noted) == ("open", False)

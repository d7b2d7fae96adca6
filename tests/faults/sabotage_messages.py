"""Ways to break the messenger and the publisher, and what they rely on, on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from hitl_approval.adapters.messages import DynamoDbMessages
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.errors import Unavailable
from hitl_approval.domain.message import Message, MessageState, next_reminder, to_same
from hitl_approval.ports.messages import DueMessage, MessageStore
from hitl_approval.usecases import deliver
from hitl_approval.usecases.deliver import DUE_PAGE, DeliveryService
from hitl_approval.usecases.publish import PublishService

Events = Sequence[Mapping[str, Any]]


@contextmanager
def _requests(method: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterator[None]:
    """What one method of the message store asks DynamoDB for is changed on its way."""
    original = getattr(DynamoDbMessages, method)

    class Changed:
        def __init__(self, client: Any) -> None:
            self._client = client

        def __getattr__(self, name: str) -> Any:
            return lambda **request: getattr(self._client, name)(**change(request))

    def changed(self: DynamoDbMessages, *args: Any, **options: Any) -> Any:
        return original(replace(self, client=Changed(self.client)), *args, **options)

    with patch.object(DynamoDbMessages, method, changed):
        yield


def _without(request: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in names}


def _claims_without_a_condition() -> Any:
    return _requests("claim", lambda request: _without(request, "ConditionExpression"))


def _inserts_over_what_is_there() -> Any:
    return _requests("insert", lambda request: _without(request, "ConditionExpression"))


def _claims_and_leaves_it_due() -> Any:
    def same(request: dict[str, Any]) -> dict[str, Any]:
        values = request["ExpressionAttributeValues"]
        return {**request, "ExpressionAttributeValues": {**values, ":until": values[":due"]}}

    return _requests("claim", same)


def _counts_no_attempt_at_the_claim() -> Any:
    def same(request: dict[str, Any]) -> dict[str, Any]:
        values = {**request["ExpressionAttributeValues"], ":one": {"N": "0"}}
        return {**request, "ExpressionAttributeValues": values}

    return _requests("claim", same)


def _marks_unsent_whoever_holds_it() -> Any:
    def anyway(request: dict[str, Any]) -> dict[str, Any]:
        values = _without(request["ExpressionAttributeValues"], ":mine")
        bare = _without(request, "ConditionExpression")
        return {**bare, "ExpressionAttributeValues": values}

    return _requests("mark_unsent", anyway)


def _keeps_the_last_link_only() -> Any:
    def only(request: dict[str, Any]) -> dict[str, Any]:
        return {**request, "UpdateExpression": "SET links = :link"}

    return _requests("add_link", only)


@contextmanager
def _marks_only_what_it_still_holds() -> Iterator[None]:
    def mark_sent(self: DynamoDbMessages, message: Message, at: datetime, _: str = "") -> None:
        self.mark_unsent(replace(message, state="sent", due=None, sent_at=at))

    with patch.object(DynamoDbMessages, "mark_sent", mark_sent):
        yield


@contextmanager
def _marks_before_it_sends() -> Iterator[None]:
    write = DeliveryService._notification

    def marking(self: DeliveryService, message: Message, *args: Any) -> Any:
        self.messages.mark_sent(message, self.clock.now())
        return write(self, message, *args)

    with patch.object(DeliveryService, "_notification", marking):
        yield


class _Held:
    """A store in which one message is claimed already."""

    def __init__(self, messages: MessageStore, held: Message) -> None:
        self._messages, self._held = messages, held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._messages, name)

    def claim(self, _: DueMessage, *, until: datetime) -> Message:
        del until
        return self._held


@contextmanager
def _claims_a_page_at_once() -> Iterator[None]:
    def deliver_due(self: DeliveryService, _: timedelta | None = None) -> dict[str, int]:
        now = self.clock.now()
        for page in self.messages.due(before=now, limit=DUE_PAGE):
            claimed = [(due, self.messages.claim(due, until=now + 2 * MINUTE)) for due in page]
            for due, message in claimed:
                if message is not None:
                    held: Any = _Held(self.messages, message)
                    replace(self, messages=held)._try(due, None)
        return {}

    with patch.object(DeliveryService, "deliver_due", deliver_due):
        yield


MINUTE = timedelta(minutes=1)


@contextmanager
def _finds(change: Callable[[Message | None], Message | None]) -> Iterator[None]:
    """What became of the request to a person is taken for something else."""

    def otherwise(*args: Any) -> list[Message]:
        return [taken for found in to_same(*args) if (taken := change(found)) is not None]

    with patch.object(deliver, "to_same", otherwise):
        yield


def _sends_the_outcome_blindly() -> Any:
    return _finds(lambda found: found and replace(found, state="sent"))


def _sends_no_outcome() -> Any:
    return _finds(lambda _: None)


def _takes_a_request_in_flight_for_none() -> Any:
    def none(found: Message | None) -> Message | None:
        in_flight = found is not None and found.state == "open"
        return None if in_flight else found

    return _finds(none)


def _forgets_tries_without_an_answer() -> Any:
    return _finds(lambda found: found and replace(found, unanswered=0))


@contextmanager
def _answers_a_batch_by_its_sends() -> Iterator[None]:
    take = DeliveryService._take

    def strict(self: DeliveryService, event: Mapping[str, Any], *args: Any) -> None:
        take(self, event, *args)
        about = self.messages.about(str(event.get("approval_id")))
        if any(message.state == "open" and message.recipient for message in about):
            raise Unavailable("not all of them could be sent")

    with patch.object(DeliveryService, "_take", strict):
        yield


@contextmanager
def _takes_everything(service: type, method: str) -> Iterator[None]:
    """The stream goes on, whatever of a batch was not taken."""
    original = getattr(service, method)

    def taken(self: Any, events: Events, *args: Any) -> int:
        original(self, events, *args)
        return len(events)

    with patch.object(service, method, taken):
        yield


def _moves_on_past_what_it_did_not_record() -> Any:
    return _takes_everything(DeliveryService, "take")


def _moves_on_past_what_it_did_not_publish() -> Any:
    return _takes_everything(PublishService, "publish")


@contextmanager
def _waits_for(service: type, method: str) -> Iterator[None]:
    """An event that nobody can take is brought again, for as long as the stream has it."""
    original = getattr(service, method)

    def blocked(self: Any, events: Events, *args: Any) -> int:
        ours = [event.get("approval_id", "newer") != "newer" for event in events]
        first = ours.index(False) if False in ours else len(ours)
        original(self, events[:first], *args)
        return first

    with patch.object(service, method, blocked):
        yield


def _messenger_waits_for_poison() -> Any:
    return _waits_for(DeliveryService, "take")


def _publisher_waits_for_poison() -> Any:
    return _waits_for(PublishService, "publish")


@contextmanager
def _reminds_after_the_end() -> Iterator[None]:
    remind = DeliveryService._remind

    def late(
        self: DeliveryService, reminders: Message, approval: Approval, until: datetime | None
    ) -> MessageState:
        return remind(self, reminders, replace(approval, status="pending", votes=()), until)

    with patch.object(DeliveryService, "_remind", late):
        yield


def _records_no_reminders() -> Any:
    return patch.object(deliver, "reminders_of", lambda *_: None)


@contextmanager
def _makes_up_for_missed_reminders() -> Iterator[None]:
    remind = DeliveryService._remind

    def all_of_them(
        self: DeliveryService, reminders: Message, approval: Approval, until: datetime | None
    ) -> MessageState:
        missed = next_reminder(reminders, approval, after=approval.created_at)
        if missed is not None and missed.due is not None and missed.due <= self.clock.now():
            asked = [replace(missed, recipient=name) for name in approval.deciders]
            self._begin(asked, approval, (), until)
        return remind(self, reminders, approval, until)

    with patch.object(DeliveryService, "_remind", all_of_them):
        yield


@contextmanager
def _notes_once_and_forgets() -> Iterator[None]:
    note = DeliveryService._note

    def forgetful(self: DeliveryService, *args: Any) -> bool:
        note(self, *args)
        return True

    with patch.object(DeliveryService, "_note", forgetful):
        yield

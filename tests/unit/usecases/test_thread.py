"""Questions and answers: on record once, each sent once to whom it is for, whatever breaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hitl_approval.domain.delivery import Address, Directory
from hitl_approval.domain.errors import ApprovalNotFound, Forbidden
from hitl_approval.testing import World
from tests.anything import any_opening, any_request, declared

MINUTE = timedelta(minutes=1)


def asked(world: World, *approvers: str) -> str:
    request = any_request(approvers=approvers or ("ann", "bob"))
    opening = any_opening(now=world.clock.now(), request=request)
    return world.store.create(opening).approval_id


def deliver(world: World, approval_id: str) -> None:
    """The whole trail is brought again each time, as a stream may."""
    events = world.store.history(approval_id)
    assert world.delivery.take(events) == len(events)


def sent(world: World) -> list[tuple[str | None, str]]:
    return [(m.recipient, m.kind) for m in world.notifier.sent if m.kind in {"question", "answer"}]


def ask(world: World, approval_id: str, by: str = "bob", said: str = "Which cost centre?") -> int:
    """A question; its number."""
    world.decisions.comment(approval_id, declared(by), said, question=True)
    return len(world.store.history(approval_id))


def links(world: World, approval_id: str, kind: str) -> int:
    return sum(len(m.links) for m in world.messages.about(approval_id) if m.kind == kind)


def test_should_send_the_question_to_the_requester_and_the_answer_to_who_asked(
    world: World,
) -> None:
    approval_id = asked(world)
    deliver(world, approval_id)
    number = ask(world, approval_id)
    deliver(world, approval_id)
    assert sent(world) == [("rita", "question")]
    said = world.decisions.comment(approval_id, declared("rita"), "4711", answers=number)
    assert list(said.to) == ["bob"]
    deliver(world, approval_id)
    deliver(world, approval_id)
    assert sent(world) == [("rita", "question"), ("bob", "answer")]
    question, answer = world.notifier.sent[-2:]
    assert question.link != answer.link
    assert question.link is not None
    assert answer.link is not None
    assert "4711" in answer.body
    assert world.store.approvals[approval_id].pending


def test_should_send_nobody_a_mere_comment(world: World) -> None:
    approval_id = asked(world)
    said = world.decisions.comment(approval_id, declared("bob"), "mind the month's end")
    deliver(world, approval_id)
    assert (list(said.to), sent(world)) == ([], [])
    assert [each.text for each in world.decisions.thread(said.approval)] == ["mind the month's end"]


def test_should_read_no_trail_where_nothing_was_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval = world.store.approvals[asked(world)]

    def read(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(type(world.store), "history", read)
    assert world.decisions.thread(approval) == ()


def test_should_try_a_question_again_that_could_not_be_sent(world: World) -> None:
    approval_id = asked(world)
    deliver(world, approval_id)
    ask(world, approval_id)
    world.notifier.unreachable = {"rita"}
    deliver(world, approval_id)
    assert sent(world) == []
    world.notifier.unreachable = set()
    world.clock.advance(MINUTE)
    world.delivery.deliver_due()
    world.delivery.deliver_due()
    assert sent(world) == [("rita", "question")]
    assert links(world, approval_id, "question") == 2, "each try brings a link of its own"


def test_should_not_send_a_question_that_was_answered_meanwhile(world: World) -> None:
    approval_id = asked(world)
    deliver(world, approval_id)
    number = ask(world, approval_id)
    world.notifier.unreachable = {"rita"}
    deliver(world, approval_id)
    world.decisions.comment(approval_id, declared("rita"), "4711", answers=number)
    world.notifier.unreachable = set()
    deliver(world, approval_id)
    world.clock.advance(MINUTE)
    world.delivery.deliver_due()
    assert sent(world) == [("bob", "answer")]
    [question] = [m for m in world.messages.about(approval_id) if m.kind == "question"]
    assert (question.state, question.reason) == ("void", "has been answered")


def test_should_send_nothing_of_it_once_the_request_has_ended(world: World) -> None:
    approval_id = asked(world)
    deliver(world, approval_id)
    ask(world, approval_id)
    world.decisions.decide(approval_id, declared("ann"), "approved")
    deliver(world, approval_id)
    assert ("rita", "question") not in [(m.recipient, m.kind) for m in world.notifier.sent]


def test_should_answer_by_the_channels_that_asked(world: World) -> None:
    directory = Directory(people={"bob": [Address("sns", "bob-at-work")]})
    delivery = replace(world.delivery, directory=directory)
    approval_id = asked(world)
    delivery.take(world.store.history(approval_id))
    number = ask(world, approval_id)
    world.decisions.comment(approval_id, declared("rita"), "4711", answers=number)
    delivery.take(world.store.history(approval_id))
    [answer] = [m for m in world.messages.about(approval_id) if m.kind == "answer"]
    assert (answer.recipient, answer.address) == ("bob", "bob-at-work")


def test_should_answer_an_operator_who_was_never_sent_the_request_without_a_link(
    world: World,
) -> None:
    """A link is a way to decide: only who is asked to decide is sent one."""
    approval_id = asked(world)
    deliver(world, approval_id)
    decisions = replace(world.decisions, operators=("olga",))
    decisions.comment(approval_id, declared("olga"), "Is it urgent?", question=True)
    deliver(world, approval_id)
    number = len(world.store.history(approval_id))
    decisions.comment(approval_id, declared("rita"), "yes", answers=number)
    deliver(world, approval_id)
    assert sent(world) == [("rita", "question"), ("olga", "answer")]
    assert world.notifier.sent[-1].link is None
    assert links(world, approval_id, "answer") == 0


def test_should_bring_nobody_a_link_to_decide_where_anyone_may(world: World) -> None:
    opening = any_opening(now=world.clock.now())
    approval_id = world.store.create(opening).approval_id
    number = ask(world, approval_id, by="mallory@example.com")
    world.decisions.comment(approval_id, declared("rita"), "who are you?", answers=number)
    deliver(world, approval_id)
    assert world.notifier.sent[-1].kind == "answer"
    assert world.notifier.sent[-1].link is None


def test_should_let_channels_read_along_which_were_asked(world: World) -> None:
    audiences = {"#approvals": Address("sns", "C123")}
    delivery = replace(world.delivery, directory=Directory(audiences=audiences))
    approval_id = asked(world)
    delivery.take(world.store.history(approval_id))
    number = ask(world, approval_id)
    delivery.take(world.store.history(approval_id))
    world.decisions.comment(approval_id, declared("rita"), "4711", answers=number)
    delivery.take(world.store.history(approval_id))
    along = [(m.kind, m.link) for m in world.notifier.sent if m.recipient == "#approvals"]
    assert along == [("requested", None), ("question", None), ("answer", None)]


def test_should_write_nothing_that_is_refused(world: World) -> None:
    approval_id = asked(world)
    before = repr((world.store.approvals, world.store.audit))
    with pytest.raises(Forbidden):
        world.decisions.comment(approval_id, declared("eve"), "hello")
    with pytest.raises(ApprovalNotFound):
        world.decisions.comment("nowhere", declared("bob"), "hello")
    assert repr((world.store.approvals, world.store.audit)) == before


def test_should_lose_neither_of_two_that_come_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    approval_id = asked(world)
    commit = type(world.store).commit
    others = [lambda: world.decisions.comment(approval_id, declared("ann"), "first")]

    def late(self: object, transition: object) -> None:
        if others:
            others.pop()()
        commit(self, transition)  # type: ignore[arg-type]

    monkeypatch.setattr(type(world.store), "commit", late)
    said = world.decisions.comment(approval_id, declared("bob"), "second")
    assert [each.text for each in world.decisions.thread(said.approval)] == ["first", "second"]
    assert said.approval.thread_length == 2
    assert world.clock.pauses == 1, "bob's first try met ann's"

"""A deployment's defaults, and requests that say it themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.condition import field
from hitl_approval.domain.errors import InvalidRequest, Unavailable
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request_key import RequestKey
from hitl_approval.domain.rule import Rule, Rules, approve, reject
from hitl_approval.domain.stage import Escalate, Stage
from hitl_approval.testing import World
from hitl_approval.usecases.ask import Defaults, DirectRequests
from tests.anything import any_request
from tests.asking import submit
from tests.unit.usecases.submitted import HOUR

EVERYONE = Quorum.everyone()
DEFAULTS = Defaults(
    approvers=("ann", "Ops"),
    groups={"ops": ("bob", "ann")},
    policy=Policy(rejections_needed=2, quorum=Quorum.at_least(2)),
    reminders=(timedelta(minutes=5), timedelta(hours=2)),
    page=True,
)


def test_should_fill_in_what_a_request_does_not_say() -> None:
    resolved = DEFAULTS.resolve(any_request(), HOUR)
    assert resolved.approvers == ("ann", "bob")
    assert resolved.policy == DEFAULTS.policy
    assert resolved.reminders == (timedelta(minutes=5),)


def test_should_keep_the_other_rules_under_a_requests_own_quorum() -> None:
    resolved = DEFAULTS.resolve(any_request(quorum=Quorum.everyone()), HOUR)
    assert resolved.policy == Policy(rejections_needed=2, quorum=Quorum.everyone())


WEAKER = r"^quorum: must be at least the deployment's, 2, got 1: leave it out, or deploy with"


@pytest.mark.parametrize(
    ("weaker", "approvers"),
    [(Quorum.any_one(), []), (Quorum.at_least(1), []), (Quorum.everyone(), ["ann"])],
)
def test_should_let_no_request_weaken_the_quorum_of_a_deployment_that_says_who_decides(
    weaker: Quorum, approvers: list[str]
) -> None:
    request = any_request(quorum=weaker, approvers=approvers)
    with pytest.raises(InvalidRequest, match=WEAKER):
        DEFAULTS.resolve(request, HOUR)
    for anybody in (
        replace(DEFAULTS, requests_name_approvers=True, policy=Policy(quorum=Quorum.at_least(2))),
        Defaults(policy=Policy(quorum=Quorum.at_least(2))),
    ):
        assert anybody.resolve(request, HOUR).policy.quorum == weaker


def test_should_count_no_requester_into_the_quorum_that_a_request_brings() -> None:
    """Who asks is among the named and cannot decide: everyone of two would be one."""
    request = any_request(requester="bob", approvers=["ann", "bob"], quorum=Quorum.everyone())
    with pytest.raises(InvalidRequest, match=WEAKER):
        DEFAULTS.resolve(request, HOUR)


def test_should_let_nobody_in_where_a_request_names_none_of_the_groups() -> None:
    grouped = Defaults(groups={"finance": ["ann", "bob"]})
    with pytest.raises(InvalidRequest, match=r"^approvers: name nobody, and then anybody could"):
        grouped.resolve(any_request(), HOUR)
    assert grouped.resolve(any_request(approvers=["finance"]), HOUR).approvers == ("ann", "bob")
    anybody = replace(grouped, requests_name_approvers=True)
    assert anybody.resolve(any_request(), HOUR).approvers == ()


def test_should_prefer_the_members_that_who_asks_has_found() -> None:
    anybody = replace(DEFAULTS, requests_name_approvers=True)
    resolved = anybody.resolve(any_request(approvers=["ops"]), HOUR, {"ops": ["cid", "dan"]})
    assert resolved.approvers == ("cid", "dan")


@pytest.mark.parametrize("fields", [{}, {"reminders": []}], ids=["none said", "none wanted"])
def test_should_remind_nobody_without_a_page(fields: dict[str, Any]) -> None:
    assert Defaults().resolve(any_request(**fields), HOUR).reminders == ()


def test_should_refuse_reminders_without_a_page() -> None:
    with pytest.raises(InvalidRequest, match=r"^reminders: need a deployment with a page$"):
        Defaults().resolve(any_request(reminders=[timedelta(minutes=1)]), HOUR)


def test_should_not_read_again_what_was_written_just_now(world: World) -> None:
    requests, key = DirectRequests(world.requests, Defaults()), RequestKey("arn", "refund")
    submit(requests, key)
    world.store.approvals.clear()  # a read would find nothing

    requests.notify(key)

    assert [sent.approval_id for sent in world.notifier.sent] == [key.approval_id]


FOUR = Defaults(
    approvers=("ann",),
    groups={"leads": ("bob", "cid"), "board": ("dan", "eve")},
    rules=Rules(
        (
            Rule("small", when=field("amount") < 100, then=approve()),
            Rule("never", when=field("amount") < 0, then=reject()),
            Rule("big", when=field("amount") >= 10_000, approvers=["board"], quorum=EVERYONE),
            Rule("mid", when=field("amount") >= 1_000, quorum=Quorum.at_least(2)),
        )
    ),
)


def of(amount: Any, **fields: Any) -> Any:
    return any_request(context={"amount": amount}, **fields)


def test_should_ask_whom_the_rule_says_and_as_many() -> None:
    resolved = FOUR.resolve(of(10_000), HOUR)
    assert (resolved.approvers, resolved.policy.quorum) == (("dan", "eve"), EVERYONE)
    assert resolved.ruling is not None
    assert resolved.ruling.applied.id == "big"


def test_should_ask_the_deployments_approvers_under_a_rule_that_names_none() -> None:
    with pytest.raises(InvalidRequest, match="quorum needs 2 approvals but 1 approvers"):
        FOUR.resolve(of(1_000), HOUR)
    resolved = replace(FOUR, approvers=("leads",)).resolve(of(1_000), HOUR)
    assert (resolved.approvers, resolved.policy.quorum) == (("bob", "cid"), Quorum.at_least(2))


def test_should_leave_to_the_deployment_what_no_rule_matches() -> None:
    for amount in (100, "5", None):
        resolved = FOUR.resolve(of(amount), HOUR)
        assert (resolved.approvers, resolved.policy) == (("ann",), Policy())
        assert resolved.ruling is not None
        assert resolved.ruling.applied.id is None


def test_should_keep_no_ruling_where_there_are_no_rules() -> None:
    assert DEFAULTS.resolve(of(5), HOUR).ruling is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"approvers": ["ann"]}, r"^approvers: names 'ann', whom rule big does not: name one or"),
        ({"approvers": ["leads"]}, r"^approvers: names 'bob', whom rule big does not"),
        ({"approvers": ["dan"]}, r"^approvers: must leave at least the 2 approvals that rule big"),
        ({"quorum": Quorum.any_one()}, r"^quorum: must leave at least the 2 approvals that rule"),
        ({"quorum": Quorum.at_least(1)}, r"^quorum: must leave at least the 2 approvals"),
        ({"requester": "dan", "approvers": ["dan"]}, r"^approvers: must leave at least the 1 app"),
    ],
)
def test_should_let_no_request_choose_its_way_around_a_rule(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        FOUR.resolve(of(10_000, **fields), HOUR)


def test_should_let_a_request_be_stricter_than_its_rule() -> None:
    one = replace(FOUR, rules=Rules((Rule("any", approvers=["board", "leads"]),)))
    resolved = one.resolve(of(5, approvers=["leads"], quorum=EVERYONE), HOUR)
    assert (resolved.approvers, resolved.policy.quorum) == (("bob", "cid"), EVERYONE)


def test_should_let_who_asks_choose_where_the_deployment_allows_it() -> None:
    free = replace(FOUR, requests_name_approvers=True)
    resolved = free.resolve(of(10_000, approvers=["zoe"], quorum=Quorum.any_one()), HOUR)
    assert (resolved.approvers, resolved.policy.quorum) == (("zoe",), Quorum.any_one())
    assert free.resolve(of(10_000), HOUR).approvers == ("dan", "eve")


def test_should_know_the_groups_of_a_rule_whatever_who_asks_has_found() -> None:
    resolved = FOUR.resolve(of(10_000), HOUR, {"board": ["mallory"], "ann": None})
    assert resolved.approvers == ("dan", "eve")


def test_should_end_at_once_what_its_rule_ends_even_if_nobody_could_decide_it() -> None:
    resolved = FOUR.resolve(of(5, requester="ann"), HOUR)
    assert resolved.ruling is not None
    assert (resolved.ruling.end, resolved.reminders) == ("approved", ())


@pytest.mark.parametrize(("amount", "status"), [(5, "approved"), (-5, "rejected")])
def test_should_commit_what_a_rule_decides_and_ask_nobody(
    world: World, amount: int, status: str
) -> None:
    rules = Rules(FOUR.rules.rules[1:2] + FOUR.rules.rules[:1])
    requests = DirectRequests(world.requests, replace(FOUR, rules=rules, page=True))
    key = RequestKey("arn", "refund")
    for _ in range(2):  # a step that is tried again
        found = submit(requests, key, context={"amount": amount}, creation_token="token")
        requests.notify(key)

    assert (found["status"], found["rule"]) == (status, "small" if amount > 0 else "never")
    trail = world.store.history(key.approval_id)
    assert [event["event"] for event in trail] == ["requested", status]
    assert trail[1]["identity"] == "rule"
    assert trail[1]["details"]["rule"]["digest"] == rules.digest
    world.publishing.publish(trail)
    world.delivery.take(trail)
    assert [(sent.recipient, sent.kind) for sent in world.notifier.sent] == [("rita", "outcome")]
    assert world.inbox.entries == {}
    assert [(m.recipient, m.kind) for m in world.messages.about(key.approval_id)] == [
        ("rita", "outcome")
    ]
    assert requests.check_status(key)["status"] == status, "the trail agrees with the row"


def test_should_ask_nobody_between_the_request_and_its_rules_decision(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash after the first write leaves a pending row: no message and no inbox has it."""
    requests = DirectRequests(world.requests, replace(FOUR, page=True))
    key = RequestKey("arn", "refund")
    with monkeypatch.context() as crashed:
        crashed.setattr(type(world.store), "commit", _no_answer)
        with pytest.raises(Unavailable):
            submit(requests, key, context={"amount": 5})
    trail = world.store.history(key.approval_id)
    world.publishing.publish(trail)
    world.delivery.take(trail)
    requests.notify(key)
    assert (world.notifier.sent, world.inbox.entries) == ([], {})
    assert list(world.messages.about(key.approval_id)) == []

    assert submit(requests, key, context={"amount": 5})["status"] == "approved"


def _no_answer(*_: object) -> None:
    raise Unavailable("no answer")


def test_should_say_of_what_could_not_be_read_everything_but_the_value(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    requests, key = DirectRequests(world.requests, FOUR), RequestKey("arn", "refund")
    submit(requests, key, context={"amount": "secret"})
    [event] = world.store.history(key.approval_id)
    assert {"rule": "big", "field": "amount", "why": "is a string, not a number"} in event[
        "details"
    ]["rule"]["unread"]
    assert "a rule could not be read: big: amount is a string" in caplog.text
    assert "secret" not in caplog.text + str(event["details"])


OF_GROUPS = Defaults(
    approvers=("ann",),
    groups={"leads": ("bob", "cid"), "board": ("dan", "eve")},
    rules=Rules(
        (
            Rule("both", when=field("amount") > 100, quorum=Quorum.of({"leads": 1, "board": 2})),
            Rule("big", when=field("amount") > 50, approvers=["board"]),
        )
    ),
)


def test_should_ask_the_groups_that_a_rules_quorum_counts() -> None:
    resolved = OF_GROUPS.resolve(of(500), HOUR)
    assert resolved.approvers == ("bob", "cid", "dan", "eve")
    assert [group.people for group in resolved.policy.quorum.groups] == [
        ("bob", "cid"),
        ("dan", "eve"),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"quorum": Quorum.at_least(4)}, r"^quorum: cannot be chosen under rule both, whose"),
        ({"stages": [Stage(["bob", "dan"])]}, r"^stages: cannot be chosen under rule both, whose"),
        ({"approvers": ["bob"]}, r"^approvers: are those of this deployment's quorum"),
    ],
)
def test_should_let_no_request_choose_its_way_around_a_quorum_of_groups(
    fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidRequest, match=said):
        OF_GROUPS.resolve(of(500, **fields), HOUR)


def test_should_hold_the_stages_of_a_request_to_its_rule() -> None:
    stages = [Stage(["dan"]), Stage(["eve"])]
    resolved = OF_GROUPS.resolve(of(60, stages=stages), HOUR)
    assert (resolved.approvers, resolved.policy.stages[0].approvers) == (("dan",), ("eve",))
    with pytest.raises(InvalidRequest, match=r"^stages: names 'bob', whom rule big does not"):
        OF_GROUPS.resolve(of(60, stages=[Stage(["dan"]), Stage(["bob"])]), HOUR)


def test_should_let_an_escalation_of_a_request_ask_only_whom_its_rule_names() -> None:
    hour = timedelta(minutes=10)
    assert OF_GROUPS.resolve(of(60, escalation=[Escalate(hour, ["board"])]), HOUR)
    with pytest.raises(InvalidRequest, match=r"^escalation: names 'bob', whom rule big does not"):
        OF_GROUPS.resolve(of(60, escalation=[Escalate(hour, ["leads"])]), HOUR)


def test_should_refuse_a_rule_whose_people_a_quorum_of_groups_would_pass_over() -> None:
    """Synth refuses it too; a function must not ask others in silence."""
    changed = replace(OF_GROUPS, policy=Policy(quorum=Quorum.of({"leads": 1})))
    with pytest.raises(InvalidRequest, match=r"^approvers: rule big needs a quorum of its own"):
        changed.resolve(of(60), HOUR)


def test_should_name_everybody_once_groups_as_their_people() -> None:
    assert DEFAULTS.people == ("ann", "bob")
    cfo = Rule("big", when=field("amount") > 10, approvers=["cfo", "OPS"], quorum=EVERYONE)
    named = replace(
        DEFAULTS,
        rules=Rules((cfo,)),
        policy=Policy(escalation=(Escalate(HOUR, to=["Ann", "dan"]),)),
        groups={**DEFAULTS.groups, "of nobody": ()},
    )
    assert set(map(str.casefold, named.people)) == {"ann", "bob", "of nobody", "dan", "cfo"}
    assert Defaults().people == ()

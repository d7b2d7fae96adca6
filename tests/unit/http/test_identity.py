"""Who asks: the verified name where there is one, whatever the payload says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitl_approval.domain.audit import Actor
from hitl_approval.domain.policy import Policy
from hitl_approval.domain.quorum import Quorum
from hitl_approval.http.identity import SignIn
from hitl_approval.http.state import opened
from hitl_approval.testing import World
from tests.anything import NOW, any_opening, any_request
from tests.unit.http.by_function import ANN, call, code, decide, jwt, pending, snapshot
from tests.unit.http.by_sign_in import asked, get_json, post_json

SIGNED_IN = {
    "iam": {"iam": {"userArn": "arn:aws:iam::1:user/finance/alice"}},
    "jwt": {"jwt": {"claims": {"sub": "u-1", "email": "alice@x.org", "email_verified": "true"}}},
}


@pytest.mark.parametrize(("kind", "name"), [("iam", "arn:aws:iam::1:user/finance/alice"),
                                            ("jwt", "alice@x.org")])  # fmt: skip
def test_should_record_the_verified_identity(world: World, kind: str, name: str) -> None:
    approval_id = pending(world, policy=Policy(require_verified_identity=True))
    payload = decide(approval_id)
    del payload["approver"]
    event = {"requestContext": {"authorizer": SIGNED_IN[kind]}, "body": json.dumps(payload)}

    status, body = call(world, event, trust_authorizer=True)

    assert (status, body["decided_by"], body["votes"][0]["identity"]) == (200, name, kind)


def _iam(arn: str) -> dict[str, Any]:
    """As API Gateway's HTTP API passes on who has signed a request: there is no more than this."""
    return {
        "authorizer": {
            "iam": {
                "accessKey": "ASIA",
                "accountId": "1",
                "callerId": "AROA:x",
                "cognitoIdentity": None,
                "principalOrgId": "o-1",
                "userArn": arn,
                "userId": "AROA:x",
            }
        }
    }


UPN = {"sign_in": SignIn("upn")}
SUB = {"sign_in": SignIn("sub")}
NAMES_NOBODY: dict[str, tuple[dict[str, Any], dict[str, SignIn]]] = {
    "no authorizer": ({"http": {"method": "POST"}}, {}),
    "a REST API's user pool": ({"authorizer": {"claims": ANN}}, {}),
    "a REST API's Lambda authorizer": ({"authorizer": {"principalId": "ann@x.org", **ANN}}, {}),
    "an HTTP API's Lambda authorizer": ({"authorizer": {"lambda": ANN}}, {}),
    "garbage": ({"authorizer": {"jwt": {"claims": [ANN]}, "iam": "ann@x.org"}}, {}),
    "an access token": (jwt(sub="u-1", token_use="access", username="ann@x.org"), {}),
    "an access token with the claim": (jwt(**ANN, token_use="access"), {}),
    "an access token where its subject names": (
        jwt(sub="u-1", token_use="access"),
        SUB,
    ),
    "an e-mail that is not verified": (jwt(**ANN | {"email_verified": "false"}), {}),
    "an e-mail that nobody speaks of": (jwt(email="ann@x.org", sub="u-1"), {}),
    "an e-mail verified by a list": (jwt(**ANN | {"email_verified": ["true"]}), {}),
    "a subject that looks like an address": (jwt(sub="ann@x.org"), {}),
    "one where subjects name": (jwt(sub="ann@x.org", email_verified="true"), SUB),
    "one that is read as an address": (jwt(sub="ann\uff20x.org"), SUB),
    "no such claim": (jwt(**ANN), UPN),
    "an empty claim": (jwt(**ANN, upn=" "), UPN),
    "several values": (jwt(upn=["ann", "bob"]), UPN),
    "somebody federated by a user": (_iam("arn:aws:sts::1:federated-user/ann"), {}),
    "a service": (_iam("arn:aws:iam::1:role/ann"), {}),
    "an ARN that is none": (_iam("assumed-role/Approver/ann"), {}),
    "a name that hides something": (jwt(upn="ann\u202e"), UPN),
}


@pytest.mark.parametrize("how", NAMES_NOBODY)
@pytest.mark.parametrize("action", ["decide", "cancel", "inbox", "list", "get", "history"])
def test_should_take_nothing_from_an_authorizer_that_names_nobody(
    world: World, how: str, action: str
) -> None:
    approval_id = pending(world)
    before = snapshot(world)
    context, options = NAMES_NOBODY[how]
    payload = {"action": action, "approval_id": approval_id, "approver": "ann@x.org"}
    if action == "decide":
        payload["decision"] = "approved"
    event = {"requestContext": context, "body": json.dumps(payload)}

    status, body = call(world, event, trust_authorizer=True, **options)

    assert (status, code(body)) == (401, "UNAUTHENTICATED")
    assert snapshot(world) == before


def test_should_know_one_person_by_one_claim_whatever_else_their_tokens_say(world: World) -> None:
    approval_id = pending(
        world,
        request=any_request(requester="ann@x.org"),
        policy=Policy(quorum=Quorum.at_least(2), require_verified_identity=True),
    )
    payload = {"approval_id": approval_id, "decision": "approved"}
    statuses = []
    for claims in (
        ANN,
        {"sub": "u-1", "token_use": "access", "client_id": "web"},
        {"sub": "u-1"},
        ANN | {"email": "Ann@X.org", "token_use": "id", "sub": "u-2"},
    ):
        event = {"requestContext": jwt(**claims), "body": json.dumps(payload)}
        statuses.append(call(world, event, trust_authorizer=True)[0])

    assert statuses == [403, 401, 401, 403]
    assert world.store.approvals[approval_id].votes == ()


@pytest.mark.parametrize(("claim", "name"), [("upn", "ann@corp"), ("sub", "u-1")])
def test_should_name_people_by_the_claim_that_the_deployment_says(
    world: World, claim: str, name: str
) -> None:
    approval_id = pending(world, policy=Policy(require_verified_identity=True))
    payload = {"approval_id": approval_id, "decision": "approved"}
    claims = jwt(**ANN | {"upn": "ann@corp", "token_use": "id", "iss": "https://issuer.example"})
    event = {"requestContext": claims, "body": json.dumps(payload)}

    status, body = call(world, event, trust_authorizer=True, sign_in=SignIn(claim))

    assert (status, body["decided_by"], body["votes"][0]["identity"]) == (200, name, "jwt")
    decided = world.store.history(approval_id)[-1]
    assert decided["details"]["issuer"] == "https://issuer.example"


def test_should_still_take_an_operators_own_call_by_its_typed_name(world: World) -> None:
    approval_id = pending(world)
    status, body = call(world, decide(approval_id), trust_authorizer=True)
    assert (status, body["votes"][0]["identity"]) == (200, "declared")


def test_should_take_an_authorizers_word_only_where_it_can_be_believed(world: World) -> None:
    approval_id = pending(world, policy=Policy(require_verified_identity=True))
    claims = {"jwt": {"claims": ANN}}
    payload = {name: value for name, value in decide(approval_id).items() if name != "approver"}
    event = {"body": json.dumps(payload), "requestContext": {"authorizer": claims}}
    status, _ = call(world, event)
    assert status != 200
    assert world.store.approvals[approval_id].pending
    status, body = call(world, event, trust_authorizer=True)
    assert (status, body["decided_by"]) == (200, "ann@x.org")


ROLE = "arn:aws:sts::1:assumed-role/Approver"
BY_SESSION = SignIn(personal_sessions=frozenset({"Approver"}))


def test_should_take_all_sessions_of_a_role_for_one_person(world: World) -> None:
    policy = Policy(quorum=Quorum.at_least(2), require_verified_identity=True)
    approval_id = pending(world, policy=policy)
    for session in ("x", "y"):
        body = json.dumps({"approval_id": approval_id, "decision": "approved"})
        event = {"requestContext": _iam(f"{ROLE}/{session}"), "body": body}
        assert call(world, event, trust_authorizer=True)[0] == 200
    approval = world.store.approvals[approval_id]
    assert approval.pending
    assert [vote.approver for vote in approval.votes] == [ROLE]
    voted = world.store.history(approval_id)[-1]
    assert voted["details"]["session"] == f"{ROLE}/x"


@pytest.mark.parametrize("role", ["Approver", "Approver2", "approver"])
def test_should_take_a_session_for_a_person_only_where_the_deployment_says_so(
    world: World, role: str
) -> None:
    approval_id = pending(world, policy=Policy(quorum=Quorum.at_least(2)))
    for session in ("ann", "bob"):
        arn = f"arn:aws:sts::1:assumed-role/{role}/{session}"
        body = json.dumps({"approval_id": approval_id, "decision": "approved"})
        event = {"requestContext": _iam(arn), "body": body}
        assert call(world, event, trust_authorizer=True, sign_in=BY_SESSION)[0] == 200
    approval = world.store.approvals[approval_id]
    assert len(approval.votes) == (2 if role == "Approver" else 1)
    assert approval.pending is (role != "Approver")


APPROVER = "ann@weiss.com"
LOOK_ALIKES = ["ann@weiß.com", "ann@wei\u017fs.com", "ann@weiss.com\ufe0f", "ann\u034f@weiss.com"]
DECISION = "POST /v1/approvals/{approval_id}/decision"


@pytest.mark.parametrize("who", LOOK_ALIKES)
def test_should_let_nobody_decide_who_only_resembles_an_approver(world: World, who: str) -> None:
    approval_id = asked(world, APPROVER, "bob@x.org")
    for route in (DECISION, "POST /v1/approvals/{approval_id}/cancellation"):
        body = {"decision": "approved"} if route == DECISION else {}
        status, answer = post_json(world, route, body, who=who, approval_id=approval_id)
        assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    assert world.store.approvals[approval_id].votes == ()
    assert get_json(world, "GET /v1/inbox", who=who)[1]["approvals"] == []
    assert get_json(world, "GET /v1/inbox", who=APPROVER.upper())[1]["approvals"] != []


@pytest.mark.parametrize("who", LOOK_ALIKES)
def test_should_show_nobody_else_s_answer_as_theirs(world: World, who: str) -> None:
    approval_id = asked(world, APPROVER)
    decision = {"decision": "approved"}
    assert post_json(world, DECISION, decision, who=APPROVER, approval_id=approval_id)[0] == 200
    status, answer = post_json(world, DECISION, decision, who=who, approval_id=approval_id)
    assert (status, answer["error"]["code"]) == (409, "APPROVAL_ALREADY_DECIDED")
    approval = world.store.approvals[approval_id]
    states = [opened(approval, Actor(name, "jwt"), now=NOW).state for name in (who, APPROVER)]
    assert states == ["decided", "answered"]


@pytest.mark.parametrize("who", LOOK_ALIKES)
def test_should_count_no_second_vote_of_who_looks_the_same(world: World, who: str) -> None:
    opening = any_opening(now=world.clock.now(), policy=Policy(quorum=Quorum.at_least(2)))
    approval_id = world.store.create(opening).approval_id
    decision = {"decision": "approved"}
    assert post_json(world, DECISION, decision, who=APPROVER, approval_id=approval_id)[0] == 200
    status, answer = post_json(world, DECISION, decision, who=who, approval_id=approval_id)
    assert (status, answer["error"]["code"]) == (403, "FORBIDDEN")
    assert "looks the same" in json.dumps(answer)
    assert world.store.approvals[approval_id].pending


@pytest.mark.parametrize(
    "requester",
    [
        ROLE,
        f"{ROLE}/x",
        f"{ROLE}/y",
        ROLE.upper(),
        "arn:aws:iam::1:role/Approver",
        "arn:aws:iam::1:role/teams/money/Approver",
    ],
)
@pytest.mark.parametrize("sign_in", [SignIn(), BY_SESSION], ids=["by role", "by session"])
def test_should_keep_a_role_out_of_what_was_asked_under_another_of_its_names(
    world: World, requester: str, sign_in: SignIn
) -> None:
    approval_id = pending(world, request=any_request(requester=requester))
    body = json.dumps({"approval_id": approval_id, "decision": "approved"})
    event = {"requestContext": _iam(f"{ROLE}/x"), "body": body}
    status, answer = call(world, event, trust_authorizer=True, sign_in=sign_in)
    another_person = requester == f"{ROLE}/y" and sign_in == BY_SESSION
    assert status == (200 if another_person else 403), answer


@pytest.mark.parametrize(
    "requester",
    [
        "arn:aws:sts::2:assumed-role/Approver",
        "arn:aws:sts::1:assumed-role/Approver2",
        "arn:aws:iam::1:user/Approver",
        "Approver",
    ],
)
def test_should_let_another_role_decide(world: World, requester: str) -> None:
    approval_id = pending(world, request=any_request(requester=requester))
    body = json.dumps({"approval_id": approval_id, "decision": "approved"})
    event = {"requestContext": _iam(f"{ROLE}/x"), "body": body}
    assert call(world, event, trust_authorizer=True)[0] == 200


@pytest.mark.parametrize(
    ("auth_time", "status"),
    [
        (0, 200),
        (-900, 200),
        (-901, 401),
        (-86_400, 401),
        (None, 401),
        ("yesterday", 401),
        (["1"], 401),
        ("1e9", 401),
        ("9" * 400, 401),
    ],
)
def test_should_take_a_decision_by_a_sign_in_that_is_not_too_old(
    world: World, auth_time: Any, status: int
) -> None:
    approval_id = pending(world)
    limited = replace(
        world, decisions=replace(world.decisions, sign_in_max_age=timedelta(minutes=15))
    )
    if isinstance(auth_time, int):
        auth_time = str(int(world.clock.now().timestamp()) + auth_time)
    claims = jwt(**ANN, **({} if auth_time is None else {"auth_time": auth_time}))
    for payload in (
        {"action": "get", "approval_id": approval_id},
        {"action": "decide", "approval_id": approval_id, "decision": "approved"},
    ):
        event = {"requestContext": claims, "body": json.dumps(payload)}
        answered, body = call(limited, event, trust_authorizer=True)
        assert answered == (200 if payload["action"] == "get" else status)
    assert world.store.approvals[approval_id].pending is (status != 200)
    if status != 200:
        assert code(body) == "UNAUTHENTICATED"
        assert body["error"]["details"] == {"max_age_seconds": 900}


def test_should_take_a_sign_in_of_any_age_unless_the_deployment_says_otherwise(
    world: World,
) -> None:
    approval_id = pending(world)
    body = json.dumps({"approval_id": approval_id, "decision": "approved"})
    event = {"requestContext": jwt(**ANN, auth_time="1"), "body": body}
    assert call(world, event, trust_authorizer=True)[0] == 200

"""What Slack sends when somebody clicks or sends a dialog: a click opens, a dialog decides.

Slack signs what it sends. Who has clicked is the confirmed address of their account there, which is
read each time; nobody else's word counts, that of the message least.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final, Protocol
from urllib.parse import parse_qs

from hitl_approval.domain import text
from hitl_approval.domain.approval import Approval
from hitl_approval.domain.audit import Actor
from hitl_approval.domain.errors import (
    ApprovalError,
    ApprovalNotFound,
    CommentRequired,
    InvalidRequest,
    Unauthenticated,
    Unavailable,
    ValuesRefused,
)
from hitl_approval.domain.slack import (
    COMMENT,
    DECIDE,
    QUESTION,
    STEPS,
    Subject,
    dialog,
    notice,
)
from hitl_approval.domain.slack_form import errors_of, values_of
from hitl_approval.domain.standing import how_it_ended
from hitl_approval.domain.thread import accept_text, sent_in_words, still_expires
from hitl_approval.domain.values import NOTHING
from hitl_approval.http.html import MAX_BODY
from hitl_approval.http.state import opened
from hitl_approval.usecases.decide import DecisionService

logger = logging.getLogger(__name__)

MAX_AGE: Final = timedelta(minutes=5)
"""How old a signed request may be: what Slack's documentation on verifying requests says."""
_VERSION: Final = "v0"
_GONE: Final = notice("Not found", "This request is not on record any more.")
_NOT_NOW: Final = "Not now: please try again in a moment."


class Workspace(Protocol):
    """One Slack workspace."""

    @property
    def team_id(self) -> str:
        """Its id; people of others count for nobody."""

    def signing_secret(self) -> str:
        """What Slack signs its requests with.

        Raises:
            Unavailable: (this and the following) not now; may be tried again.
        """

    def address_of(self, user_id: str) -> str | None:
        """The confirmed address of a person of this workspace; None of anybody else."""

    def open_view(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Show a dialog to whoever has clicked, within three seconds of it."""


class NotFromSlack(Exception):  # noqa: N818  reads as what it is
    """A request that Slack has not signed, or not just now, or that is not for this workspace."""


def handle(
    event: Mapping[str, Any],
    service: Callable[[], DecisionService],
    workspace: Callable[[], Workspace],
) -> dict[str, Any]:
    """Answer one request of an HTTP API (payload 2.0). Never raises, never logs a value.

    Args:
        event: of the route `routes.Route.SLACK`.
        service: gives what decides in this deployment.
        workspace: gives the workspace whose people may.
    """
    try:
        payload = _payload(event, service(), workspace())
        return _answer(200, _respond(payload, service(), workspace()))
    except NotFromSlack:
        return _answer(401, {"error": "not a request of this Slack workspace"})
    except Unavailable as error:
        logger.warning("not now: %s", error)
        return _answer(503, {"error": "not now"})
    except Exception as error:  # noqa: BLE001  Slack gets an answer, the log no more than the kind
        logger.error("unexpected %s", type(error).__name__)  # noqa: TRY400
        return _answer(500, {"error": "something went wrong here"})


def _payload(
    event: Mapping[str, Any], service: DecisionService, workspace: Workspace
) -> Mapping[str, Any]:
    """What Slack says has happened, once it is known that Slack says it."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()
    sent_at = headers.get("x-slack-request-timestamp", "")
    if len(raw) > MAX_BODY or not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 12):  # noqa: PLR2004
        raise NotFromSlack
    age = service.clock.now().timestamp() - int(sent_at)
    if abs(age) > MAX_AGE.total_seconds():
        raise NotFromSlack
    signed = b":".join((_VERSION.encode(), sent_at.encode(), raw))
    digest = hmac.new(workspace.signing_secret().encode(), signed, hashlib.sha256).hexdigest()
    given = headers.get("x-slack-signature", "").encode()
    if not hmac.compare_digest(f"{_VERSION}={digest}".encode(), given):
        raise NotFromSlack
    payload: dict[str, Any] = json.loads(parse_qs(raw.decode(), max_num_fields=1)["payload"][0])
    if payload["team"]["id"] != workspace.team_id:
        raise NotFromSlack
    return payload


def _respond(
    payload: Mapping[str, Any], service: DecisionService, workspace: Workspace
) -> dict[str, Any]:
    if payload["type"] == "block_actions":
        for action in payload["actions"]:
            if action["action_id"] in STEPS:
                view = _clicked(payload, Subject.from_json(action["value"]), service, workspace)
                workspace.open_view(payload["trigger_id"], view)
        return {}
    if payload["type"] == "view_submission" and payload["view"]["callback_id"] == DECIDE:
        return _decide(payload, service, workspace)
    if payload["type"] == "view_submission" and payload["view"]["callback_id"] == QUESTION:
        return _ask(payload, service, workspace)
    return {}


def _who(payload: Mapping[str, Any], workspace: Workspace) -> Actor:
    user = str(payload["user"]["id"])
    address = workspace.address_of(user)
    try:
        name = text.name(address or "", "address")
    except InvalidRequest:
        raise Unauthenticated(
            "Slack does not vouch for an address of yours: nothing has happened"
        ) from None
    return Actor(name, "slack", issuer=f"slack/{workspace.team_id}/{user}")


def _clicked(
    payload: Mapping[str, Any], subject: Subject, service: DecisionService, workspace: Workspace
) -> dict[str, Any]:
    """The dialog of a decision, or why this person gets none. Nothing is decided by a click."""
    try:
        actor = _who(payload, workspace)
        approval = service.get(subject.approval_id)
    except Unauthenticated as error:
        return notice("Not decided", f"{error}.")
    except ApprovalNotFound:
        return _GONE
    seen = opened(approval, actor, now=service.clock.now())
    if seen.state == "onlooker" or not approval.deciders:
        return notice(
            "Not yours to decide",
            f"You are {actor.name} here, who is not asked to decide this. Nothing has happened.",
        )
    may = seen.may_comment if subject.step == "question" else seen.may_answer
    if not may:
        return notice("Nothing to answer", _why_not(approval, actor))
    if approval.content_digest != subject.content_digest:
        return notice("Not decided", "This message shows another request. Nothing has happened.")
    return dialog(approval, subject)


def _decide(
    payload: Mapping[str, Any], service: DecisionService, workspace: Workspace
) -> dict[str, Any]:
    subject = Subject.from_json(payload["view"]["private_metadata"])
    if subject.step == "question":
        raise NotFromSlack  # no dialog of ours
    asked = service.get(subject.approval_id)
    if not asked.deciders:  # then nobody here was asked
        return _shown(_GONE)
    state = payload["view"]["state"]["values"]
    given = state[COMMENT][COMMENT].get("value")
    approves = subject.step == "approved"
    try:
        answer = service.decide(
            subject.approval_id,
            _who(payload, workspace),
            subject.step,
            text.comment(given or "", "comments"),
            content_digest=subject.content_digest,
            values=values_of(asked, state) if approves else NOTHING,
        )
    except ValuesRefused as error:
        errors = errors_of(asked, error)
        return {"response_action": "errors", "errors": errors} if errors else _again(f"{error}.")
    except CommentRequired:
        return _again("Please say why: a rejection needs a reason.")
    except (Unavailable, InvalidRequest) as error:
        return _again(_NOT_NOW if isinstance(error, Unavailable) else f"{error}.")
    except ApprovalError as error:
        return _shown(notice("Not accepted", f"This was not accepted: {error}."))
    ended = "The workflow that asked has ended and will not act on it: please tell whoever asked."
    waits = "The request waits for more answers."
    follows = waits if answer.approval.pending else f"{how_it_ended(answer.approval)}."
    follows = ended if answer.workflow == "ended" else follows
    return _shown(notice("On record", f"Your answer is on record: {subject.step}. {follows}"))


def _ask(
    payload: Mapping[str, Any], service: DecisionService, workspace: Workspace
) -> dict[str, Any]:
    subject = Subject.from_json(payload["view"]["private_metadata"])
    if not service.get(subject.approval_id).deciders:  # then nobody here was asked
        return _shown(_GONE)
    given = payload["view"]["state"]["values"][COMMENT][COMMENT].get("value")
    try:
        said = service.comment(
            subject.approval_id,
            _who(payload, workspace),
            accept_text(given or ""),
            question=True,
        )
    except (Unavailable, InvalidRequest) as error:
        return _again(_NOT_NOW if isinstance(error, Unavailable) else f"{error}.")
    except ApprovalError as error:
        return _shown(notice("Not accepted", f"This was not accepted: {error}."))
    now = service.clock.now()
    follows = f"{sent_in_words(said.to)} {still_expires(said.approval, now=now)}"
    return _shown(notice("On record", f"Your question is on record. {follows}"))


def _why_not(approval: Approval, actor: Actor) -> str:
    vote = approval.vote_of(actor.name)
    if vote is not None:
        return f"You have answered this already: {vote.decision}."
    if approval.pending:
        return "The time to decide this has passed."
    return f"{how_it_ended(approval)}: no answer is needed from you."


def _again(problem: str) -> dict[str, Any]:
    return {"response_action": "errors", "errors": {COMMENT: problem}}


def _shown(view: Mapping[str, Any]) -> dict[str, Any]:
    return {"response_action": "update", "view": view}


def _answer(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body) if body else ""}

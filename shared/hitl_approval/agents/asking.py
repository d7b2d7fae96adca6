"""Makes of an agent's call the request that people answer."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hitl_approval.agents.adapter import Said, ToolCall
from hitl_approval.domain.business_hours import BusinessHours
from hitl_approval.domain.call import Call
from hitl_approval.domain.errors import InvalidRequest
from hitl_approval.domain.quorum import Quorum
from hitl_approval.domain.request import ApprovalRequest
from hitl_approval.domain.request_values import context_json
from hitl_approval.domain.tool_arguments import ToolArguments, paths_there, paths_to_change
from hitl_approval.domain.tool_policy import ToolPolicy, ToolRuling

WORDS = "the_model_said"
"""The field of a request that has the model's last words."""
CONVERSATION = "conversation"
"""The field of a request that has what was said before."""
MAX_WORDS = 2_000
"""Characters of the model's last words: the last ones, which say what it wants now."""
MAX_CONVERSATION = 20_000
"""Characters of a conversation, the last ones: what the page shows in one part."""
_CUT = "(what was said before is left out) "


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDefault:
    """How people are asked where no rule says otherwise; see `run`."""

    requester: str
    approvers: Sequence[str] = ()
    quorum: Quorum | None = None
    timeout: timedelta | BusinessHours | None = None
    sensitive: Sequence[str] = ()
    editable: Sequence[str] = ()

    def check_names(self, tool: str, policy: ToolPolicy, arguments: ToolArguments) -> None:
        """Refuse names that are no arguments, before people are asked about a call of a tool.

        Raises:
            InvalidRequest: one is misspelled.
        """
        arguments.check(tool, policy, sensitive=self.sensitive, editable=self.editable)


@dataclass(frozen=True, slots=True)
class Asked:
    """A call and what people are asked about it.

    Attributes:
        call: the tool and its arguments.
        words: what else the request shows, by its field.
        request: the whole.
        once: whether the answer holds for the same call again, in this run.
    """

    call: Call
    words: Mapping[str, Any]
    request: ApprovalRequest
    once: bool

    def approved(self, context: str) -> Mapping[str, Any]:
        """The arguments that may run.

        Args:
            context: of the approval, as JSON.

        Raises:
            ArgumentsChanged: it was not this call that was approved.
        """
        approved = json.loads(context)
        shown = {name: value for name, value in approved.items() if name not in self.words}
        arguments: Mapping[str, Any] = json.loads(self.call.approved(shown).arguments)
        return arguments


def asked_of(tool_call: ToolCall, ruling: ToolRuling, asking: ByDefault, said: str = "") -> Asked:
    """What people are asked about a call.

    Args:
        tool_call: the call, as `last_words` leaves it.
        ruling: of the policy.
        asking: where the ruling leaves something open.
        said: the conversation; empty: it is not shown.

    Raises:
        InvalidRequest: of the field `arguments` where they could not be shown to anybody, of
            another where the way in which it is asked cannot be.
    """
    rule = ruling.rule if ruling.action == "ask" else None
    hidden = (*ruling.sensitive, *asking.sensitive)
    given = tool_call.arguments
    try:
        context_json(given)
    except InvalidRequest as error:
        raise InvalidRequest("arguments", str(error).partition(": ")[2]) from None
    editable = [*(rule.editable if rule else ()), *asking.editable]
    ruling.check_editable(editable)
    call = Call.given(
        tool_call.tool,
        given,
        sensitive=paths_there(given, hidden),
        editable=paths_to_change(given, editable),
    )
    words = _words(tool_call, said)
    names_people = rule is not None and (rule.approvers or rule.quorum)
    people = rule if rule is not None and names_people else asking
    shown = call.context
    digest = {name: shown.pop(name) for name in ("arguments_digest",) if name in shown}
    sensitive = [f"arguments.{path}" for path in call.sensitive]
    if sensitive or hidden:  # the model may have repeated what no message may have
        sensitive += [WORDS] if WORDS in words else []
    sensitive += [CONVERSATION] if CONVERSATION in words else []
    request = ApprovalRequest(
        subject=call.subject,
        requester=asking.requester,
        approvers=people.approvers,
        quorum=people.quorum,
        timeout=(rule.timeout if rule else None) or asking.timeout,
        context={**shown, **words, **digest},
        sensitive=sensitive,
        editable=call.paths,
    )
    return Asked(call, words, request, once=rule is not None and rule.once is not None)


def last_of(said: Sequence[Said]) -> str:
    """The last of a conversation, as the page shows it."""
    return _last("\n\n".join(f"{line.who}: {line.what}" for line in said), MAX_CONVERSATION)


def last_words(call: ToolCall) -> ToolCall:
    """A call with no more of the model's words than people are shown."""
    return replace(call, why=_last(call.why.strip(), MAX_WORDS))


def _words(tool_call: ToolCall, said: str) -> dict[str, Any]:
    words = {WORDS: tool_call.why, CONVERSATION: said}
    return {name: value for name, value in words.items() if value}


def _last(words: str, most: int) -> str:
    words = words.encode("utf-8", "replace").decode()  # without lone surrogates
    return words if len(words) <= most else _CUT + words[len(_CUT) - most :]

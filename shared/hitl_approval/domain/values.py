"""What an approver brings along with an approval: values of the form, and changed values.

A change makes another content, which nobody has seen but who made it: earlier votes are void, and
the vote that brings it is the first about the content that stands on record from then on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hitl_approval.domain.approval import Approval, Vote, digest_content
from hitl_approval.domain.edit import (
    CHANGES,
    MAX_CONTEXT_WITH_VALUES,
    Change,
    changes_view,
    edit,
    editable_fields,
    merged,
)
from hitl_approval.domain.errors import ContentChanged, InvalidRequest, ValuesRefused
from hitl_approval.domain.form import INPUT, FormField, in_words
from hitl_approval.domain.masking import masked_values


@dataclass(frozen=True, slots=True)
class Values:
    """What somebody brings along with a decision, as they said it.

    Attributes:
        input: values of the form by name; None where nothing was said.
        changes: new values of what may be changed, by path; None where nothing was said.
    """

    input: Mapping[str, Any] | None = None
    changes: Mapping[str, Any] | None = None


NOTHING = Values()


@dataclass(frozen=True, slots=True)
class Taken:
    """Values that fit.

    Attributes:
        approval: the record, changed; without votes where something has changed.
        input: of the vote; None where the request has no form.
        details: of the event.
    """

    approval: Approval
    input: Mapping[str, Any] | None
    details: Mapping[str, Any]


def take(approval: Approval, decision: str, values: Values, *, content_digest: str | None) -> Taken:
    """Take what comes with a vote.

    Args:
        approval: the record.
        decision: of the vote.
        values: what it brings along.
        content_digest: of what the voter saw, which stands on record; None where they do not say.

    Raises:
        InvalidRequest: a value does not fit, or there is nothing to bring it for.
        ContentChanged: an approval that does not say which content, after that has changed.
    """
    if decision != "approved":
        for name, given in ((INPUT, values.input), (CHANGES, values.changes)):
            if given:
                rule = "comes with an approval only: leave it out of a rejection"
                raise InvalidRequest(name, rule)
        return Taken(approval, None, {})
    if approval.changes and content_digest is None:
        raise ContentChanged(
            "the request was changed since it was asked: read it, and say by its content_digest "
            "what you approve",
            content_digest=approval.content_digest,
        )
    if values.input and approval.form is None:
        raise InvalidRequest(INPUT, "is for a request with a form, which this one has not")
    filled, after, made = _fitting(approval, values)
    details = {} if filled is None else {INPUT: filled}
    if not made:
        return Taken(approval, filled, details)
    if approval.turn.stage:
        rule = "come too late: an earlier stage has approved it as it is; reject it and say why"
        raise InvalidRequest(CHANGES, rule)
    if content_digest is None:
        rule = "is required with changes: it says what you were shown before them"
        raise InvalidRequest("content_digest", rule)
    changed = replace(
        approval,
        context=_written(after),
        changes=merged(approval.changes, made),
        votes=(),
    )
    changed = replace(changed, content_digest=digest_content(changed))
    return Taken(changed, filled, {**details, CHANGES: changes_view(made)})


def _fitting(
    approval: Approval, values: Values
) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, Change]]:
    """What was filled in, the context as it is then, and what of it has changed.

    Raises:
        ValuesRefused: naming all that does not fit.
    """
    problems: dict[str, str] = {}
    filled: dict[str, Any] | None = None
    after: dict[str, Any] = {}
    made: dict[str, Change] = {}
    try:
        if approval.form is not None:
            filled = approval.form.validate(values.input or {})
    except ValuesRefused as refused:
        problems |= refused.details["fields"]
    try:
        if values.changes:
            after, made = edit(json.loads(approval.context), approval.editable, values.changes)
    except ValuesRefused as refused:
        problems |= refused.details["fields"]
    if problems:
        raise ValuesRefused(problems)
    return filled, after, made


def is_repeated(approval: Approval, vote: Vote, decision: str, values: Values) -> bool:
    """Whether a vote on record is this one, come again: nothing else would be written of it."""
    if vote.decision != decision:
        return False
    try:
        if values.input is not None and approval.form is not None:
            same = approval.form.validate(values.input) == vote.input
        else:
            same = not values.input
        if same and values.changes:
            _, made = edit(json.loads(approval.context), approval.editable, values.changes)
            same = not made
    except InvalidRequest:
        return False
    return same


def is_edit(details: Mapping[str, Any]) -> bool:
    """Whether an event's details say that the content has changed."""
    return bool(details.get(CHANGES))


def fields_to_change(approval: Approval) -> tuple[FormField, ...]:
    """What the approver may change, filled in as it stands on record."""
    if not approval.editable:
        return ()
    return editable_fields(json.loads(approval.context), approval.editable)


def of_texts(approval: Approval, typed: Mapping[str, str]) -> Values:
    """What somebody has typed on a form that showed all of a request's fields.

    Args:
        approval: the record.
        typed: by the name of a field, or the path of a value.
    """
    return Values(
        None if approval.form is None else approval.form.of_texts(typed),
        {
            each.name: each.of_text(typed[each.name])
            for each in fields_to_change(approval)
            if each.name in typed
        },
    )


def _written(context: Mapping[str, Any]) -> str:
    """A changed context as it is stored.

    Raises:
        InvalidRequest: it is too large.
    """
    stored = json.dumps(context, ensure_ascii=False)
    if len(stored.encode()) > MAX_CONTEXT_WITH_VALUES:
        rule = f"make the context longer than {MAX_CONTEXT_WITH_VALUES} bytes"
        raise InvalidRequest(CHANGES, rule)
    return stored


def rows_sent(approval: Approval) -> list[tuple[str, str]]:
    """What messages say of values, as labels and texts; what is sensitive is masked."""
    rows = []
    if approval.pending:
        if approval.form is not None:
            rows.append(("To fill in", ", ".join(each.label for each in approval.form.fields)))
        if approval.editable:
            rows.append(("May change", ", ".join(approval.editable)))
    else:
        for vote in approval.votes:
            filled = [f"{label}: {said}" for label, said in filled_in(approval, vote, sent=True)]
            if filled:
                rows.append(("Filled in", "\n".join([f"by {vote.approver}", *filled])))
    changed = [f"{path}: {said}" for path, said in changed_values(approval, sent=True)]
    return [*rows, *([("Changed", "\n".join(changed))] if changed else [])]


def filled_in(approval: Approval, vote: Vote, *, sent: bool = False) -> list[tuple[str, str]]:
    """What somebody has filled in, as labels and texts.

    Args:
        approval: the record.
        vote: theirs.
        sent: whether what is sensitive is masked.
    """
    if approval.form is None or vote.input is None:
        return []
    values = masked_values(vote.input, approval.sensitive) if sent else vote.input
    return list(approval.form.lines(values))


def changed_values(approval: Approval, *, sent: bool = False) -> list[tuple[str, str]]:
    """What has been changed since it was asked, as paths and texts: `100 -> 120`.

    Args:
        approval: the record.
        sent: whether what is sensitive is masked.
    """
    hidden = approval.sensitive if sent else ()
    shown = masked_values(approval.changes, hidden)
    return [
        (path, one if isinstance(one, str) else f"{in_words(one.before)} -> {in_words(one.after)}")
        for path, one in shown.items()
    ]

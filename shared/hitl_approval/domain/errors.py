"""What can go wrong, as answers that a caller can act on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class ApprovalError(Exception):
    """A refusal with a stable code.

    Attributes:
        code: stable, for programs; the text may change, the code may not.
        status: HTTP status code.
        details: JSON values that explain, never secrets.
    """

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details

    def to_dict(self) -> dict[str, Any]:
        """The error as it stands in an answer's body."""
        return {"error": {"code": self.code, "message": str(self), "details": self.details}}

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> ApprovalError:
        """The error that `to_dict` has written; of a code that is not known here, unavailable."""
        said = values["error"]
        found = _by_code(ApprovalError).get(said["code"], Unavailable)
        error = found.__new__(found)
        ApprovalError.__init__(error, said["message"], **said["details"])
        return error


class InvalidRequest(ApprovalError):  # noqa: N818  the name that callers see as the execution's error type
    """Input that breaks a rule; nothing was written."""

    # The durable SDK writes module and name as the execution's ErrorType: the public home, which
    # callers may match on, not this file, which may move.
    __module__ = "hitl_approval"

    code = "INVALID_REQUEST"
    status = 400

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}", field=field)


class ValuesRefused(InvalidRequest):
    """Values of an approval that do not fit: all of them, so that they are put right at once.

    `details["field"]` names the first as `input.amount`, `details["fields"]` has the rule of each.
    """

    def __init__(self, problems: Mapping[str, str]) -> None:
        first = next(iter(problems))
        super().__init__(first, problems[first])
        self.details["fields"] = dict(problems)


class CommentRequired(InvalidRequest):
    """A rejection that does not say why, where the policy demands it."""

    def __init__(self) -> None:
        super().__init__("comments", "a rejection must say why")


class Unauthenticated(ApprovalError):  # noqa: N818  public code UNAUTHENTICATED
    """Nobody has signed in, or the sign-in does not name a person."""

    code = "UNAUTHENTICATED"
    status = 401


class Forbidden(ApprovalError):  # noqa: N818  named as the HTTP status is
    """The caller may not decide this request; `details["rule"]` names the policy's rule, if one."""

    code = "FORBIDDEN"
    status = 403


class ApprovalNotFound(ApprovalError):  # noqa: N818  public code APPROVAL_NOT_FOUND
    """No approval has this id."""

    code = "APPROVAL_NOT_FOUND"
    status = 404

    def __init__(self, approval_id: str) -> None:
        super().__init__(f"no approval has the id {approval_id}", approval_id=approval_id)


class AlreadyDecided(ApprovalError):  # noqa: N818  public code APPROVAL_ALREADY_DECIDED
    """Somebody else's decision, or the caller's own opposite one, came first."""

    code = "APPROVAL_ALREADY_DECIDED"
    status = 409


class ApprovalExpired(ApprovalError):  # noqa: N818  public code APPROVAL_EXPIRED
    """The time to decide has passed."""

    code = "APPROVAL_EXPIRED"
    status = 409


class RemindedAlready(ApprovalError):  # noqa: N818  public code REMINDED_ALREADY
    """Somebody was reminded a short while ago."""

    code = "REMINDED_ALREADY"
    status = 429


class ThreadFull(ApprovalError):  # noqa: N818  public code THREAD_FULL
    """A request has as many comments as one takes."""

    code = "THREAD_FULL"
    status = 409

    def __init__(self, most: int) -> None:
        super().__init__(
            f"this request has {most} comments, which is as many as one takes: talk about it "
            "elsewhere, then decide or withdraw it",
            most=most,
        )


class RecordFull(ApprovalError):  # noqa: N818  public code RECORD_FULL
    """A record has as many names as it holds of people who were not asked at first."""

    code = "RECORD_FULL"
    status = 409

    def __init__(self, who: str) -> None:
        super().__init__(f"the record has no room for one name more: {who} must answer this")


class ContentChanged(ApprovalError):  # noqa: N818  public code APPROVAL_CHANGED
    """What the approver saw is not what stands on record."""

    code = "APPROVAL_CHANGED"
    status = 409


class Unavailable(ApprovalError):  # noqa: N818  public code UNAVAILABLE
    """An AWS service did not take the call now; the same call may succeed later."""

    code = "UNAVAILABLE"
    status = 503


class Unanswered(Unavailable):
    """No answer came, so that nobody knows whether the service has taken the call."""


class UnreadableRecord(ApprovalError):  # noqa: N818  public code RECORD_UNREADABLE
    """A row that this version cannot read: damaged, or written by another version."""

    code = "RECORD_UNREADABLE"
    status = 500

    def __init__(self, approval_id: str, problem: str) -> None:
        super().__init__(f"the record of {approval_id} cannot be read: {problem}")
        self.problem = problem


class RecordAltered(ApprovalError):  # noqa: N818  public code RECORD_ALTERED
    """A row says that its approval has ended otherwise than its audit trail says.

    Nobody acts on such a row. `details` names the fields that do not agree.
    """

    __module__ = "hitl_approval"

    code = "RECORD_ALTERED"
    status = 500

    def __init__(self, approval_id: str, fields: Sequence[str]) -> None:
        named = ", ".join(fields)
        super().__init__(
            f"the record of {approval_id} is not what its audit trail says: {named}",
            approval_id=approval_id,
            fields=list(fields),
        )


class VersionConflict(Exception):  # noqa: N818  internal: read again and decide again
    """The record changed since it was read."""


class Undeliverable(Exception):  # noqa: N818  internal: the message fails, and says why
    """A channel refuses a message for good, for the reason in words that its text is."""


def _by_code(parent: type[ApprovalError]) -> dict[str, type[ApprovalError]]:
    """The classes below this one which declare a code, by it."""
    found = {}
    for kind in parent.__subclasses__():
        if "code" in vars(kind):
            found[kind.code] = kind
        found |= _by_code(kind)
    return found

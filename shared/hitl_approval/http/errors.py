"""What only the HTTP side refuses; everything else is in `domain.errors`."""

from __future__ import annotations

from hitl_approval.domain.errors import ApprovalError, InvalidRequest


class MethodNotAllowed(ApprovalError):  # noqa: N818  named as the HTTP status is
    """Only POST carries an action; opening a link changes nothing."""

    code = "METHOD_NOT_ALLOWED"
    status = 405


class InternalError(ApprovalError):
    """Something that is not the caller's fault; the log has it."""

    code = "INTERNAL"
    status = 500


class UnsupportedMediaType(ApprovalError):  # noqa: N818  named as the HTTP status is
    """A body that is not said to be JSON, which a form of another site could have sent."""

    code = "UNSUPPORTED_MEDIA_TYPE"
    status = 415


class UnknownLink(ApprovalError):  # noqa: N818  reads as what happened
    """No link: altered, cut short, another request's, or never sent. One answer for all of them."""

    code = "LINK_UNKNOWN"
    status = 404

    def __init__(self) -> None:
        super().__init__("this link does not open anything")


class ChoiceMissing(InvalidRequest):
    """A form was sent without a choice between approving and rejecting."""

    def __init__(self) -> None:
        super().__init__("decision", "choose one of the two")


class WrongChallenge(InvalidRequest):
    """The code that was typed is not the one of this request."""

    def __init__(self) -> None:
        super().__init__("challenge", "is not the code of this request")


class NotShown(ApprovalError):  # noqa: N818  reads as what happened
    """An approval of what was shown in part only."""

    code = "NOT_SHOWN"
    status = 409

    def __init__(self) -> None:
        super().__init__("the request goes on: read it to its end, and approve there")

"""A reported post is shown again, or hidden and its author reads why."""

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, wait_for_approval


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, str]:
    post, author = event["post_id"], event["author"]
    outcome = wait_for_approval(
        context,
        ApprovalRequest(
            subject=f"Keep post {post}?",
            requester="reports",
            context={"post": event["text"], "author": author, "reported_for": event["reason"]},
        ),
    )
    # Silence is a rejection here (`on_timeout` in app.py), by nobody in particular.
    visibility = "shown" if outcome.approved else "hidden"
    context.step(lambda _: set_visibility(post, visibility), name="set-visibility")
    if not outcome.approved:
        why = outcome.comments or "Nobody has reviewed it yet."
        context.step(lambda _: tell(author, why), name="tell")
    return {"post_id": post, "visibility": visibility, "why": outcome.comments}


def set_visibility(post: str, visibility: str) -> None:
    """Your code."""
    print(f"post {post}: {visibility}")


def tell(author: str, why: str) -> None:
    """Your code."""
    print(f"to {author}: your post is hidden. {why}")

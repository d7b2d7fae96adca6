"""A document waits for the board; approved, it is published, else it goes back to its author."""

from typing import Any

from aws_durable_execution_sdk_python import DurableContext, durable_execution

from hitl_approval import ApprovalRequest, wait_for_approval


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    title, author = event["title"], event["author"]
    outcome = wait_for_approval(
        context,
        ApprovalRequest(
            subject=f"Publish {title}",
            requester=author,
            context={"title": title, "author": author, "link": event["link"]},
        ),
    )
    if outcome.approved:
        url = context.step(lambda _: publish(event["link"]), name="publish")
        return {"published": url, "approved_by": outcome.decided_by}
    # Rejected, or nobody answered in three days: both are results, not errors.
    context.step(lambda _: send_back(author, title, outcome.comments), name="send-back")
    return {"published": None, "status": outcome.status, "comments": outcome.comments}


def publish(link: str) -> str:
    """Your code: make it public. A step may be tried again, so let it bear being done twice."""
    return link.replace("/drafts/", "/published/")


def send_back(author: str, title: str, comments: str) -> None:
    """Your code: tell the author."""
    print(f"to {author}: {title} is not published. {comments}")

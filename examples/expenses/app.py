"""Expenses: the amount decides who is asked, from nobody to a manager and then finance."""

from datetime import timedelta
from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from constructs import Construct

from hitl_approval import Escalate, Quorum, Rule, approve, field
from hitl_approval_cdk import ApprovalPage, EmailApprover, HitlApproval

GROUPS = {  # yours here
    "managers": ["ann@example.com", "bob@example.com"],
    "finance": ["fay@example.com"],
    "directors": ["dan@example.com"],
}
APPROVERS = ["managers"]  # one of them is enough, where no rule says otherwise
RULES = [
    Rule("small", when=(field("claimed") > 0) & (field("claimed") <= 50), then=approve()),
    Rule("large", when=field("claimed") > 1000, quorum=Quorum.at_least(2)),
]
ESCALATION = [Escalate(after=timedelta(days=2), to=["directors"])]


class Expenses(Stack):
    """The people who are asked, the rules they are asked under, and a durable function."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        self.approvals = HitlApproval(
            self,
            "Approvals",
            groups=GROUPS,
            approvers=APPROVERS,
            rules=RULES,
            escalation=ESCALATION,
            approval_timeout=Duration.days(7),  # of each stage
            execution_timeout=Duration.days(15),  # of both, and a day more
            # Each of them is mailed a personal link that decides.
            page=ApprovalPage(),
            deliver_to=[EmailApprover(name) for people in GROUPS.values() for name in people],
            removal_policy=RemovalPolicy.DESTROY,  # an example; leave it out to keep the records
        )
        self.pay = self.approvals.function(
            "Pay",
            function_name="expenses",
            entry=Path(__file__).parent / "lambda",
            handler="handler.handler",
        )


if __name__ == "__main__":
    app = App()
    Expenses(app, "expenses")
    app.synth()

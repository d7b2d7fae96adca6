"""Who gets the alarms: a topic that is given, addresses, or both."""

from __future__ import annotations

from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns

from hitl_approval_cdk import HitlApproval, Monitoring
from tests.infra.synth import any_stack, of_type, permissions, template, text, warnings_of
from tests.infra.test_alarms import named


def test_should_make_a_topic_for_addresses() -> None:
    stack = any_stack()
    chosen = Monitoring(alarm_emails=["ops@example.com", "night@example.com"])
    approval = HitlApproval(stack, "Approval", notify_emails=["ops@example.com"], monitoring=chosen)
    found = template(stack)
    to = [
        each["Endpoint"]
        for each in of_type(found["Resources"], "AWS::SNS::Subscription").values()
        if text(each["TopicArn"]) == "<ApprovalAlarmTopic>"
    ]
    assert sorted(to) == ["night@example.com", "ops@example.com"]
    assert approval.alarm_topic is not None
    for alarm in named(found).values():
        assert [text(action) for action in alarm["AlarmActions"]] == ["<ApprovalAlarmTopic>"]


def test_should_subscribe_addresses_to_a_topic_that_is_given() -> None:
    stack = any_stack()
    topic = sns.Topic(stack, "Operators")
    chosen = Monitoring(alarm_topic=topic, alarm_emails=["ops@example.com"])
    approval = HitlApproval(stack, "Approval", monitoring=chosen)
    found = template(stack)["Resources"]
    [subscription] = of_type(found, "AWS::SNS::Subscription").values()
    assert text(subscription["TopicArn"]) == "<Operators>"
    assert approval.alarm_topic is topic
    assert len(of_type(found, "AWS::SNS::Topic")) == 2


def test_should_show_alarms_in_cloudwatch_alone_where_nobody_gets_them() -> None:
    stack = any_stack()
    approval = HitlApproval(stack, "Approval", monitoring=Monitoring())
    assert approval.alarm_topic is None
    for alarm in named(template(stack)).values():
        assert "AlarmActions" not in alarm


def test_should_let_cloudwatch_use_the_key_of_its_topic() -> None:
    stack = any_stack()
    key = kms.Key(stack, "Key")
    chosen = Monitoring(alarm_emails=["ops@example.com"])
    HitlApproval(stack, "Approval", encryption_key=key, monitoring=chosen)
    found = template(stack)["Resources"]
    [made] = of_type(found, "AWS::KMS::Key").values()
    [statement] = [
        each
        for each in made["KeyPolicy"]["Statement"]
        if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    topics = of_type(found, "AWS::SNS::Topic")
    assert all("KmsMasterKeyId" in topic for topic in topics.values())


def test_should_say_what_the_policy_of_a_key_from_elsewhere_must_allow() -> None:
    stack = any_stack()
    arn = f"arn:aws:kms:{stack.region}:{stack.account}:key/11111111-2222-3333-4444-555555555555"
    key = kms.Key.from_key_arn(stack, "Key", arn)
    chosen = Monitoring(alarm_emails=["ops@example.com"])
    HitlApproval(stack, "Approval", encryption_key=key, monitoring=chosen)
    assert "it must allow cloudwatch.amazonaws.com kms:Decrypt" in warnings_of(stack)


def test_should_let_the_sweep_read_the_age_of_requests_only_where_it_is_measured() -> None:
    for monitoring, reads in ((None, False), (Monitoring(dashboard=False), True)):
        stack = any_stack()
        HitlApproval(stack, "Approval", monitoring=monitoring)
        allowed = permissions(template(stack)["Resources"])["ApprovalSweepRole"]
        index = ("dynamodb:Query", "<ApprovalTable.Arn>/index/StatusIndex")
        assert (index in allowed) is reads

"""The tables: laid out as the contract says, kept, recoverable and encrypted."""

from __future__ import annotations

from typing import Any

import pytest

from hitl_approval import contract
from tests.infra.synth import Resources, of_type, text


class TestStorage:
    def test_should_lay_out_the_approvals_table_as_the_contract_says(
        self, default: Resources
    ) -> None:
        table = _table(default, "ApprovalTable")["Properties"]
        assert table["TableName"] == "hitl-approval-ApprovalRequests"
        assert table["KeySchema"] == [{"AttributeName": "approval_id", "KeyType": "HASH"}]
        index, attention = table["GlobalSecondaryIndexes"]
        assert index["IndexName"] == "StatusIndex"
        assert [(key["AttributeName"], key["KeyType"]) for key in index["KeySchema"]] == [
            ("status", "HASH"),
            ("created_at", "RANGE"),
        ]
        assert index["Projection"] == {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": list(contract.Table.LIST_ATTRIBUTES),
        }
        assert attention["IndexName"] == "AttentionIndex"
        assert [key["AttributeName"] for key in attention["KeySchema"]] == [
            "attention",
            "attention_at",
        ]
        assert attention["Projection"] == {
            "ProjectionType": "INCLUDE",
            "NonKeyAttributes": list(contract.Table.ATTENTION_ATTRIBUTES),
        }
        assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}

    def test_should_lay_out_the_audit_table_without_expiry(self, default: Resources) -> None:
        table = _table(default, "ApprovalAuditTable")["Properties"]
        assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [
            ("approval_id", "HASH"),
            ("sequence", "RANGE"),
        ]
        assert {"AttributeName": "sequence", "AttributeType": "N"} in table["AttributeDefinitions"]
        assert "TimeToLiveSpecification" not in table

    @pytest.mark.parametrize("name", ["ApprovalTable", "ApprovalAuditTable"])
    def test_should_keep_recover_and_encrypt_every_table(
        self, default: Resources, name: str
    ) -> None:
        table = _table(default, name)
        assert table["DeletionPolicy"] == "RetainExceptOnCreate"
        assert table["UpdateReplacePolicy"] == "Retain"
        properties = table["Properties"]
        assert properties["PointInTimeRecoverySpecification"] == {
            "PointInTimeRecoveryEnabled": True
        }
        assert properties["SSESpecification"]["SSEEnabled"] is True
        assert properties["BillingMode"] == "PAY_PER_REQUEST"

    def test_should_keep_nothing_that_a_rolled_back_deployment_made(
        self, any_resources: Resources
    ) -> None:
        # It would have no stack, and its name would stop the next deployment.
        kept = {r["Type"] for r in any_resources.values() if r.get("DeletionPolicy") == "Retain"}
        assert kept <= {"AWS::KMS::Key"}  # brought along

    def test_should_encrypt_everything_that_holds_requests_with_the_customers_key(
        self, templates: dict[str, Any]
    ) -> None:
        resources = templates["polling_with_customer_key"]["Resources"]
        for table in of_type(resources, "AWS::DynamoDB::Table").values():
            assert text(table["SSESpecification"]["KMSMasterKeyId"]) == "<Key.Arn>"
        [topic] = of_type(resources, "AWS::SNS::Topic").values()
        assert text(topic["KmsMasterKeyId"]) == "<Key.Arn>"
        [queue] = of_type(resources, "AWS::SQS::Queue").values()
        assert text(queue["KmsMasterKeyId"]) == "<Key.Arn>"

    def test_should_delete_the_tables_when_asked_to(self, templates: dict[str, Any]) -> None:
        resources = templates["polling_with_customer_key"]["Resources"]
        for resource in resources.values():
            if resource["Type"] == "AWS::DynamoDB::Table":
                assert resource["DeletionPolicy"] == "Delete"


def _table(resources: Resources, prefix: str) -> dict[str, Any]:
    [found] = [
        dict(resource)
        for name, resource in resources.items()
        if resource["Type"] == "AWS::DynamoDB::Table" and text({"Ref": name}) == f"<{prefix}>"
    ]
    return found

"""Edits of the source, each of which breaks a promise and must make a test fail.

An edit that no longer applies is an error, which `make mutants` says first.
"""

from __future__ import annotations

from dataclasses import dataclass

OUTBOX = "tests/contract/test_messages.py"
STORE = "tests/contract/test_store.py"
ADAPTERS = "tests/unit/adapters"
API = "tests/unit/http"
AUDIT = "tests/unit/domain/test_audit.py"
POLICY = "tests/unit/domain/test_policy.py"
SERVICE = "tests/unit/usecases"
SWEEP = "tests/unit/usecases/test_sweep.py"
AGREEMENT = "tests/unit/domain/test_agreement.py"
TERMS = (
    "tests/unit/domain/test_approval.py",
    "tests/unit/domain/test_ending.py",
    "tests/unit/domain/test_voting.py",
)
PEOPLE = "tests/property/test_person_properties.py"
PROPERTIES = "tests/property/test_approval_properties.py"
EDITS = "tests/property/test_edit_properties.py"
WAITING = "tests/workflow/test_waiting.py"

DYNAMODB = "shared/hitl_approval/adapters/dynamodb.py"
MESSAGES = "shared/hitl_approval/adapters/messages.py"
SNS = "shared/hitl_approval/adapters/sns.py"
SES = "shared/hitl_approval/adapters/ses.py"
RETURNED = "shared/hitl_approval/usecases/returned.py"
DIRECTORY = "shared/hitl_approval/domain/delivery.py"
CALLBACKS = "shared/hitl_approval/adapters/callbacks.py"
PERMISSION = "shared/hitl_approval/domain/permission.py"
APPROVAL = "shared/hitl_approval/domain/approval.py"
VALUES = "shared/hitl_approval/domain/values.py"
VOTING = "shared/hitl_approval/domain/voting.py"
ENDING = "shared/hitl_approval/domain/ending.py"
TRAIL = "shared/hitl_approval/domain/audit.py"
RULES = "shared/hitl_approval/domain/policy.py"
SCHEDULE = "shared/hitl_approval/domain/schedule.py"
IDENTITY = "shared/hitl_approval/http/identity.py"
REQUEST = "shared/hitl_approval/usecases/request.py"
SIGN_IN = "shared/hitl_approval/http/sign_in.py"
READING = "shared/hitl_approval/http/reading.py"
DECIDE = "shared/hitl_approval/usecases/decide.py"
SAYING = "shared/hitl_approval/domain/saying.py"
DELIVER = "shared/hitl_approval/usecases/deliver.py"
SWEEPING = "shared/hitl_approval/usecases/sweep.py"
RECORDS = "shared/hitl_approval/usecases/records.py"
WAIT = "shared/hitl_approval/durable/wait.py"
CONDITION = "shared/hitl_approval/domain/condition.py"
RULING = "shared/hitl_approval/domain/rule.py"
ASK = "shared/hitl_approval/usecases/ask.py"
MESSAGE = "shared/hitl_approval/domain/message.py"
RULE_TESTS = "tests/unit/domain/test_rule.py"
RULE_PROPERTIES = "tests/property/test_rule_properties.py"
ASKING = "tests/unit/usecases/test_ask.py"
AGREES = "shared/hitl_approval/domain/agreement.py"
DIGEST = "shared/hitl_approval/domain/digest.py"
OUTCOME = "shared/hitl_approval/domain/outcome.py"
BINDING = "shared/hitl_approval/domain/binding.py"
SALTED = "shared/hitl_approval/domain/salted.py"
ERASING = "cli/hitl_approval_cli/erasing.py"
SALTED_TESTS = ("tests/unit/domain/test_salted.py", "tests/property/test_erasure_properties.py")
ERASING_TESTS = ("tests/cli/test_erasing.py",)
DELEGATING = "shared/hitl_approval/domain/delegation.py"
DELEGATIONS = "tests/unit/domain/test_delegation.py"
SUPERSEDING = "shared/hitl_approval/domain/superseding.py"
BOUND = ("tests/unit/domain/test_outcome.py", "tests/unit/domain/test_binding.py")
REPLACED = ("tests/unit/domain/test_superseding.py",)
TURN = "shared/hitl_approval/domain/turn.py"
QUORUM = "shared/hitl_approval/domain/quorum.py"
ESCALATION = "shared/hitl_approval/domain/escalation.py"
REASSIGN = "shared/hitl_approval/domain/reassign.py"
TURN_TESTS = ("tests/unit/domain/test_turn.py",)
VOTING_TESTS = ("tests/unit/domain/test_voting.py",)
QUORUM_TESTS = ("tests/unit/domain/test_quorum.py",)
ESCALATION_TESTS = ("tests/unit/domain/test_escalation.py",)
REASSIGN_TESTS = ("tests/unit/domain/test_reassign.py",)
MACHINE = ("tests/property/test_service_machine.py",)
AGENT_RUN = "shared/hitl_approval/agents/agent_run.py"
AGENT_ASKING = "shared/hitl_approval/agents/asking.py"
AGENT_GATE = "shared/hitl_approval/agents/gate.py"
TOGETHER = "shared/hitl_approval/agents/together.py"
TOOL_ARGUMENTS = "shared/hitl_approval/domain/tool_arguments.py"
MCP_GATE = "cli/hitl_approval_cli/mcp_gate.py"
MCP_ASKING = "cli/hitl_approval_cli/mcp_asking.py"
AGENTS = "tests/agents/test_contract.py"
AGENT_ASKING_TESTS = ("tests/unit/agents/test_asking.py",)
AGENT_GATE_TESTS = ("tests/unit/agents/test_gate.py",)
TOGETHER_TESTS = ("tests/unit/agents/test_together.py",)
TOOL_ARGUMENTS_TESTS = ("tests/unit/domain/test_tool_arguments.py",)
MCP_GATE_TESTS = ("tests/cli/test_mcp_gate.py",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit of one file.

    Attributes:
        id: what is wrong with the product then.
        file: which file is edited.
        old: text that stands there exactly once.
        new: what stands there instead.
        breaks: the promise of `docs/reliability.md` that is not kept any more.
        tests: files, or a folder, of which a test must fail.
    """

    id: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]


MUTANTS: tuple[Mutant, ...] = (
    # Values and changes
    Mutant(
        "earlier votes cover a change",
        VALUES,
        "        votes=(),\n",
        "",
        "approved_by_policy",
        (EDITS,),
    ),
    Mutant(
        "a changed request is approved unseen",
        VALUES,
        "    if approval.changes and content_digest is None:\n",
        "    if False:\n",
        "approved_by_policy",
        (EDITS,),
    ),
    Mutant(
        "a change is taken from who was shown nothing",
        VALUES,
        "    if content_digest is None:\n        rule = ",
        "    if False:\n        rule = ",
        "approved_by_policy",
        (EDITS,),
    ),
    Mutant(
        "a change keeps the digest of what was asked",
        VALUES,
        "    changed = replace(changed, content_digest=digest_content(changed))\n",
        "",
        "audit_is_whole",
        (EDITS,),
    ),
    Mutant(
        "a later stage changes what an earlier one has approved",
        VALUES,
        "    if approval.turn.stage:\n",
        "    if False:\n",
        "approved_by_policy",
        (EDITS, *MACHINE),
    ),
    Mutant(
        "a changed context is not written",
        DYNAMODB,
        "        if is_edit(transition.event.details):\n",
        "        if False:\n",
        "audit_is_whole",
        (STORE,),
    ),
    Mutant(
        "any event may bring another content",
        AGREES,
        "        if said != digest and not (name_of(event) in _EDITS "
        "and is_edit(details_of(event))):\n",
        "        if False:\n",
        "audit_is_whole",
        ("tests/unit/domain/test_values.py", AGREEMENT),
    ),
    Mutant(
        "a change of what is not editable is taken",
        "shared/hitl_approval/domain/edit.py",
        "    for path, value in changes.items():\n        each = fields.get(path)\n",
        "    for path, value in changes.items():\n"
        "        each = fields.get(path) or editable_fields(context, [path])[0]\n",
        "refusals_change_nothing",
        ("tests/unit/domain/test_edit.py",),
    ),
    Mutant(
        "who had answered is not asked again after a change",
        "shared/hitl_approval/domain/message.py",
        """    if event["event"] == "voted" and is_edit""",
        """    if event["event"] == "never" and is_edit""",
        "everybody_is_notified",
        ("tests/unit/domain/test_message.py",),
    ),
    # The row against its trail
    Mutant(
        "the workflow believes the row alone",
        REQUEST,
        "        approval = self._agreed(approval)\n",
        "",
        "all_agree",
        (AGREEMENT,),
    ),
    Mutant(
        "a row's status is not held against the last event",
        AGREES,
        '        ("status", approval.status, name_of(last) if ended else "pending"),\n',
        "",
        "all_agree",
        (AGREEMENT,),
    ),
    Mutant(
        "a row's content is not held against the last event",
        AGREES,
        '        ("content", digest_content(approval), digest),\n',
        "",
        "all_agree",
        (AGREEMENT,),
    ),
    Mutant(
        "one record's error ends the sweep",
        SWEEPING,
        '            return _Seen("failed", type(error).__name__)\n',
        "            raise\n",
        "nothing_is_left_behind",
        (SWEEP,),
    ),
    Mutant(
        "what the sweep cannot repair stays in front of what it can",
        SWEEPING,
        '        if seen.outcome in {"well", "escalated", "repaired"}:\n',
        '        if seen.outcome != "ended":\n',
        "nothing_is_left_behind",
        (SWEEP,),
    ),
    Mutant(
        "the sweep reads again and again what it cannot read",
        SWEEPING,
        'None if seen.outcome == "unreadable" else',
        "",
        "nothing_is_left_behind",
        (SWEEP,),
    ),
    Mutant(
        "the sweep reads the first page only",
        DYNAMODB,
        '[str(read_item(item)[Table.PARTITION_KEY]) for item in answer["Items"]]\n',
        '[str(read_item(item)[Table.PARTITION_KEY]) for item in answer["Items"]]\n'
        "            return\n",
        "nothing_is_left_behind",
        (STORE,),
    ),
    # The conditions of the writes
    Mutant(
        "commit does not ask for the version that was read",
        DYNAMODB,
        '"#version = :read AND #{Table.STATUS} = :pending"',
        '"(#version = :read OR attribute_exists(#version)) AND #{Table.STATUS} = :pending"',
        "nothing_answered_is_lost",
        (STORE,),
    ),
    Mutant(
        "commit writes to what has ended",
        DYNAMODB,
        '"#version = :read AND #{Table.STATUS} = :pending"',
        '"#version = :read AND (#{Table.STATUS} = :pending OR attribute_exists(#status))"',
        "one_terminal_status",
        (STORE,),
    ),
    Mutant(
        "commit has no condition on the row",
        DYNAMODB,
        '"#version = :read AND #{Table.STATUS} = :pending"',
        '"NOT (#version = :read AND #{Table.STATUS} = :pending AND attribute_not_exists(#status))"',
        "one_terminal_status",
        (STORE,),
    ),
    Mutant(
        "an audit event is put over another",
        DYNAMODB,
        '                "ConditionExpression": f"attribute_not_exists({Audit.PARTITION_KEY})",\n',
        "",
        "audit_is_whole",
        (STORE,),
    ),
    Mutant(
        "create puts a row over another",
        DYNAMODB,
        '                "ConditionExpression": f"attribute_not_exists({Table.PARTITION_KEY})",\n',
        "",
        "one_terminal_status",
        (STORE,),
    ),
    Mutant(
        "a callback is registered on what has ended",
        DYNAMODB,
        'version = version + :one",\n                    ConditionExpression="#status = :pending',
        'version = version + :one",\n                    ConditionExpression="#status <> :one',
        "refusals_change_nothing",
        (STORE,),
    ),
    Mutant(
        "two messengers begin the same try",
        MESSAGES,
        'ConditionExpression="#due = :due",',
        'ConditionExpression="#due <= :until OR #due = :due",',
        "sent_once",
        (OUTBOX,),
    ),
    Mutant(
        "a message brought again is sent again",
        MESSAGES,
        'ConditionExpression=f"attribute_not_exists({Messages.PARTITION_KEY})",',
        "",
        "sent_once",
        (OUTBOX,),
    ),
    Mutant(
        "a refusal undoes what another try has begun",
        MESSAGES,
        '"#attempts = :mine AND attribute_exists(#due)"',
        '"#attempts <> :mine OR attribute_exists(#due)"',
        "sent_once",
        (OUTBOX,),
    ),
    Mutant(
        "a message that was sent stays due",
        MESSAGES,
        '"SET #state = :sent, sent_at = :at, receipt = :receipt "\n                "REMOVE #due"',
        '"SET #state = :sent, sent_at = :at, receipt = :receipt, "\n                "#due = #due"',
        "sent_once",
        (OUTBOX,),
    ),
    Mutant(
        "an outcome is sent to who was never asked",
        DELIVER,
        '                return self._end(message, "void", "nothing was sent before")\n',
        "                pass\n",
        "notified_once",
        (SERVICE,),
    ),
    Mutant(
        "a reminder is sent after the end",
        SAYING,
        '        return "the request has ended"\n',
        "        pass\n",
        "sent_once",
        (SERVICE,),
    ),
    Mutant(
        "a personal link is published to everybody",
        SNS,
        "        if self.personal is (notification.recipient is None):\n",
        "        if False:\n",
        "notified_once",
        (ADAPTERS,),
    ),
    Mutant(
        "a link decides without its code",
        "shared/hitl_approval/http/link_page.py",
        "            check_shown(decision, whole=whole)\n"
        "            _check_challenge(opened, form)\n",
        "            check_shown(decision, whole=whole)\n",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a form of another site is taken from who has signed in",
        "shared/hitl_approval/http/signed_in.py",
        "html.form_of(self.event, page_url=self.page_url, origin_required=True)",
        "html.form_of(self.event, page_url=self.page_url)",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a form that the browser says is another site's is taken",
        "shared/hitl_approval/http/html.py",
        'return site == "same-origin"',
        'return site != "cross-origin"',
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "the caller of the JSON API says who decides",
        "shared/hitl_approval/http/json_api.py",
        '_with({"action": action, **_path(event)}, _body(event), without=_WHO)',
        '_with({"action": action, **_path(event)}, _body(event))',
        "refusals_change_nothing",
        (API,),
    ),
    Mutant(
        "an outcome's link decides",
        "shared/hitl_approval/domain/link.py",
        "        for digest in message.links if message.brings_link else ():\n",
        "        for digest in message.links:\n",
        "approved_by_policy",
        ("tests/unit/domain/test_link.py",),
    ),
    Mutant(
        "any form decides",
        READING,
        "if not whole and not is_nonce(given, self.nonce(whole=False)):",
        "if False:",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a form of the first part approves",
        READING,
        'if decision == "approved" and not whole:',
        'if decision == "rejected" and not whole:',
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "who skips a part is shown the last one",
        READING,
        'return part if is_nonce(key, self._made(f"part {part}")) else 1',
        "return part",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a part that is read once counts for every content",
        READING,
        'message = f"{purpose}:{self.content_digest}".encode()',
        "message = purpose.encode()",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "any browser ends a sign-in that was begun in another",
        SIGN_IN,
        'if begun is None or not is_nonce(state, begun["state"]):',
        "if begun is None:",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a sign-in leads wherever a link says",
        SIGN_IN,
        "isinstance(value, str) and _OWN_PATH.fullmatch(value) else Route.INBOX",
        "isinstance(value, str) else Route.INBOX",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a token answers any sign-in",
        "shared/hitl_approval/domain/id_token.py",
        "if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):",
        "if not isinstance(given, str):",
        "approved_by_policy",
        ("tests/unit/domain/test_id_token.py", API),
    ),
    Mutant(
        "a cookie of one purpose is one of every other",
        "shared/hitl_approval/http/seal.py",
        'return hashlib.sha256(f"{purpose}\\0{payload}".encode()).digest()',
        "return hashlib.sha256(payload.encode()).digest()",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "the list approves what it does not show",
        "shared/hitl_approval/http/inbox_page.py",
        'if decision == "approved" and card(approval) is None:',
        "if False:",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a selection of another request decides",
        "shared/hitl_approval/http/inbox_page.py",
        "if not is_nonce(nonce, _nonce(self.visitor, approval)):",
        "if False:",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "what is long is left out",
        "shared/hitl_approval/domain/rows.py",
        "            made.append((*part, head))\n",
        "            pass\n",
        "approved_by_policy",
        ("tests/unit/domain/test_rows.py", API),
    ),
    Mutant(
        "a message has what is sensitive",
        "shared/hitl_approval/domain/notification.py",
        "_context(sent(approval))",
        "_context(json.loads(approval.context))",
        "notified_once",
        ("tests/unit/domain/test_masking.py",),
    ),
    Mutant(
        "opening a link decides",
        "shared/hitl_approval/http/link_page.py",
        'if method in {"GET", "HEAD"}:',
        'if method in {"HEAD"}:',
        "refusals_change_nothing",
        (API,),
    ),
    Mutant(
        "registering makes a row",
        DYNAMODB,
        'version = version + :one",\n                    ConditionExpression="#status = :pending"',
        'version = if_not_exists(version, :one) + :one",\n                    ConditionExpression='
        '"#status = :pending OR attribute_not_exists(#status)"',
        "refusals_change_nothing",
        (STORE,),
    ),
    Mutant(
        "acknowledging makes a row",
        DYNAMODB,
        '                    ConditionExpression=f"attribute_exists({Table.PARTITION_KEY})",\n',
        "",
        "refusals_change_nothing",
        (STORE,),
    ),
    Mutant(
        "no event is written beside the row",
        DYNAMODB,
        "[self._update(transition), self._event(transition), *checks]",
        "[self._update(transition), *checks]",
        "audit_is_whole",
        (STORE,),
    ),
    Mutant(
        "reads may be stale",
        DYNAMODB,
        "                Key=marshal({Table.PARTITION_KEY: approval_id}),\n"
        "                ConsistentRead=True,\n",
        "                Key=marshal({Table.PARTITION_KEY: approval_id}),\n",
        "all_agree",
        (ADAPTERS,),
    ),
    # Conflicts and repeats
    Mutant(
        "a repeated create is an error",
        DYNAMODB,
        "            return existing\n",
        "            raise\n",
        "notified_once",
        (STORE,),
    ),
    Mutant(
        "a repeated create answers with what it would have written",
        DYNAMODB,
        "            return existing\n",
        "            return transition.after\n",
        "notified_once",
        (STORE,),
    ),
    Mutant(
        "a conflict is not recognised",
        DYNAMODB,
        'frozenset({"ConditionalCheckFailed", "TransactionConflict"})',
        'frozenset({"ConditionalCheckFailed"})',
        "nothing_answered_is_lost",
        (ADAPTERS,),
    ),
    Mutant(
        "a conflict is taken for a loss",
        RECORDS,
        "                self.clock.pause(attempt)\n                continue\n",
        '                raise Unavailable("lost") from None\n',
        "nothing_answered_is_lost",
        (SERVICE,),
    ),
    Mutant(
        "a conflict is taken for a success",
        RECORDS,
        "                self.clock.pause(attempt)\n                continue\n",
        "                return transition.after, True\n",
        "nothing_answered_is_lost",
        (SERVICE,),
    ),
    Mutant(
        "what was decided before a conflict is committed after it",
        RECORDS,
        "            except VersionConflict:\n                if self.clock.now() >= until:\n",
        "            except VersionConflict:\n"
        "                return self.get(approval_id), True\n"
        "                if self.clock.now() >= until:\n",
        "losers_learn_who_won",
        (SERVICE,),
    ),
    Mutant(
        "the wait takes its own repeated create for a stranger's",
        REQUEST,
        "        if created.creation_token != creation_token:\n",
        "        if created is not proposed.after:\n",
        "notified_once",
        (WAITING,),
    ),
    Mutant(
        "a name used twice shares one record",
        REQUEST,
        "        if created.creation_token != creation_token:\n",
        "        if not created.creation_token:\n",
        "all_agree",
        (SERVICE,),
    ),
    Mutant(
        "a failed start withdraws another's request",
        REQUEST,
        "if not approval.pending or approval.creation_token != creation_token:",
        "if not approval.pending:",
        "nothing_answered_is_lost",
        (SERVICE,),
    ),
    # The rules
    Mutant(
        "one approval is a quorum",
        RULES,
        "        if approved and quorum.reached(approved, needed, anywhere):\n",
        "        if approved:\n",
        "approved_by_policy",
        (POLICY,),
    ),
    Mutant(
        "a veto is outvoted",
        RULES,
        "        if rejections >= self.rejections_needed:\n",
        "        if rejections > approvals and rejections >= self.rejections_needed:\n",
        "approved_by_policy",
        (POLICY,),
    ),
    Mutant(
        "requesters approve their own request",
        PERMISSION,
        "    if same and not approval.policy.allow_self_approval:\n",
        "    if same and not approval.pending:\n",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "strangers approve",
        PERMISSION,
        "    if approval.asked and not is_one_of(",
        "    if not approval.asked and not is_one_of(",
        "approved_by_policy",
        (PROPERTIES,),
    ),
    Mutant(
        "a typed-in name counts where identity is demanded",
        PERMISSION,
        "approval.policy.require_verified_identity and not actor.verified",
        "approval.policy.require_verified_identity and not actor.name",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "a typed-in name cancels where identity is demanded",
        ENDING,
        "    check_open(approval, now=now)\n    check_may_withdraw(approval, actor, operators)\n",
        "    check_open(approval, now=now)\n",
        "refusals_change_nothing",
        (API,),
    ),
    Mutant(
        "whoever has signed in withdraws any request",
        PERMISSION,
        " and not is_one_of((approval.requester, *operators), actor.name)",
        " and not actor.name",
        "refusals_change_nothing",
        (API,),
    ),
    Mutant(
        "a request names whom it likes",
        "shared/hitl_approval/usecases/ask.py",
        "        if not self.requests_name_approvers:\n",
        "        if self.requests_name_approvers:\n",
        "approved_by_policy",
        ("tests/workflow/test_groups.py",),
    ),
    Mutant(
        "a replaced audit event sets off no alarm",
        "shared/hitl_approval/stream.py",
        'if record["eventName"] != "INSERT"]',
        'if record["eventName"] == "REMOVE"]',
        "audit_is_whole",
        ("tests/unit/test_stream.py",),
    ),
    Mutant(
        "an archive that still fails sets off no alarm",
        "shared/hitl_approval/usecases/archive.py",
        "        except Exception:  # whatever it is: counted and raised again\n"
        "            self._last = None\n"
        "            self.meter.count(Metrics.ARCHIVE_FAILED, len(wanted))\n",
        "        except Exception:  # whatever it is: counted and raised again\n"
        "            self._last = None\n",
        "audit_is_whole",
        (f"{SERVICE}/test_archive.py",),
    ),
    Mutant(
        "each session of a role is a person",
        IDENTITY,
        'if session["name"] in personal_sessions:',
        'if session["name"] not in personal_sessions:',
        "approved_by_policy",
        ("tests/unit/http/test_identity.py",),
    ),
    Mutant(
        "a sign-in of any age decides",
        "shared/hitl_approval/usecases/delegate.py",
        "if actor.signed_in_at is None or now - actor.signed_in_at > oldest:",
        "if actor.signed_in_at is None:",
        "approved_by_policy",
        ("tests/unit/http/test_identity.py",),
    ),
    Mutant(
        "an authorizer that anyone can imitate is believed",
        IDENTITY,
        "if not (trust_authorizer and is_http(event)):",
        'if not (is_http(event) and _object(event, "requestContext").get("authorizer")):',
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "an access token is another person than the ID token",
        IDENTITY,
        'if claims.get("token_use", "id") != "id":',
        'if claims.get("token_use", "id") == "":',
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "an e-mail counts that its issuer has not verified",
        IDENTITY,
        "    if claim == EMAIL_CLAIM and str(",
        "    if claim != EMAIL_CLAIM and str(",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "content that was not shown is approved",
        VOTING,
        "    if content_digest is not None and content_digest != approval.content_digest:\n",
        "    if content_digest is not None and not approval.content_digest:\n",
        "approved_by_policy",
        (API,),
    ),
    Mutant(
        "another spelling of a name votes again",
        VOTING,
        "mine.isdisjoint({text.person_key(vote.approver), text.person_key(vote.asked)})",
        "mine.isdisjoint({vote.approver, vote.asked})",
        "approved_by_policy",
        (PEOPLE,),
    ),
    Mutant(
        "who only looks like an approver decides",
        PERMISSION,
        "return text.spelling(name) in {text.spelling(each) for each in names}",
        "return text.person_key(name) in {text.person_key(each) for each in names}",
        "approved_by_policy",
        (PEOPLE,),
    ),
    Mutant(
        "a requester decides under a name that looks the same",
        PERMISSION,
        "same = may_be_one(actor.name, approval.requester)",
        "same = text.spelling(actor.name) == text.spelling(approval.requester)",
        "approved_by_policy",
        (PEOPLE,),
    ),
    Mutant(
        "a vote counts at the moment of expiry",
        VOTING,
        "    if now >= approval.expires_at:\n        raise expired(approval)\n    given = ",
        "    if now > approval.expires_at:\n        raise expired(approval)\n    given = ",
        "one_terminal_status",
        TERMS,
    ),
    Mutant(
        "a cancellation counts after the expiry",
        ENDING,
        "    check_open(approval, now=now)\n    check_may_withdraw(",
        "    check_may_withdraw(",
        "refusals_change_nothing",
        TERMS,
    ),
    Mutant(
        "a failed start that has expired is left behind",
        REQUEST,
        "            return expire(approval, now=now) or cancel(\n",
        "            return cancel(\n",
        "notified_once",
        (SERVICE,),
    ),
    Mutant(
        "nothing expires at the moment of expiry",
        ENDING,
        "    if not approval.pending or now < approval.expires_at:\n",
        "    if not approval.pending or now <= approval.expires_at:\n",
        "all_agree",
        TERMS,
    ),
    Mutant(
        "silence approves",
        ENDING,
        "approval, approval.policy.on_timeout.status, SYSTEM,",
        'approval, "approved", SYSTEM,',
        "approved_by_policy",
        TERMS,
    ),
    Mutant(
        "what has ended is cancelled",
        ENDING,
        "    if not approval.pending:\n        raise closed(approval)\n",
        "",
        "one_terminal_status",
        (PROPERTIES,),
    ),
    Mutant(
        "losers do not learn who won",
        ENDING,
        "        decided_by=approval.decided_by,\n        decided_at=decided_at,\n",
        "        decided_by=None,\n        decided_at=decided_at,\n",
        "losers_learn_who_won",
        (API,),
    ),
    # The trail
    Mutant(
        "the hash does not cover the event before",
        SALTED,
        "    return hashlib.sha256(canonical_json(_hashed(event)).encode()).hexdigest()\n",
        '    own = {k: v for k, v in _hashed(event).items() if k != "previous_hash"}\n'
        "    return hashlib.sha256(canonical_json(own).encode()).hexdigest()\n",
        "audit_is_whole",
        (PROPERTIES,),
    ),
    Mutant(
        "events are not chained",
        APPROVAL,
        "        previous_hash=after.audit_hash,\n",
        "        previous_hash=GENESIS,\n",
        "audit_is_whole",
        (PROPERTIES,),
    ),
    Mutant(
        "a trail rewritten to its end is not seen",
        TRAIL,
        "len(events) > head.sequence or previous != head.hash",
        "len(events) > head.sequence",
        "audit_is_whole",
        (AUDIT,),
    ),
    # The callback
    Mutant(
        "a repeated decision does not resume",
        DECIDE,
        "delegations=self._known(approval, actor),\n            ),\n        )\n"
        "        return Answer(approval, not changed, self._resume_workflow(approval))\n",
        "delegations=self._known(approval, actor),\n            ),\n        )\n"
        '        became = self._resume_workflow(approval) if changed else "polling"\n'
        "        return Answer(approval, not changed, became)\n",
        "nothing_answered_is_lost",
        (API,),
    ),
    Mutant(
        "a cancellation does not resume",
        DECIDE,
        "self._resume_workflow(approval))\n\n    def resume(",
        "None)\n\n    def resume(",
        "nothing_answered_is_lost",
        (WAITING,),
    ),
    Mutant(
        "an operator's resume does not resume",
        DECIDE,
        "already=True, workflow=self._resume_workflow(approval))",
        'already=True, workflow="polling")',
        "nothing_answered_is_lost",
        (API,),
    ),
    Mutant(
        "a workflow that comes too late to notify anybody says nothing",
        REQUEST,
        "        elif approval.decided_by == SYSTEM.name:\n"
        "            self.meter.count(Metrics.NOTIFICATION_FAILED)\n",
        "",
        "notified_once",
        (SERVICE,),
    ),
    Mutant(
        "a callback that cannot be reached fails the decision",
        CALLBACKS,
        '            logger.warning("callback not completed: %s", error_code(error))\n'
        '            return "delayed"\n',
        "            raise\n",
        "nothing_answered_is_lost",
        (ADAPTERS,),
    ),
    Mutant(
        "a paused workflow is taken for ended",
        CALLBACKS,
        'answer["Status"] in EXECUTION_ENDED',
        'answer["Status"] != "RUNNING"',
        "nothing_is_left_behind",
        (ADAPTERS,),
    ),
    Mutant(
        "the sweep does not resume",
        SWEEPING,
        '        self.callbacks.complete(approval.callback_id)\n        return "resumed"\n',
        '        return "resumed"\n',
        "nothing_answered_is_lost",
        (SWEEP,),
    ),
    Mutant(
        "a workflow that has resumed is resumed for ever",
        REQUEST,
        "            self.store.mark_resumed(approval.approval_id)\n        return approval\n",
        "            pass\n        return approval\n",
        "nothing_answered_is_lost",
        (SWEEP,),
    ),
    # The wait
    Mutant(
        "the callback is waited for before it is registered",
        WAIT,
        "            callback = self._create_callback(delay)\n"
        '            snapshot = self._step("register", self._register(callback.callback_id), '
        "READ_ATTEMPTS)\n",
        '            snapshot = self._step("register", self._register(callback.callback_id), '
        "READ_ATTEMPTS)\n"
        "            callback = self._create_callback(delay)\n",
        "nothing_answered_is_lost",
        (WAITING,),
    ),
    Mutant(
        "the callback decides",
        WAIT,
        "                callback.result()\n",
        "                if callback.result():\n"
        "                    return {**self._check_status(), 'status': 'approved',\n"
        "                            'decided_by': 'x',\n"
        "                            'decided_at': snapshot['now']}\n",
        "all_agree",
        (WAITING,),
    ),
    Mutant(
        "a timeout is not read from the record",
        WAIT,
        '                snapshot = self._step("check", self._check_status, READ_ATTEMPTS)\n',
        "                if timed_out:\n"
        "                    return {**snapshot, 'status': 'timeout', 'decided_by': 'x',\n"
        "                            'decided_at': snapshot['now']}\n"
        '                snapshot = self._step("check", self._check_status, READ_ATTEMPTS)\n',
        "all_agree",
        (WAITING,),
    ),
    Mutant(
        "the wait does not close what has expired",
        REQUEST,
        "        approval, _ = self._change(\n"
        "            approval_id, lambda approval: expire(approval, now=self.clock.now())\n"
        "        )\n"
        "        return self._seen(approval)\n",
        "        return self._seen(self.get(approval_id))\n",
        "all_agree",
        (SERVICE,),
    ),
    Mutant(
        "a failed notification is swallowed by the adapter",
        SNS,
        '            raise unavailable("SNS", error) from error\n',
        "            return\n",
        "notified_once",
        (ADAPTERS,),
    ),
    Mutant(
        "a failed notification is swallowed by the wait",
        WAIT,
        "lambda: self.requests.note_notification_failed(self.key, reason)",
        "lambda: None",
        "notified_once",
        (WAITING,),
    ),
    Mutant(
        "approvers who were not notified are not notified later",
        WAIT,
        '            if not self.notified:\n                self._notify("notify-again")\n',
        "",
        "notified_once",
        (WAITING,),
    ),
    Mutant(
        "who was notified is notified again at the next check",
        WAIT,
        "        self.notified = refused is None\n",
        "        self.notified = False\n",
        "sent_once",
        (WAITING,),
    ),
    Mutant(
        "a refused message is tried again at each poll",
        WAIT,
        '    return not state["notified"] and now >= _time(state, "notify_at")\n',
        '    return not state["notified"]\n',
        "sent_once",
        (WAITING,),
    ),
    Mutant(
        "a notification that cannot be noted ends the wait",
        WAIT,
        "        except StepError:  # people can decide all the same: the wait goes on\n",
        "        except ZeroDivisionError:\n",
        "all_agree",
        (WAITING,),
    ),
    Mutant(
        "a message that nobody foresaw to fail ends the wait",
        WAIT,
        "        except Exception as error:  # whatever it is, the request",
        "        except ApprovalError as error:  # whatever it is, the request",
        "all_agree",
        (WAITING,),
    ),
    Mutant(
        "create stands outside a step",
        WAIT,
        "            snapshot: Snapshot = self._step(\n",
        "            snapshot: Snapshot = (lambda _name, action, _attempts: action())(\n",
        "notified_once",
        (WAITING,),
    ),
    Mutant(
        "notify stands outside a step",
        WAIT,
        "self._step(step, self._try_to_notify, 1)",
        "self._try_to_notify()",
        "notified_once",
        (WAITING,),
    ),
    Mutant(
        "the id is drawn at each replay",
        WAIT,
        'self.key = RequestKey(context.execution_context.durable_execution_arn, name or "")',
        "self.key = RequestKey(context.execution_context.durable_execution_arn, uuid4().hex)",
        "notified_once",
        (WAITING,),
    ),
    Mutant(
        "the token is drawn at each replay",
        WAIT,
        'self._step("token", lambda: uuid4().hex, READ_ATTEMPTS)',
        'self._step("token", lambda: "", READ_ATTEMPTS) or uuid4().hex',
        "notified_once",
        (WAITING,),
    ),
    Mutant(
        "the wait checks at the expiry only",
        SCHEDULE,
        "    return min(patience, LONGEST_RECHECK, max(remaining, timedelta(0)))\n",
        "    return max(remaining, timedelta(0))\n",
        "nothing_answered_is_lost",
        (WAITING,),
    ),
    Mutant(
        "an outage of the table ends a polling wait",
        WAIT,
        "                if failures >= READ_ATTEMPTS:\n",
        "                if failures:\n",
        "nothing_answered_is_lost",
        (WAITING,),
    ),
    # Mail
    Mutant(
        "a mail that came back is believed without its receipt",
        RETURNED,
        "        found = next((m for m in about if m.receipt == returned.receipt), None)\n",
        "        found = next(iter(about), None)\n",
        "everybody_is_notified",
        ("tests/unit/usecases/test_returned.py",),
    ),
    Mutant(
        "a bounce is noted each time that it is said",
        RETURNED,
        "        if found.noted:\n            return True\n",
        "",
        "everybody_is_notified",
        ("tests/unit/usecases/test_returned.py",),
    ),
    Mutant(
        "a mail whose answer was lost counts as refused",
        SES,
        '            raise unavailable("SES", error) from error\n',
        '            raise Unavailable("SES did not take the mail") from error\n',
        "sent_once",
        ("tests/unit/adapters/test_ses.py",),
    ),
    Mutant(
        "everybody is mailed where nothing is sent by mail",
        DIRECTORY,
        "            by_mail = self.mail and is_mail\n",
        "            by_mail = is_mail\n",
        "everybody_is_notified",
        ("tests/unit/domain/test_delivery.py",),
    ),
    Mutant(
        "a failed start leaves its request behind",
        WAIT,
        '            self._step("withdraw", lambda: self.requests.abandon(self.key, token), '
        "READ_ATTEMPTS)\n",
        "",
        "notified_once",
        (WAITING,),
    ),
    # Rules
    Mutant(
        "the contrary of what could not be read is true",
        CONDITION,
        "None if found.holds is None else not found.holds",
        "not found.holds",
        "approved_by_policy",
        (RULE_PROPERTIES,),
    ),
    Mutant(
        "an unread field is as good as a true one",
        CONDITION,
        "    return Reading(None if unknown else not decides, unread)\n",
        "    return Reading(not decides, unread)\n",
        "approved_by_policy",
        (RULE_PROPERTIES,),
    ),
    Mutant(
        "true is the number one",
        CONDITION,
        '    if isinstance(value, bool):\n        return "boolean"\n',
        "",
        "approved_by_policy",
        ("tests/unit/domain/test_condition.py",),
    ),
    Mutant(
        "a rule approves what it has read in part",
        RULING,
        "    unread = [reading for reading in readings if reading.unread]\n",
        '    unread = [one for one in readings if one.unread and one.state == "unreadable"]\n',
        "approved_by_policy",
        (
            RULE_TESTS,
            RULE_PROPERTIES,
        ),
    ),
    Mutant(
        "a rule approves after one that could not be read",
        RULING,
        "    unread = [reading for reading in readings if reading.unread]\n",
        '    unread = [one for one in readings if one.unread and one.state == "matched"]\n',
        "approved_by_policy",
        (
            RULE_TESTS,
            RULE_PROPERTIES,
        ),
    ),
    Mutant(
        "a rule approves what people are wanted to decide",
        RULING,
        "    if people_asked_for:\n",
        "    if False:\n",
        "approved_by_policy",
        (
            RULE_TESTS,
            RULE_PROPERTIES,
        ),
    ),
    Mutant(
        "a context says who the requester is",
        RULING,
        "return {**context, **own, **document}",
        "return {**own, **document, **context}",
        "approved_by_policy",
        (RULE_TESTS,),
    ),
    Mutant(
        "who asks chooses others than the rule's",
        ASK,
        "groups={} if by_rule else self.groups,",
        "groups=self.groups,",
        "approved_by_policy",
        (ASKING,),
    ),
    Mutant(
        "who asks wants fewer approvals than the rule",
        ASK,
        "self.approvers if rule.approvers else [name for names in asked for name in names]",
        "[name for names in asked for name in names]",
        "approved_by_policy",
        (ASKING,),
    ),
    Mutant(
        "a rule decides what has expired",
        ENDING,
        "or now >= approval.expires_at:\n        return None\n    return end(approval, rule.end",
        ":\n        return None\n    return end(approval, rule.end",
        "approved_by_policy",
        ("tests/unit/domain/test_ending.py",),
    ),
    Mutant(
        "people are asked what a rule decides",
        MESSAGE,
        "if kind in without or approval.ends_by_rule:",
        "if kind in without:",
        "approved_by_policy",
        (ASKING,),
    ),
    Mutant(
        "names are sorted by their code points",
        DIGEST,
        '    return name.encode("utf-16be", "surrogatepass")\n',
        '    return name.encode("utf-8", "surrogatepass")\n',
        "approved_by_policy",
        ("tests/unit/domain/test_digest.py",),
    ),
    Mutant(
        "large whole numbers have a digest",
        DIGEST,
        "        if abs(value) > MAX_WHOLE:\n",
        "        if abs(value) > MAX_WHOLE**9:\n",
        "approved_by_policy",
        ("tests/unit/domain/test_digest.py",),
    ),
    Mutant(
        "what was rejected verifies",
        OUTCOME,
        "        if not self.approved:\n            raise NotApproved(self)\n        problems",
        '        if self.status == "timeout":\n'
        "            raise NotApproved(self)\n        problems",
        "approved_by_policy",
        BOUND,
    ),
    Mutant(
        "any payload verifies",
        BINDING,
        "    if digest == context_digest:\n",
        "    if digest:\n",
        "approved_by_policy",
        BOUND,
    ),
    Mutant(
        "another file's bytes verify under this one's name",
        BINDING,
        '    if (asked["sha256"], asked["size"]) == (file["sha256"], file["size"]):\n',
        '    if file["sha256"] in {each["sha256"] for each in known.values()}:\n',
        "approved_by_policy",
        BOUND,
    ),
    Mutant(
        "files are no part of what is approved",
        APPROVAL,
        '        **({"files": list(approval.files)} if approval.files else {}),\n'
        '        **({"form"',
        '        **({"form"',
        "approved_by_policy",
        (AGREEMENT,),
    ),
    Mutant(
        "somebody else's request is replaced",
        SUPERSEDING,
        "    if text.spelling(replaced.requester) != text.spelling(by.requester):\n",
        "    if not replaced.requester:\n",
        "replaced_with_its_successor",
        REPLACED,
    ),
    Mutant(
        "another function's request is replaced",
        SUPERSEDING,
        "    if _function_of(replaced) != _function_of(by):\n",
        "    if not _function_of(by):\n",
        "replaced_with_its_successor",
        REPLACED,
    ),
    Mutant(
        "what was approved is replaced",
        SUPERSEDING,
        "    if not replaced.pending or now >= replaced.expires_at:\n",
        "    if now >= replaced.expires_at:\n",
        "replaced_with_its_successor",
        REPLACED,
    ),
    Mutant(
        "what is replaced stays open",
        DYNAMODB,
        "        return self._create(transition, [self._update(ended), self._event(ended)])\n",
        "        return self._create(transition, [])\n",
        "replaced_with_its_successor",
        (STORE,),
    ),
    Mutant(
        "who was replaced is not resumed",
        REQUEST,
        "        self._resume_replaced(supersedes)\n",
        "",
        "nothing_answered_is_lost",
        (SERVICE,),
    ),
    Mutant(
        "an answer's link decides",
        "shared/hitl_approval/http/links.py",
        "    return found.to_answer_only() if message.link_only_answers else found\n",
        "    return found\n",
        "approved_by_policy",
        ("tests/unit/http/test_talk.py",),
    ),
    Mutant(
        "an answer brings anybody a link to decide",
        SAYING,
        '    if message.kind == "answer" and message.recipient not in approval.deciders:\n',
        "    if False:\n",
        "approved_by_policy",
        ("tests/unit/usecases/test_thread.py", "tests/unit/domain/test_saying.py"),
    ),
    Mutant(
        "an onlooker comments",
        "shared/hitl_approval/domain/thread.py",
        "    check_may_comment(approval, actor, operators)\n",
        "",
        "refusals_change_nothing",
        ("tests/unit/domain/test_thread.py",),
    ),
    Mutant(
        "a form that is sent twice says it twice",
        "shared/hitl_approval/domain/thread.py",
        "        said,\n        question,\n        answers,\n    ):\n        return None\n",
        "        said,\n        question,\n        answers,\n    ):\n        pass\n",
        "sent_once",
        ("tests/unit/domain/test_thread.py",),
    ),
    Mutant(
        "a thread has no bound",
        "shared/hitl_approval/domain/thread.py",
        "    if approval.thread_length >= MAX_COMMENTS:\n",
        "    if False:\n",
        "refusals_change_nothing",
        ("tests/unit/domain/test_thread.py",),
    ),
    Mutant(
        "a row may count otherwise than its trail",
        AGREES,
        "approval.thread_length, trail.thread_length)",
        "approval.thread_length, approval.thread_length)",
        "all_agree",
        ("tests/unit/domain/test_agreement.py", "tests/unit/domain/test_thread.py"),
    ),
    Mutant(
        "who was replaced by an escalation is asked all the same",
        TURN,
        '        names = to if step.mode == "replace" and to else (*names, *to)\n',
        "        names = (*names, *to)\n",
        "only_who_is_asked_decides",
        TURN_TESTS,
    ),
    Mutant(
        "an escalation asks now who is asked in a later stage",
        TURN,
        "        to = tuple(name for name in step.to if person_key(name) not in later)\n",
        "        to = tuple(name for name in step.to)\n",
        "stages_are_in_order",
        TURN_TESTS,
    ),
    Mutant(
        "who has given their place away is asked all the same",
        TURN,
        "        holder = taken.get(spelling(name), name)\n",
        "        holder = name\n",
        "only_who_is_asked_decides",
        TURN_TESTS,
    ),
    Mutant(
        "a place that was handed over counts as another one",
        TURN,
        "    return places.get(person_key(name), name)\n",
        "    return name\n",
        "nobody_votes_twice",
        TURN_TESTS,
    ),
    Mutant(
        "rules that a stage can never satisfy are taken",
        TURN,
        "        quorum.check(people)\n",
        "",
        "approved_by_policy",
        TURN_TESTS,
    ),
    Mutant(
        "an escalation that leaves too few is taken",
        TURN,
        "            if not quorum.reached(names, quorum.needed(people)",
        "            if not quorum.reached(people, quorum.needed(people)",
        "approved_by_policy",
        TURN_TESTS,
    ),
    Mutant(
        "one approval ends all stages",
        VOTING,
        '    if outcome == "approved" and voted.turn.stage < len(voted.policy.stages):\n',
        '    if outcome == "approved" and voted.turn.stage > len(voted.policy.stages):\n',
        "stages_are_in_order",
        VOTING_TESTS,
    ),
    Mutant(
        "votes of the stage before count in the next",
        VOTING,
        "        passed=(*voted.turn.passed, len(voted.votes)),\n",
        "        passed=(*voted.turn.passed, 0),\n",
        "stages_are_in_order",
        VOTING_TESTS,
    ),
    Mutant(
        "the next stage has what is left of the time",
        VOTING,
        "    opened = replace(voted, turn=turn, expires_at=on_record(now + timeout))\n",
        "    opened = replace(voted, turn=turn)\n",
        "stages_are_in_order",
        VOTING_TESTS,
    ),
    Mutant(
        "a vote is taken back that a stage is built on",
        VOTING,
        "    if vote not in approval.votes_now:\n",
        "    if vote not in approval.votes:\n",
        "stages_are_in_order",
        VOTING_TESTS,
    ),
    Mutant(
        "a vote is taken back after the time",
        VOTING,
        "    check_open(approval, now=now)\n    vote = ",
        "    vote = ",
        "approved_by_policy",
        ("tests/unit/domain/test_voting.py", *MACHINE),
    ),
    Mutant(
        "an escalation comes before it is due",
        ESCALATION,
        "    if due is None or not due <= now < approval.expires_at:\n",
        "    if due is None or not now < approval.expires_at:\n",
        "stages_are_in_order",
        ESCALATION_TESTS,
    ),
    Mutant(
        "an escalation comes once the time is over",
        ESCALATION,
        "    if due is None or not due <= now < approval.expires_at:\n",
        "    if due is None or not due <= now:\n",
        "stages_are_in_order",
        ESCALATION_TESTS,
    ),
    Mutant(
        "an escalation is never found by the sweep",
        ESCALATION,
        "    return approval.expires_at if due is None else due - SWEEP_GRACE\n",
        "    return approval.expires_at\n",
        "nothing_is_left_behind",
        ("tests/unit/domain/test_escalation.py", *MACHINE),
    ),
    Mutant(
        "a place is handed over that has answered",
        REASSIGN,
        "    if approval.answer_of(held) is not None:\n",
        "    if False:\n",
        "nobody_votes_twice",
        REASSIGN_TESTS,
    ),
    Mutant(
        "anybody hands a place over",
        REASSIGN,
        "    if not is_one_of(others, actor.name):\n",
        "    if False:\n",
        "only_who_is_asked_decides",
        REASSIGN_TESTS,
    ),
    Mutant(
        "an operator takes a place",
        REASSIGN,
        "    if may_be_one(actor.name, to):\n",
        "    if False:\n",
        "only_who_is_asked_decides",
        REASSIGN_TESTS,
    ),
    Mutant(
        "a place is handed to who asked for it",
        REASSIGN,
        "    if not approval.policy.allow_self_approval and may_be_one(to, approval.requester):\n",
        "    if False:\n",
        "approved_by_policy",
        REASSIGN_TESTS,
    ),
    Mutant(
        "a place is handed to who has another",
        REASSIGN,
        "    if key in {text.person_key(name) for name in approval.asked}:\n",
        "    if False:\n",
        "nobody_votes_twice",
        REASSIGN_TESTS,
    ),
    Mutant(
        "one group's approvals are enough for all",
        QUORUM,
        "        return all(votes_of(group, approved, anywhere)",
        "        return any(votes_of(group, approved, anywhere)",
        "approved_by_policy",
        QUORUM_TESTS,
    ),
    Mutant(
        "an approval counts for a group that it is no member of",
        QUORUM,
        "    return sum(person_key(name) in members for name in names)\n",
        "    return len(names)\n",
        "approved_by_policy",
        QUORUM_TESTS,
    ),
    Mutant(
        "a place that is given back stays on the row",
        DYNAMODB,
        "        if after.pending and (others or after.turn != FIRST):\n",
        "        if after.pending and after.turn != FIRST:\n",
        "only_who_is_asked_decides",
        (STORE,),
    ),
    Mutant(
        "somebody answers for who asked",
        DELEGATING,
        " and not may_be_one(name, approval.requester)",
        "",
        "only_who_is_asked_decides",
        (DELEGATIONS,),
    ),
    Mutant(
        "who asked answers for somebody else",
        DELEGATING,
        "may_be_one(actor.name, approval.requester) or text",
        "text",
        "only_who_is_asked_decides",
        (DELEGATIONS,),
    ),
    Mutant(
        "a delegation counts after its time",
        DELEGATING,
        "self.starts_at <= now < self.until",
        "self.starts_at <= now",
        "only_who_is_asked_decides",
        (DELEGATIONS,),
    ),
    Mutant(
        "a delegation that has ended counts",
        DYNAMODB,
        "[still_stands(self.approvals_table, given)] if given else []",
        "[]",
        "only_who_is_asked_decides",
        ("tests/contract/test_delegations.py",),
    ),
    Mutant(
        "who was answered for answers again",
        VOTING,
        "{text.person_key(vote.approver), text.person_key(vote.asked)}",
        "{text.person_key(vote.approver)}",
        "nobody_votes_twice",
        (DELEGATIONS,),
    ),
    # Agents
    Mutant(
        "an agent's tool runs with other arguments than were approved",
        AGENT_GATE,
        "    if not answer.is_for(tool, arguments):\n        msg",
        "    if False:\n        msg",
        "tools_run_as_approved",
        AGENT_GATE_TESTS,
    ),
    Mutant(
        "an agent's tool runs twice by one approval",
        AGENT_GATE,
        "self._open.pop(call_id, None)",
        "self._open.get(call_id)",
        "tools_run_as_approved",
        AGENT_GATE_TESTS,
    ),
    Mutant(
        "an agent's tool runs with what was changed on the record",
        AGENT_ASKING,
        "json.loads(self.call.approved(shown).arguments)",
        'shown["arguments"]',
        "tools_run_as_approved",
        AGENT_ASKING_TESTS,
    ),
    Mutant(
        "an agent's call of another turn has the answer of the first",
        AGENT_ASKING,
        "once=rule is not None and rule.once is not None",
        "once=True",
        "tools_run_as_approved",
        (f"{AGENTS}::test_should_ask_each_time_about_the_same_call_by_default",),
    ),
    Mutant(
        "an agent's turn is run again after a crash",
        AGENT_RUN,
        "    step: StepConfig = ONCE,\n",
        "    step: StepConfig = StepConfig(),  # noqa: B008\n",
        "tools_run_as_approved",
        (f"{AGENTS}::test_should_not_run_again_what_a_crash_has_interrupted",),
    ),
    Mutant(
        "an agent asks people while what should be masked is misspelled",
        AGENT_RUN,
        "                self.asking.check_names(tool, self.policy, gate.arguments)\n",
        "                pass\n",
        "seen_by_who_approved",
        (f"{AGENTS}::test_should_refuse_a_name_that_no_tool_has",),
    ),
    Mutant(
        "an agent's misspelled mask of all tools is not seen",
        TOOL_ARGUMENTS,
        '        self._check_paths("sensitive", sensitive, self._schemas)\n',
        "",
        "seen_by_who_approved",
        TOOL_ARGUMENTS_TESTS,
    ),
    Mutant(
        "an agent's masked field that an argument has not leaves the argument shown",
        TOOL_ARGUMENTS,
        "for length in range(len(names), 0, -1):",
        "for length in (len(names),):",
        "seen_by_who_approved",
        TOOL_ARGUMENTS_TESTS,
    ),
    Mutant(
        "an agent's calls are left behind where one of them is refused",
        TOGETHER,
        "            withdraw(context, approval, REASON)\n",
        "            pass\n",
        "nothing_is_left_behind",
        TOGETHER_TESTS,
    ),
    Mutant(
        "an agent's call is asked about after the others were withdrawn",
        TOGETHER,
        "            self._closed = True\n",
        "            self._closed = False\n",
        "nothing_is_left_behind",
        TOGETHER_TESTS,
    ),
    Mutant(
        "an agent's call runs by the gate as it was asked, not as it was changed",
        MCP_GATE,
        "        if call.approved != call.asked:\n",
        "        if False:\n",
        "tools_run_as_approved",
        MCP_GATE_TESTS,
    ),
    Mutant(
        "an agent's call goes on by the gate as often as it likes",
        MCP_GATE,
        "self._asked_on.pop(key, None)",
        "self._asked_on.get(key)",
        "tools_run_as_approved",
        MCP_GATE_TESTS,
    ),
    Mutant(
        "an agent's call runs by the gate whatever the record's digest is",
        MCP_ASKING,
        '            if record.get("context_digest") == digest:\n',
        "            if digest:\n",
        "tools_run_as_approved",
        MCP_GATE_TESTS,
    ),
    Mutant(
        "an agent's call by the gate may have what a rule reads changed",
        MCP_ASKING,
        "    ruling.check_editable(editable)\n",
        "",
        "approved_by_policy",
        MCP_GATE_TESTS,
    ),
    Mutant(
        "an agent's misspelled mask is not seen by the gate",
        MCP_GATE,
        "            self._arguments.check(tool, self._policy)\n",
        "",
        "seen_by_who_approved",
        MCP_GATE_TESTS,
    ),
    # Erasures
    Mutant(
        "a digest needs no salt",
        SALTED,
        "    return hmac.new(salt.encode(), canonical_json",
        '    return hmac.new(b"", canonical_json',
        "erasures_take_values_only",
        SALTED_TESTS,
    ),
    Mutant(
        "what is put on record has no salts",
        RECORDS,
        "        salted = transition.salted(self.salt)\n",
        "        salted = transition\n",
        "erasures_take_values_only",
        (f"{SERVICE}/test_records.py",),
    ),
    Mutant(
        "all values of an event have one salt",
        SALTED,
        "    return {path: draw() for path in personal(event)}\n",
        "    return dict.fromkeys(personal(event), draw())\n",
        "erasures_take_values_only",
        (*SALTED_TESTS, f"{SERVICE}/test_records.py"),
    ),
    Mutant(
        "an erased value is also there",
        SALTED,
        " if len(both) == len(digests) + len(found) else nothing\n",
        "\n",
        "audit_is_whole",
        SALTED_TESTS,
    ),
    Mutant(
        "another value stands where one was erased",
        SALTED,
        "        for path in found:\n            said = _put(said, path, ERASED)\n",
        "        for path in {**digests, **found}:\n            said = _put(said, path, ERASED)\n",
        "audit_is_whole",
        SALTED_TESTS,
    ),
    Mutant(
        "whatever has a digest in it counts as erased",
        SALTED,
        "    return same and whole and erased_of(after)",
        "    return same and erased_of(after)",
        "audit_is_whole",
        (*SALTED_TESTS, "tests/unit/test_stream.py"),
    ),
    Mutant(
        "a signature goes with an erasure",
        SALTED,
        "    return same and whole and",
        "    return whole and",
        "audit_is_whole",
        SALTED_TESTS,
    ),
    Mutant(
        "an erasure needs no time",
        TRAIL,
        " or not is_said(event):\n",
        ":\n",
        "audit_is_whole",
        SALTED_TESTS,
    ),
    Mutant(
        "an erasure is no tampering while its record stands",
        TRAIL,
        "        if head is not None and erased_of(event):\n",
        "        if False:\n",
        "audit_is_whole",
        SALTED_TESTS,
    ),
    Mutant(
        "each erasure sets off the alarm of tampering",
        "shared/hitl_approval/usecases/publish.py",
        "            if is_erasure(one.before, one.after):\n",
        "            if False:\n",
        "erasures_take_values_only",
        ("tests/unit/test_stream.py",),
    ),
    Mutant(
        "what others have said of a person goes with them",
        SALTED,
        "    gone = [path for path in salts if _is_of(event, path, spelling(person))]\n",
        "    gone = list(salts)\n",
        "erasures_take_values_only",
        SALTED_TESTS,
    ),
    Mutant(
        "what is masked can be tried by its salt",
        "shared/hitl_approval/domain/view.py",
        " if name not in salts}\n",
        "}\n",
        "readers_see_what_was",
        ("tests/unit/domain/test_values.py",),
    ),
    Mutant(
        "a person is erased from what is open",
        ERASING,
        "        if record and record.pending:\n",
        "        if False:\n",
        "erasures_take_values_only",
        ERASING_TESTS,
    ),
    Mutant(
        "a person is erased from what its workflow has not read",
        ERASING,
        "        if record and not record.resumed:\n",
        "        if False:\n",
        "erasures_take_values_only",
        ERASING_TESTS,
    ),
    Mutant(
        "a person is erased from what has just ended",
        ERASING,
        '        if str(events[-1]["at"]) > isoformat(self.now - self.settled):\n',
        "        if False:\n",
        "erasures_take_values_only",
        ERASING_TESTS,
    ),
    Mutant(
        "an erasure takes away what shows tampering",
        ERASING,
        "        if trail.findings:\n",
        "        if False:\n",
        "audit_is_whole",
        ERASING_TESTS,
    ),
    Mutant(
        "a record is erased whatever became of it",
        ERASING,
        '                    ConditionExpression="#status = :ended AND resumed = :true",\n',
        '                    ConditionExpression="attribute_exists(#status) OR :ended = :true",\n',
        "erasures_take_values_only",
        ERASING_TESTS,
    ),
    Mutant(
        "two erasures at once undo each other",
        ERASING,
        '            ConditionExpression="#hash = :hash AND #salts = :read",\n',
        '            ConditionExpression="#hash = :hash OR #salts = :read",\n',
        "erasures_take_values_only",
        ERASING_TESTS,
    ),
    Mutant(
        "messages to others go with a person",
        ERASING,
        '            if self._is(item.get("recipient")):\n',
        "            if True:\n",
        "erasures_take_values_only",
        ERASING_TESTS,
    ),
    Mutant(
        "a delegation that stands is removed",
        ERASING,
        "        if until > over:\n",
        "        if False:\n",
        "only_who_is_asked_decides",
        ERASING_TESTS,
    ),
)

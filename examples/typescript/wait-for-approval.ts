// Waits for an approval in a durable function in TypeScript: what `wait_for_approval` does in Python.
import type { DurableContext } from "@aws/durable-execution-sdk-js";
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";

export interface ApprovalRequest {
  subject: string;
  requester: string;
  approvers?: string[];
  context?: Record<string, unknown>;
}
export interface Outcome {
  approval_id: string;
  status: "approved" | "rejected" | "timeout" | "cancelled";
  decided_by: string;
  comments: string;
}
type Snapshot = Omit<Outcome, "status"> & {
  status: Outcome["status"] | "pending";
  created_at: string;
  expires_at: string;
  now: string;
};

const lambda = new LambdaClient({});
const DAY = 86_400;
const FINAL = ["INVALID_REQUEST", "FORBIDDEN", "APPROVAL_NOT_FOUND", "RECORD_ALTERED"];
const patiently = {
  retryStrategy: (error: Error, tries: number) => ({
    shouldRetry: tries < 60 && !FINAL.includes(error.name),
    delay: { seconds: Math.min(2 ** (tries - 1), 60) },
  }),
};

async function ask(message: Record<string, unknown>): Promise<any> {
  // `attach` sets the variable, and makes an alias of this function's own name, which says who asks.
  const alias = `${process.env.HITL_REQUEST_FUNCTION_ARN}:${process.env.AWS_LAMBDA_FUNCTION_NAME}`;
  const sent = new InvokeCommand({
    FunctionName: alias,
    Payload: JSON.stringify({ protocol: 1, ...message }),
  });
  const { Payload, FunctionError } = await lambda.send(sent);
  const said = JSON.parse(new TextDecoder().decode(Payload));
  if (FunctionError) throw new Error(`the request function failed: ${said.errorType}`);
  if (said.error) throw Object.assign(new Error(said.error.message), { name: said.error.code });
  return said.answer;
}

/** Ask people, suspend until they have answered or time is up, and return how it ended. */
export async function waitForApproval(
  context: DurableContext,
  name: string, // of this approval, once in the execution
  request: ApprovalRequest,
  timeout = DAY, // seconds to decide
): Promise<Outcome> {
  const key = { execution_arn: context.executionContext.durableExecutionArn, key: name };
  const callback = (number: number, seconds: number) =>
    context.createCallback(`${name}.callback-${number}`, { timeout: { seconds } });
  const step = (operation: string, more = {}): Promise<Snapshot> =>
    context.step(`${name}.${operation}`, () => ask({ operation, ...key, ...more }), patiently);

  let [resumed, id] = await callback(1, Math.min(60, timeout) + 1);
  const asked = { request, timeout_seconds: timeout, creation_token: id, callback_id: id };
  let record = await step("submit", asked);
  await step("notify");
  for (let number = 2; record.status === "pending"; number++) {
    await resumed.catch(() => undefined); // decided, or it is time to check: the record says which
    record = await step("check_status");
    if (record.status !== "pending") break;
    const [born, now, end] = [record.created_at, record.now, record.expires_at].map(Date.parse);
    const seconds = Math.min((end - now) / 1000, Math.max(60, Math.min(DAY, (now - born) / 500)));
    [resumed, id] = await callback(number, Math.max(1, Math.ceil(seconds)));
    record = await step("register_callback", { callback_id: id });
  }
  return record as Outcome;
}

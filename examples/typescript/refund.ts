// A durable function that asks before it pays.
import { type DurableContext, withDurableExecution } from "@aws/durable-execution-sdk-js";
import { waitForApproval } from "./wait-for-approval.ts";

interface Refund {
  customer: string;
  amount: number;
  seconds?: number; // to decide
}

export const handler = withDurableExecution(async (event: Refund, context: DurableContext) => {
  const outcome = await waitForApproval(
    context,
    "refund",
    {
      subject: `Refund ${event.amount} to ${event.customer}`,
      requester: "refund-agent",
      context: { customer: event.customer, amount: event.amount },
    },
    event.seconds,
  );
  if (outcome.status !== "approved") return { paid: 0, ...outcome };
  const paid = await context.step("pay", async () => event.amount);
  return { paid, ...outcome };
});

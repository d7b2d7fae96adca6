// Recomputes what `hitl show ID --json` says was approved: RFC 8785, then SHA-256. Needs Node alone.
//
//   hitl show ID --json > approval.json
//   node verify.ts approval.json            the context as it stands on record
//   node verify.ts approval.json pay.json   what is about to run
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** One spelling per value: JSON.stringify's own, with the names in the order of their UTF-16. */
export function canonical(value: Json): string {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  const fields = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name]!)}`);
  return `{${fields.join(",")}}`;
}

export const digest = (value: Json): string =>
  createHash("sha256").update(canonical(value)).digest("hex");

/** Throws unless this is the context that was approved. */
export function verify(approval: { status: string; context_digest: string }, payload: Json): void {
  if (approval.status !== "approved") throw new Error(`nothing was approved: ${approval.status}`);
  if (digest(payload) !== approval.context_digest) throw new Error("this is not what was approved");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [record, ...payloads] = process.argv.slice(2).map((path) => readFileSync(path, "utf8"));
  const approval = JSON.parse(record!);
  try {
    for (const payload of payloads.map((text) => JSON.parse(text))) verify(approval, payload);
    verify(approval, approval.context);
    console.log(`approved: ${approval.context_digest}`);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}

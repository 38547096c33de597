import { type AssayClient, createAssayClient } from "@assay/client";
import { signWebhook } from "@assay/fingerprint";
import { isRecord, type Verdict } from "@assay/protocol";
import type { FingerprintApi } from "../support/fingerprint-api.ts";
import type { Step } from "./scenes.ts";

/** The doors of a running installation. */
export interface Doors {
  readonly url: string;
  readonly key: string;
  readonly webhookSecret: string;
  readonly api: FingerprintApi;
}

/** Plays a step at its door and returns the verdict it ended in; undefined when none came within a minute. */
export function createPlayer(doors: Doors): { play(step: Step): Promise<Verdict | undefined>; stop(): Promise<void> } {
  const client: AssayClient = createAssayClient({ url: doors.url, key: doors.key });
  return {
    async play(step) {
      const id = step.door === "webhook" ? await sendWebhook(doors, step) : await submit(client, doors, step);
      return await client.waitForVerdict(id, { timeoutMs: 60_000 });
    },
    stop: () => client.close(),
  };
}

async function submit(client: AssayClient, { api }: Doors, { event, input, door }: Step): Promise<string> {
  if (door === "event id" && event !== undefined) api.add(event);
  return (await client.submit(input, { timeoutMs: 10_000 })).id;
}

async function sendWebhook({ url, webhookSecret }: Doors, { event }: Step): Promise<string> {
  const body = Buffer.from(JSON.stringify(event));
  const response = await fetch(`${url}/v1/webhooks/fingerprint`, {
    method: "POST",
    headers: { "content-type": "application/json", "fpjs-event-signature": signWebhook(body, webhookSecret) },
    body,
  });
  const accepted: unknown = await response.json();
  if (isRecord(accepted) && typeof accepted["id"] === "string") return accepted["id"];
  throw new Error(`The webhook door answered ${response.status}.`);
}

/** How many verdicts the archive holds, of 100 at most. */
export async function countArchived({ url, key }: Pick<Doors, "url" | "key">): Promise<number> {
  const response = await fetch(`${url}/v1/verdicts?limit=100`, { headers: { authorization: `Bearer ${key}` } });
  const page: unknown = await response.json();
  if (isRecord(page) && Array.isArray(page["verdicts"])) return page["verdicts"].length;
  throw new Error(`The archive's route answered ${response.status}.`);
}

/** What is wrong with a verdict, by what its step expects; undefined when nothing is. */
export function faultOf({ expect }: Step, verdict: Verdict | undefined): string | undefined {
  if (verdict === undefined) return "no verdict within a minute";
  if (verdict.action !== expect.action) return `expected ${expect.action}`;
  if (verdict.undecided?.code !== expect.undecided)
    return `expected ${expect.undecided ?? "a decision"}, not ${verdict.undecided?.code ?? "one"}`;
  const rules = verdict.reasons.map(({ rule }) => rule);
  return expect.rule === undefined || rules.includes(expect.rule) ? undefined : `expected the rule ${expect.rule}`;
}

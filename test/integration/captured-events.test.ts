import type { Context, Event, Verdict } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { anEvent } from "../support/events.ts";
import { eventually } from "../support/eventually.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";

const CAPTURED = 1000;
const TIMEOUT_MS = 60_000;

/** How a thief may differ from the owner: by one part of the context at least. */
const CHANGES = [["ip"], ["ua"], ["user"], ["ip", "ua"], ["ip", "user"], ["ua", "user"], ["ip", "ua", "user"]] as const;
type Part = (typeof CHANGES)[number][number];

/** An event that was captured, by whom it is shown, and how. */
interface Capture {
  readonly event: Event;
  readonly owner: Context;
  readonly thief: Context;
  readonly changed: readonly Part[];
  /** Whether the thief is first. */
  readonly isEarly: boolean;
  /** Whether its id is shown, or the sealed result. */
  readonly byId: boolean;
}

let stack: WorkerStack;
beforeAll(async () => {
  stack = await openWorkerStack({ env: { ASSAY_CONCURRENCY: "16" } });
  await stack.runWorker();
});
afterAll(() => stack.stop());

describe("a thousand captured events, by the default ruleset", () => {
  test(
    "let no thief in, before or after the owner, and refuse no owner",
    async () => {
      const captures = Array.from({ length: CAPTURED }, (_, index) => capture(index));
      const [early, late] = [captures.filter(({ isEarly }) => isEarly), captures.filter(({ isEarly }) => !isEarly)];
      await verdicts(captures.filter(({ byId }) => byId).map(({ event }) => stack.submitWebhook(event)));

      const [earlyThieves, owners] = [await shown(early, "thief"), await shown(late, "owner")];
      const [ownersLater, lateThieves] = [await shown(early, "owner"), await shown(late, "thief")];
      const thievesAgain = await shown(early, "thief");

      expect([early.length, late.length]).toEqual([500, 500]);
      expect(wrongly([...earlyThieves, ...lateThieves, ...thievesAgain], ({ action }) => action === "allow")).toEqual(
        [],
      );
      expect(wrongly([...owners, ...ownersLater], ({ action }) => action !== "allow")).toEqual([]);
      expect(wrongly([...lateThieves, ...thievesAgain], ({ action }) => action !== "block")).toEqual([]);
    },
    TIMEOUT_MS * 2,
  );
});

/** Each change, each order and each way of showing it, over and over. */
function capture(index: number): Capture {
  const changed = CHANGES[index % CHANGES.length] ?? ["ip"];
  const [isEarly, byId] = [index % 2 === 0, index % 4 < 2];
  const at = `${index >> 8}.${index & 255}`;
  const owner = person(`81.2.${at}`, `Mozilla/5.0 Firefox/${index}`, `anna-${index}`);
  const other = person(`185.7.${at}`, `Mozilla/5.0 Chrome/${index}`, `mallory-${index}`);
  const thief = {
    ...owner,
    ...(changed.some((part) => part === "ip") ? { ip: other.ip } : {}),
    ...(changed.some((part) => part === "ua") ? { user_agent: other.user_agent } : {}),
    // A thief who logs in to another account is told by the id that the agent was started with.
    ...(changed.some((part) => part === "user") ? { user_id: other.user_id, linked_id: other.linked_id } : {}),
  };
  const { ip: ip_address, user_agent, linked_id } = owner;
  return { event: anEvent({ ip_address, user_agent, linked_id }), owner, thief, changed, isEarly, byId };
}

function person(ip: string, user_agent: string, account: string) {
  return { flow: "login", ip, user_agent, user_id: account, linked_id: account };
}

type Shown = readonly [Capture, Verdict];

/** Every event, shown by the one or the other: each in a submission of its own. */
async function shown(captures: readonly Capture[], by: "owner" | "thief"): Promise<Shown[]> {
  const ids = captures.map(({ event, byId, [by]: context }) =>
    byId ? stack.submitLookup(event.event_id, { context }) : stack.submitSealed(event, { context }),
  );
  const told = await verdicts(ids);
  return captures.flatMap((one, index): Shown[] => {
    const verdict = told[index];
    return verdict === undefined ? [] : [[one, verdict]];
  });
}

/** The verdicts on submissions, once there are all. */
async function verdicts(submitted: readonly Promise<string>[]): Promise<Verdict[]> {
  const keys = (await Promise.all(submitted)).map((id) => stack.keys.verdict(id));
  await eventually(async () => (await stack.redis.exists(...keys)) === keys.length, { timeoutMs: TIMEOUT_MS });
  return (await stack.redis.mget(...keys)).map((json): Verdict => JSON.parse(json ?? ""));
}

/** What is not as promised, in few words. */
function wrongly(all: readonly Shown[], isWrong: (verdict: Verdict) => boolean): string[] {
  return all
    .filter(([, verdict]) => isWrong(verdict))
    .map(([{ changed, isEarly, byId }, { action, reasons }]) =>
      [
        changed.join("+"),
        isEarly ? "early" : "late",
        byId ? "id" : "seal",
        action,
        reasons.map(({ rule }) => rule),
      ].join(" "),
    );
}

import { randomUUID } from "node:crypto";
import {
  acceptSubmissions,
  type Arrival,
  type CounterRequest,
  loadSubmissions,
  type PinRequest,
  type Publication,
  type PublishOptions,
  type Use,
} from "@assay/ledger";
import { laneOf, type Submission, submissionId, type Verdict } from "@assay/protocol";
import type { Ledger } from "./open-ledger.ts";

export const HOUR_MS = 3_600_000;

/** When submissions of these tests were received, unix ms. */
export const RECEIVED_AT = 1_760_000_000_000;

/** A submission id that no other test has. */
export function anId(): string {
  return submissionId("0", "default", randomUUID());
}

/** A sealed result that somebody handed in. */
export function anArrival(over: Partial<Submission> = {}, id: string = anId()): Arrival {
  return {
    id,
    submission: { kind: "sealed", payload: Buffer.from("sealed bytes"), context: { flow: "login" }, ...over },
  };
}

/** Accepts a submission and returns its id. */
export async function accepted(ledger: Ledger, over: Partial<Submission> = {}): Promise<string> {
  const arrival = anArrival(over);
  await acceptSubmissions(ledger.redis, ledger.keys, [arrival]);
  return arrival.id;
}

/** Loads one submission, as a worker's try named `token`. */
export async function loaded(ledger: Ledger, id: string, token: string = randomUUID(), alone = false) {
  const [found] = await loadSubmissions(ledger.redis, ledger.keys, [id], { token, alone });
  if (found === undefined) throw new Error("load did not answer");
  return found;
}

/** A submission that uses an event and asks for no counters: nothing says that it is somebody else's. */
export function aUse({ id, ...over }: { id: string } & Partial<Use> & Pick<Use, "eventId">): PinRequest {
  const use = {
    flow: "login",
    bound: true,
    ipHash: "ip1",
    userAgentHash: "agent1",
    userIdHash: "user1",
    ttlMs: HOUR_MS,
    ...over,
  };
  return { id, receivedAt: RECEIVED_AT, eventTime: RECEIVED_AT, use, counters: [] };
}

/** A counter of an hour that a submission with this event counts in. */
export function aCounterRequest(over: Partial<CounterRequest> = {}): CounterRequest {
  return { key: "visitor1", definition: "0123456789abcdef", windowMs: HOUR_MS, member: "event1", ...over };
}

/** A verdict that allows. */
export function aVerdict(id: string, over: Partial<Verdict> = {}): Verdict {
  return {
    schema: "assay.verdict/1",
    id,
    kind: "sealed",
    action: "allow",
    score: 0,
    reasons: [],
    shadow: [],
    unknown: [],
    checks: {},
    coverage: { rules: 1, judged: 1 },
    ruleset: { name: "default", digest: "d1", engine: "1" },
    received_at: RECEIVED_AT,
    decided_at: 1_760_000_000_500,
    ...over,
  };
}

/** A verdict on its way; `digest` stands for all that the verdict says. */
export function aPublication(id: string, over: Partial<Publication> = {}, verdict: Partial<Verdict> = {}): Publication {
  return {
    id,
    lane: laneOf("sealed"),
    verdict: aVerdict(id, verdict),
    digest: "digest1",
    pinned: "",
    deadLetter: false,
    ...over,
  };
}

/** How long published things are kept in tests. */
export function keeping(ledger: Ledger, over: Partial<PublishOptions> = {}): PublishOptions {
  return {
    prefix: ledger.prefix,
    verdictTtlMs: HOUR_MS,
    recordTtlMs: 2 * HOUR_MS,
    hashKey: "installation-key",
    ...over,
  };
}

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import type { VerdictRow } from "@assay/archive";
import { type Context, type Event, type Kind, submissionId, type Verdict } from "@assay/protocol";
import { loadRuleset } from "@assay/rules";
import { onTestFinished } from "vitest";
import { assay, type CommandRun } from "../../support/assay-command.ts";
import { aBot, aToken, anEvent } from "../../support/events.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";
import { type Archive, openArchive } from "../archive/open-archive.ts";

const PARTS = {
  "_shared.yaml": `
lists: { known: { type: string, file: lists/known.txt } }
counters:
  seen: { key: identification.visitor_id, window: 24h }
  users: { key: ip_address, distinct: context.user_id, window: 1h }
`,
  "lists/known.txt": "known-visitor until=2031-01-01\n",
};
const defaultOf = (mode: string) => `
ruleset: default
mode: ${mode}
candidate: next
include: [_shared.yaml]
facts: { age: number }
thresholds: { challenge: 20 }
expose: [vpn]
undecided: { no_key_opens: block }
rules:
  - { id: bad_bot, when: bot == "bad", action: block }
  - { id: often, when: counters.seen > 1, score: 25 }
  - { id: shared, when: counters.users > 1, score: 5 }
  - { id: young, when: facts.age < 7, score: 40 }
  - { id: known, when: identification.visitor_id in lists.known, action: allow }
`;
const NEXT = `
ruleset: next
counters: { visits: { key: identification.visitor_id, window: 1d }, mine: { key: ip_address, window: 5m } }
rules:
  - { id: frequent, when: counters.visits > 0 && counters.mine > 0, score: 5 }
`;

/** Verdicts that real workers made, in a real archive. */
export interface ReplayStage {
  readonly archive: Archive;
  /** By what is special about them. */
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly replay: (...args: string[]) => Promise<CommandRun>;
}

/** Submits one of each kind to a worker that decides by a ruleset in this mode, and archives what it published. */
export async function openReplayStage(server: PrivatePostgres, mode: "enforce" | "observe"): Promise<ReplayStage> {
  const archive = await openArchive(server);
  const files = new Map(Object.entries({ ...PARTS, "default.yaml": defaultOf(mode), "next.yaml": NEXT }));
  const stack = await openVendorStack({ env: { ASSAY_RULESETS: put(files) } });
  onTestFinished(() => stack.stop());
  const events = new Map<string, Event>();
  await stack.runWorker({
    aroundSource: (source) => async (work, signal, options) => {
      const sourced = await source(work, signal, options);
      if (sourced.status === "event") events.set(work.id, sourced.event);
      return sourced;
    },
  });
  const verdicts = new Map<string, Verdict>();
  for (const [name, id] of await submitAll(stack)) verdicts.set(name, await stack.verdict(id));
  await archive.writer.write(await Promise.all([...verdicts.values()].map((verdict) => rowOf(stack, verdict, events))));
  for (const own of ["default.yaml", "next.yaml"]) await archive.writer.write([rulesetRow(own, files)]);
  const env = { DATABASE_URL: archive.url };
  return { archive, verdicts, replay: (...args) => assay(["verdicts", "replay", ...args], { env }) };
}

async function submitAll(stack: VendorStack): Promise<[string, string][]> {
  const { producer, api } = stack;
  const context: Context = {
    flow: "login",
    user_id: "ann",
    reference: "order-1",
    ip: "203.0.113.7",
    facts: { age: 3 },
  };
  const [event, looked, sent] = [anEvent(), anEvent({ ip_address: "203.0.113.7" }), aBot()];
  api.add(looked);
  const bytes = (one: Event) => Buffer.from(JSON.stringify(one));
  const ids: [string, string][] = [];
  // In order, as each finds what those before it have claimed and counted.
  const add = async (name: string, submitted: Promise<string>) => {
    const id = await submitted;
    await stack.verdict(id);
    ids.push([name, id]);
  };
  const asKind = async (kind: Kind & ("backfill" | "webhook"), one: Event, suffix = "") => {
    const id = `${submissionId("0", "default", aToken(20))}${suffix}`;
    await producer.submit({ id, submission: { kind, event_id: one.event_id, payload: bytes(one) } });
    return id;
  };
  const toUnknown = async () => {
    const id = submissionId("0", "default", aToken(20));
    const submission = { kind: "lookup", event_id: looked.event_id, ruleset: "none" } as const;
    await producer.submit({ id, submission });
    return id;
  };
  await add("sealed", stack.submitSealed(event, { context }));
  await add(
    "presented again",
    stack.submitSealed(event, { context: { ...context, ip: "198.51.100.1", user_id: "bob" } }),
  );
  await add("a known visitor", stack.submitSealed(anEvent({ identification: { visitor_id: "known-visitor" } })));
  await add("without facts", stack.submitSealed(anEvent({ tags: { b: 1, "2": [null], a: { c: "x" } } })));
  await add("from a clock ahead", stack.submitSealed(anEvent({ timestamp: Date.now() + 60_000 })));
  await add("lookup", stack.submitLookup(looked.event_id, { context }));
  await add("stored", stack.submitLookup(looked.event_id));
  await add("webhook", stack.submitWebhook(sent));
  await add("backfill", asKind("backfill", anEvent()));
  await add("redrive", asKind("webhook", sent, "~1"));
  await add("a seal that no key opens", stack.submitSealed(new Uint8Array(64).fill(7), { context }));
  await add("an unknown ruleset", toUnknown());
  return ids;
}

async function rowOf(
  { redis, keys }: VendorStack,
  { id }: Verdict,
  events: ReadonlyMap<string, Event>,
): Promise<VerdictRow> {
  const [submission = "", pinned = ""] = (await redis.hmget(keys.record(id), "m", "vi")).map(String);
  const event = events.get(id);
  return {
    type: "verdict",
    tenant: "0",
    verdict: String(await redis.get(keys.verdict(id))),
    pinned,
    submission,
    ...(event === undefined ? {} : { event: deflateRawSync(JSON.stringify(event)) }),
  };
}

function rulesetRow(own: string, files: ReadonlyMap<string, string>) {
  // Its own file first, and its candidate's too.
  const needed = new Map([[own, files.get(own) ?? ""], ...files]);
  const { name, digest, engine } = loadRuleset(files.get(own) ?? "", { file: own, files: needed });
  return { type: "ruleset", digest, name, engine, files: Object.fromEntries(needed), loadedAt: Date.now() } as const;
}

function put(files: ReadonlyMap<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "assay-replay-"));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

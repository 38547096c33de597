import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import {
  acceptSubmissions,
  createArchiveStream,
  openInstallation,
  planDeliveries,
  publishVerdicts,
  reportOutcome,
  settleDelivery,
  takeDeliveries,
  tellArchive,
} from "@assay/ledger";
import { deliveryId, envelopeOf, outcomeId, type Verdict } from "@assay/protocol";
import type { RunningWorker } from "@assay/worker";
import { onTestFinished } from "vitest";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { openVendorStack, type VendorStack } from "../../support/vendor-stack.ts";
import { type Archive, openArchive } from "../archive/open-archive.ts";
import { anArrival, aPublication, HOUR_MS, keeping } from "../ledger/builders.ts";
import type { Person } from "./person.ts";

/** Counts by everything that is personal, and tells it by a rule. */
const RULESET = `
ruleset: default
counters:
  by_visitor: { key: identification.visitor_id, window: 24h }
  by_user: { key: context.user_id, distinct: identification.visitor_id, window: 24h }
  by_address: { key: ip_address, distinct: context.user_id, window: 24h }
  failed: { on: outcome, key: context.user_id, window: 24h }
rules:
  - { id: counted, when: counters.by_visitor + counters.by_user + counters.by_address + counters.failed < 999, score: 1 }
  - { id: address, when: ip_address != "192.0.2.1", score: 1 }
  - { id: person, when: context.user_id != "nobody" && linked_id != "none", score: 1 }
`;

/** An installation that knows people by every door, with an archive. */
export interface EraseStage {
  readonly stack: VendorStack;
  readonly archive: Archive;
  readonly hashKey: string;
  /** The environment of the command. */
  readonly env: Readonly<Record<string, string>>;
  /** A worker that decides; a test stops it to leave something undecided. */
  startWorker(): Promise<RunningWorker>;
  /** Fills every store with a person. Needs a worker. Returns ids of his submissions. */
  know(person: Person): Promise<string[]>;
}

export async function openEraseStage(server: PrivatePostgres): Promise<EraseStage> {
  const folder = mkdtempSync(join(tmpdir(), "assay-erase-"));
  writeFileSync(join(folder, "default.yaml"), RULESET);
  const stack = await openVendorStack({ env: { ASSAY_RULESETS: folder } });
  onTestFinished(() => stack.stop());
  const archive = await openArchive(server);
  const { redis, prefix } = stack;
  const { hashKey } = await openInstallation(redis, prefix, "ab".repeat(32));
  const env = {
    REDIS_URL: stack.env["REDIS_URL"] ?? "",
    ASSAY_PREFIX: prefix,
    DATABASE_URL: archive.url,
    ASSAY_RULESETS: folder,
  };
  const startWorker = () => stack.runWorker();
  const stores = { stack, archive, hashKey };
  // Several people are decided side by side; what is done by hand to each is not.
  let last: Promise<unknown> = Promise.resolve();
  return {
    ...stores,
    env,
    startWorker,
    async know(person) {
      const known = await decide(stores, person);
      const told = last.then(() => tell(stores, person, known));
      last = told;
      await told;
      return known.ids;
    },
  };
}

type Stores = Pick<EraseStage, "stack" | "archive" | "hashKey">;

/** What was decided of somebody. */
interface Known {
  readonly ids: string[];
  readonly verdicts: readonly Verdict[];
}

async function decide({ stack }: Stores, person: Person): Promise<Known> {
  const { context } = person;
  const lookedUp = person.event();
  stack.api.add(lookedUp);
  const shared = person.event();
  const ids = [
    await stack.submitSealed(shared, { context }),
    // Somebody else presents his event.
    await stack.submitSealed(shared, { context: { flow: "login" } }),
    await stack.submitSealed(Buffer.from("no seal of ours, but long enough to be one"), { context }),
    await stack.submitLookup(lookedUp.event_id, { context }),
    await stack.submitLookup(person.event().event_id, { context }),
    await stack.submitWebhook(shared),
  ];
  const verdicts = await Promise.all(ids.map((id) => stack.verdict(id)));
  return { ids, verdicts };
}

async function tell(stores: Stores, person: Person, { ids, verdicts }: Known): Promise<void> {
  const { stack, hashKey } = stores;
  const { redis, keys } = stack;
  // What is told of a submission waits for the archive, too.
  await tellArchive(redis, stack.prefix, keys.tenant, 64 * 1024 * 1024);
  for (const by of ["submission_id", "reference"] as const) {
    const value = by === "reference" ? person.reference : (ids[0] ?? "");
    const report = {
      id: outcomeId("0", by, value),
      outcome: { about: { by, value }, outcome: "failed", label: "fraud" },
    } as const;
    await reportOutcome(redis, keys, report, hashKey);
  }
  await deliver(stores, verdicts);
  await archiveAll(stores, person, verdicts);
}

/** Plans each verdict for an endpoint; one becomes a dead letter, and one is laid aside by a consumer. */
async function deliver({ stack: { redis, keys } }: Stores, verdicts: readonly Verdict[]): Promise<void> {
  const endpoint = "orders";
  const planned = verdicts.map((verdict) => ({
    id: deliveryId("0", endpoint, verdict.id),
    endpoint,
    body: JSON.stringify(envelopeOf(verdict)),
  }));
  const take = { endpoint, count: 1, maxInFlight: 100, leaseMs: HOUR_MS, resumedAt: 0 };
  await planDeliveries(redis, keys, planned.slice(0, 1));
  const [lease] = (await takeDeliveries(redis, keys, take)).deliveries;
  if (lease === undefined) throw new Error("nothing was due");
  await settleDelivery(redis, keys, endpoint, lease, { outcome: "dead", reason: "timeout", at: 1 }, HOUR_MS);
  await planDeliveries(redis, keys, planned.slice(1));
  await takeDeliveries(redis, keys, take);
  const letter = { id: verdicts[0]?.id ?? "", code: "unreadable", at: 1, envelope: planned[0]?.body ?? "" };
  await redis.xadd(keys.deadLetters("delivery"), "*", ...Object.entries(letter).flat());
}

/** Verdicts in Postgres, one that waits for it, and one that it refused. */
async function archiveAll({ stack, archive, hashKey }: Stores, person: Person, verdicts: readonly Verdict[]) {
  const { redis, keys, prefix } = stack;
  const ledger = { redis, keys, prefix };
  const rows = verdicts.map((verdict) => rowOf(verdict, person));
  await archive.writer.write(rows);
  await archive.writer.write(
    verdicts.map(({ id }) => ({
      type: "label",
      tenant: "0",
      id: outcomeId("0", "archive", id),
      submissionId: id,
      label: "fraud",
      occurredAt: 1_760_000_000_000,
      toldAt: 1_760_000_000_000,
    })),
  );
  for (const isRefused of [true, false]) {
    const event = person.event();
    const arrival = anArrival({ context: person.context });
    await acceptSubmissions(redis, keys, [arrival]);
    const publication = aPublication(
      arrival.id,
      { event: JSON.stringify(event) },
      { event_id: event.event_id, visitor_id: person.visitor },
    );
    const options = { ...keeping(ledger), hashKey, archive: true };
    await publishVerdicts(redis, keys, [publication], options);
    if (!isRefused) continue;
    const stream = createArchiveStream({ redis, reader: redis, keys, consumer: "archiver" });
    const read = await stream.read({ count: 100, blockMs: 1, takeoverAfterMs: HOUR_MS });
    const refused = read.filter((entry) => entry.type === "verdict" && entry.verdict.includes(arrival.id));
    const letters = refused.map(({ entryId }) => ({ entryId, code: "archive_rejected" }));
    await stream.settle(refused, letters);
  }
}

/** As the archiver writes it: what the submission said is no part of its verdict. */
function rowOf(verdict: Verdict, person: Person) {
  const event = verdict.event_source === undefined ? undefined : person.event({ event_id: verdict.event_id ?? "" });
  const context = verdict.context?.user_id === undefined ? verdict.context : person.context;
  return {
    type: "verdict",
    tenant: "0",
    verdict: JSON.stringify(verdict),
    pinned: "",
    submission: JSON.stringify({ kind: verdict.kind, context }),
    ...(event === undefined ? {} : { event: deflateRawSync(JSON.stringify(event)) }),
  } as const;
}

import {
  awaitEvent,
  bringEvent,
  createArchiveStream,
  findOverdue,
  holdBucket,
  holdLease,
  inquireEvent,
  leaveLine,
  letGoSubmissions,
  noteNotFound,
  pinInputs,
  publishVerdicts,
  releaseLease,
  reportOutcome,
  stopAsking,
  takeTurn,
} from "@assay/ledger";
import { leaderKey, outcomeId } from "@assay/protocol";
import { accepted, aCounterRequest, anId, aPublication, aUse, HOUR_MS, keeping, loaded } from "./builders.ts";
import type { Ledger } from "./open-ledger.ts";

/** Runs every script of the ledger through its branches, on several submissions where it takes several. */
export async function runEveryScript(ledger: Ledger, between: () => Promise<unknown> = async () => undefined) {
  const { redis, keys, prefix } = ledger;
  const [sealed, webhook, poison] = [
    await accepted(ledger),
    await accepted(ledger, { kind: "webhook", event_id: "e1" }),
    await accepted(ledger),
  ];
  await between();
  for (const token of ["token1", "alone1", "alone2", "alone3"]) await loaded(ledger, poison, token, token !== "token1");
  for (const id of [sealed, webhook]) await loaded(ledger, id, "token1");
  await between();
  const snoozed = { why: "lookup_saturated", until: 1 };
  await letGoSubmissions(redis, keys, "token1", [
    { id: sealed, spendsRetry: true, snoozed },
    { id: webhook, spendsRetry: false },
  ]);
  await between();
  const about = { by: "submission_id", value: sealed } as const;
  const told = { id: outcomeId("0", "default", sealed), outcome: { about, outcome: "paid", label: "legit" } as const };
  await reportOutcome(redis, keys, told, "installation-key");
  await between();
  const read = { key: "hash2", definition: "fedcba9876543210", windowMs: HOUR_MS };
  await pinInputs(
    redis,
    keys,
    [sealed, webhook].map((id) => ({
      ...aUse({ id, eventId: "e1" }),
      counters: [aCounterRequest(), { ...read, plan: { ...read, member: id, names: [], pairs: ["*/legit"] } }],
    })),
  );
  await between();
  for (const id of [outcomeId("0", "default", webhook), told.id]) {
    await reportOutcome(redis, keys, { ...told, id }, "installation-key");
  }
  await between();
  const dead = { deadLetter: true, digest: "digest2" };
  await publishVerdicts(
    redis,
    keys,
    [
      aPublication(sealed, {}, { event_id: "e1" }),
      aPublication(webhook, { lane: "background" }, { kind: "webhook", event_id: "e1" }),
      aPublication(poison, dead, { undecided: { code: "worker_crashed" } }),
      aPublication(anId()),
      aPublication(sealed, dead),
    ],
    keeping(ledger, { maxDeadLetterBytes: 1, archive: true, maxArchiveBytes: 1500 }),
  );
  await between();
  const archive = createArchiveStream({ redis, reader: redis, keys, consumer: "archiver1" });
  const entries = await archive.read({ count: 10, blockMs: 1, takeoverAfterMs: HOUR_MS });
  const [{ entryId } = { entryId: "" }] = entries;
  await archive.settle(entries, [{ entryId, code: "archive_rejected" }]);
  await between();
  await redis.del(keys.record(await accepted(ledger)));
  await findOverdue(redis, keys, "results", { before: Number.MAX_SAFE_INTEGER, now: 0, limit: 10 });
  await between();
  const inquirer = { eventId: "e2", id: anId(), isAwaited: true };
  await inquireEvent(redis, keys, inquirer);
  const rate = { rps: 5, burst: 1 };
  for (const id of [inquirer.id, anId()]) {
    const apiKeys = [{ keyId: "key1", restsForMs: 0 }];
    await takeTurn(redis, keys, { id, isAwaited: false, network: "n1", withinMs: HOUR_MS, apiKeys, rate });
    await leaveLine(redis, keys, id);
  }
  await holdBucket(redis, keys, "key1", 1);
  await between();
  await awaitEvent(redis, keys, { ...inquirer, follows: false, now: 1, until: 2 });
  await noteNotFound(redis, keys, "e2", false);
  await stopAsking(redis, keys, inquirer);
  await noteNotFound(redis, keys, "e2", true);
  await bringEvent(redis, keys, "e2", "{}");
  await between();
  await holdLease(redis, leaderKey(prefix), "holder1", 60_000);
  await between();
  await releaseLease(redis, leaderKey(prefix), "holder1");
}

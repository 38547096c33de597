import {
  awaitEvent,
  bringEvent,
  closeGap,
  createArchiveStream,
  deliverGone,
  dropLetters,
  eraseFindings,
  findOverdue,
  findSubject,
  forgetWaiters,
  type GroupMember,
  holdBucket,
  holdLease,
  inquireEvent,
  layAsideVerdict,
  keepDeliveries,
  keepEntries,
  leaveGroup,
  leaveLine,
  letGoSubmissions,
  moveReplay,
  noteNotFound,
  noticeSightings,
  pinInputs,
  planDeliveries,
  publishVerdicts,
  readGroup,
  readGroupOrGap,
  redriveLetter,
  releaseLease,
  replayDeliveries,
  reportOutcome,
  requestReplay,
  settleDelivery,
  shortenGap,
  startAsking,
  stopAsking,
  takeDeliveries,
  takeOverEntries,
  takeTurn,
  tellArchive,
  tellRuleset,
  writeTombstones,
} from "@assay/ledger";
import { createKeys, envelopeOf, type Keys, leaderKey, outcomeId } from "@assay/protocol";
import type { Redis } from "ioredis";
import { accepted, aCounterRequest, anId, aPublication, aUse, aVerdict, HOUR_MS, keeping, loaded } from "./builders.ts";
import { aGroupLetter, anEndpointLetter, anInputLetter, aPipelineLetter } from "./laid-aside.ts";
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
  await tellArchive(redis, prefix, keys.tenant, 1500);
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
  const ruleset = { digest: "d1", name: "default", engine: "e1", files: { "default.yaml": "" }, loadedAt: 1 };
  await tellRuleset(redis, keys, { ...ruleset, digest: "large" }, 8000);
  await redis.hset(keys.archiveBacklog(), "ruleset:old", "1");
  await tellRuleset(redis, keys, ruleset, 1500);
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
  await startAsking(redis, keys, inquirer);
  const rate = { rps: 5, burst: 1 };
  for (const id of [inquirer.id, anId()]) {
    const apiKeys = [{ keyId: "key1", restsForMs: 0 }];
    await takeTurn(redis, keys, { id, isAwaited: false, network: "n1", withinMs: HOUR_MS, apiKeys, rate });
    await leaveLine(redis, keys, id);
  }
  await holdBucket(redis, keys, "key1", 1);
  await between();
  await awaitEvent(redis, keys, { ...inquirer, follows: false, now: 1, until: 2 });
  await noteNotFound(redis, keys, { eventId: "e2", token: "token1", isFinal: false });
  await stopAsking(redis, keys, inquirer);
  await noteNotFound(redis, keys, { eventId: "e2", token: "token2", isFinal: true });
  await awaitEvent(redis, keys, { ...inquirer, eventId: "e3", follows: false, now: 1, until: 2 });
  const { waiters } = await bringEvent(redis, keys, "e3", "{}");
  await forgetWaiters(redis, keys, "e3", waiters);
  await between();
  const seen = (["origin", "app"] as const).map((kind) => ({ kind, name: "x", count: 1 }));
  await noticeSightings(redis, keys, { seen, counts: [{ name: "verdicts", count: 1 }], youngestMs: 1 });
  await between();
  await holdLease(redis, leaderKey(prefix), "holder1", 60_000);
  await between();
  await releaseLease(redis, leaderKey(prefix), "holder1");
  await between();
  const plans = ["wh_1", "wh_2", "wh_3", "wh_4"].map((id) => ({ id, endpoint: "orders", body: "{}" }));
  await planDeliveries(redis, keys, plans);
  await redis.zadd(keys.undelivered("orders"), 1, "wh_4");
  await between();
  const all = { endpoint: "orders", count: 9, maxInFlight: 9, leaseMs: HOUR_MS, resumedAt: 0 };
  const [first, second, third] = (await takeDeliveries(redis, keys, { ...all, leaseMs: 0 })).deliveries;
  await takeDeliveries(redis, keys, all);
  await between();
  const flying = Number(await redis.zscore(keys.deliveriesInFlight("orders"), third?.id ?? ""));
  await keepDeliveries(redis, keys, "orders", [{ id: third?.id ?? "", leaseUntil: flying }], HOUR_MS);
  await between();
  const settlements = [
    [third, { outcome: "failed", retryInMs: 1, restMs: 1 }],
    [first, { outcome: "delivered" }],
    [second, { outcome: "dead", reason: "timeout", at: 1 }],
    [third, { outcome: "gone" }],
  ] as const;
  for (const [lease, settlement] of settlements) {
    const until = await redis.zscore(keys.deliveriesInFlight("orders"), lease?.id ?? "");
    const held = { id: lease?.id ?? "", leaseUntil: Number(until) };
    await settleDelivery(redis, keys, "orders", held, settlement, HOUR_MS);
  }
  await takeDeliveries(redis, keys, { ...all, resumedAt: Number.MAX_SAFE_INTEGER });
  await between();
  await replayDeliveries(redis, keys, "orders", 0);
  await between();
  const given = { group: "crm", entryId: "1-1", id: sealed, code: "deliveries_exhausted", deliveries: 10, at: 1 };
  await layAsideVerdict(redis, keys, { ...given, envelope: "{}" });
  await between();
  await redriveAll({ ...ledger, keys: createKeys({ prefix, tenant: "third" }) }, between);
  await between();
  const replay = { endpoint: "orders", after: "1-0", before: "9-0", planned: 0 };
  await requestReplay(redis, keys, replay);
  for (const [from, to] of [[replay, { ...replay, planned: 1 }], [replay]] as const) {
    await moveReplay(redis, keys, from, to);
  }
  await moveReplay(redis, keys, { ...replay, planned: 1 });
  await between();
  await eraseThem(ledger, between);
  await readTrimmed(redis, createKeys({ prefix, tenant: "other" }), between);
}

// One of each sort; then what is left is dropped.
async function redriveAll(ledger: Ledger, between: () => Promise<unknown>): Promise<void> {
  const { redis, keys } = ledger;
  await redis.xgroup("CREATE", keys.verdicts(), "crm", "$", "MKSTREAM");
  for (const make of [anInputLetter, aPipelineLetter, aGroupLetter, anEndpointLetter]) {
    const letter = await make(ledger);
    await between();
    await redriveLetter(redis, keys, letter);
    await between();
  }
  const letter = await aGroupLetter(ledger);
  await dropLetters(redis, keys, "delivery", [letter.entryId]);
}

// One that is decided, one that is not, and what waits for the archive.
async function eraseThem(ledger: Ledger, between: () => Promise<unknown>): Promise<void> {
  const { redis, keys } = ledger;
  const [decided, pending] = [await accepted(ledger), await accepted(ledger)];
  const options = keeping(ledger, { archive: true });
  await publishVerdicts(redis, keys, [aPublication(decided, { deadLetter: true })], options);
  await writeTombstones(redis, keys, ["hash3", decided], { ttlMs: HOUR_MS });
  const [verdict, of] = [aVerdict(decided), { id: decided, receivedAt: 1 }];
  await planDeliveries(redis, keys, [{ id: "wh_5", endpoint: "orders", body: "{}", of }]);
  const given = { group: "crm", entryId: "1-2", id: decided, code: "unreadable", deliveries: 1, at: 1 };
  await layAsideVerdict(redis, keys, { ...given, envelope: JSON.stringify(envelopeOf(verdict)) });
  const stones = [{ hash: "hash3", at: 1 }];
  await bringEvent(redis, keys, "e4", "{}", stones);
  const erased = { kind: "sealed", erased: true } as const;
  await publishVerdicts(
    redis,
    keys,
    [aPublication(await accepted(ledger), { erased }), aPublication(pending)],
    options,
  );
  await between();
  const ids = { submissions: new Set([decided, pending]), events: new Set<string>() };
  const search = { subject: { kind: "user", value: "nobody" }, hashKey: "installation-key", ids } as const;
  await eraseFindings(redis, keys, await findSubject(redis, keys, search), ids);
  await between();
}

// A group that has one entry in hand, and was not given the next before both were trimmed.
async function readTrimmed(redis: Redis, keys: Keys, between: () => Promise<unknown>): Promise<void> {
  const member = { redis, keys, group: "crm", consumer: "c1" };
  await redis.xgroup("CREATE", keys.verdicts(), member.group, "0", "MKSTREAM", "ENTRIESREAD", 0);
  for (const entry of ["a", "b", "c"]) await redis.xadd(keys.verdicts(), "*", "e", entry);
  const { entries } = await readGroup(member, 1);
  await redis.xtrim(keys.verdicts(), "MAXLEN", 1);
  await between();
  const { entries: left } = await readGroup(member, 1);
  await between();
  await keepEntries(
    member,
    [...entries, ...left].map(({ entryId }) => entryId),
    0,
  );
  await takeOverEntries(
    member,
    [...entries, ...left].map(({ entryId }) => ({ entryId, minIdleMs: 0 })),
  );
  await leaveGroup(member);
  await readArchived({ redis, keys, group: "crm2", consumer: "c1" }, between);
}

// The same for a group that notes what it has not dealt with.
async function readArchived(member: GroupMember, between: () => Promise<unknown>): Promise<void> {
  const { redis, keys, group, consumer } = member;
  await redis.xgroup("CREATE", keys.verdicts(), group, "0", "ENTRIESREAD", 2);
  const { entries } = await readGroup(member, 1, "stay");
  await redis.xadd(keys.verdicts(), "*", "e", "d");
  await redis.xtrim(keys.verdicts(), "MAXLEN", 0);
  await between();
  const wanted = entries.map(({ entryId }) => ({ entryId, minIdleMs: 0 }));
  await takeOverEntries(member, wanted, { onGone: "note" });
  await between();
  for (const onGap of ["stay", "note"] as const) await readGroup(member, 1, onGap);
  await between();
  const { noted } = await readGroupOrGap(member, 1);
  await holdLease(redis, keys.gapLease(group), consumer, HOUR_MS);
  const rest = noted === undefined ? undefined : await shortenGap(member, noted, ["1-1"]);
  await between();
  if (rest !== undefined) await closeGap(member, rest);
  await between();
  await deliverGone(member, ["1-1"]);
}

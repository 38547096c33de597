import { randomUUID } from "node:crypto";
import {
  acceptSubmissions,
  createArchiveStream,
  dropLetters,
  layAsideVerdict,
  letGoSubmissions,
  loadSubmissions,
  pinInputs,
  planDeliveries,
  publishVerdicts,
  readArchiveBacklog,
  redriveLetter,
  reportOutcome,
  settleDelivery,
  takeDeliveries,
  tellArchive,
} from "@assay/ledger";
import { metaKey } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PrivateRedis } from "../../support/private-redis.ts";
import { startRedis } from "../../support/redis-server.ts";
import { accepted, aCounterRequest, anArrival, anId, aPublication, aUse, keeping, loaded } from "./builders.ts";
import { aGroupLetter, anEndpointLetter, anInputLetter, aPipelineLetter } from "./laid-aside.ts";
import { type Ledger, openConnection, openLedger, snapshot } from "./open-ledger.ts";

let server: PrivateRedis;
beforeAll(async () => {
  server = await startRedis({ config: { appendonly: "no" } });
});
afterAll(() => server.stop());

/** Runs an act on a Redis that has no byte left. */
async function whileFull({ redis }: Ledger, act: () => Promise<unknown>): Promise<void> {
  await redis.config("SET", "maxmemory", "1");
  try {
    await act();
  } finally {
    await redis.config("SET", "maxmemory", "512mb");
  }
}

interface Act {
  readonly name: string;
  readonly act: (ledger: Ledger, ids: readonly string[]) => Promise<unknown>;
  readonly before?: (ledger: Ledger) => Promise<void>;
}

const acts: readonly Act[] = [
  { name: "accept", act: ({ redis, keys }) => acceptSubmissions(redis, keys, [anArrival(), anArrival()]) },
  {
    name: "load",
    act: ({ redis, keys }, ids) => loadSubmissions(redis, keys, ids, { token: "token2", alone: true }),
  },
  {
    name: "inputs",
    act: ({ redis, keys }, ids) =>
      pinInputs(
        redis,
        keys,
        ids.map((id) => ({ ...aUse({ id, eventId: randomUUID() }), counters: [aCounterRequest()] })),
      ),
  },
  {
    name: "inputs of what nobody presented",
    act: ({ redis, keys }, ids) => {
      const read = { key: "failed1", definition: "fedcba9876543210", windowMs: 60_000 };
      const plan = { ...read, member: "m1", names: [], pairs: ["*/"] };
      const counters = [{ ...read, plan }, aCounterRequest()];
      return pinInputs(
        redis,
        keys,
        ids.map((id) => ({ id, receivedAt: 1_760_000_000_000, eventTime: 1_760_000_000_000, counters })),
      );
    },
  },
  {
    name: "plan of deliveries",
    act: ({ redis, keys }) =>
      planDeliveries(
        redis,
        keys,
        ["wh_1", "wh_2"].map((id) => ({ id, endpoint: "orders", body: "{}" })),
      ),
  },
  {
    name: "laying a verdict aside",
    act: ({ redis, keys }, [id = ""]) => {
      const letter = { group: "crm", entryId: "1-1", id, code: "unreadable", deliveries: 1, at: 1, envelope: "{}" };
      return layAsideVerdict(redis, keys, letter);
    },
  },
  {
    name: "report",
    act: ({ redis, keys }, [id = ""]) => {
      const about = { by: "submission_id", value: id } as const;
      return reportOutcome(redis, keys, { id: `o_${id}`, outcome: { about, label: "fraud" } }, "installation-key");
    },
  },
  {
    name: "report for the archive",
    async act({ redis, keys, prefix }, [id = ""]) {
      const about = { by: "submission_id", value: id } as const;
      await reportOutcome(redis, keys, { id: `o_${id}`, outcome: { about, label: "fraud" } }, "installation-key");
      expect(await redis.hget(metaKey(prefix), "archive:0")).toBe("1000");
      expect(await redis.xlen(keys.archive())).toBe(1);
    },
    before: ({ redis, prefix }) => tellArchive(redis, prefix, "0", 1000),
  },
  {
    name: "publish",
    act: (ledger, ids) =>
      publishVerdicts(
        ledger.redis,
        ledger.keys,
        ids.map((id) =>
          aPublication(id, { deadLetter: true }, { event_id: "e1", undecided: { code: "no_key_opens" } }),
        ),
        keeping(ledger),
      ),
  },
  {
    name: "publish for the archive",
    act: (ledger, ids) =>
      publishVerdicts(
        ledger.redis,
        ledger.keys,
        ids.map((id) => aPublication(id, { event: "{}" })),
        keeping(ledger, { archive: true }),
      ),
  },
];

describe("a full Redis", () => {
  test.each(acts)(
    "makes $name write nothing at all, and lets it succeed when there is room again",
    async ({ act, before: prepare }) => {
      const ledger = await openLedger(server.url);
      await prepare?.(ledger);
      const ids = [await accepted(ledger), await accepted(ledger)];
      for (const id of ids) await loaded(ledger, id, "token1");
      const before = await snapshot(ledger);
      await whileFull(ledger, () => expect(act(ledger, ids)).rejects.toThrow("OOM"));
      expect(await snapshot(ledger)).toEqual(before);
      await act(ledger, ids);
      expect(await snapshot(ledger)).not.toEqual(before);
    },
  );

  test("lets tries be given back, so that nobody becomes a suspect for it", async () => {
    const ledger = await openLedger(server.url);
    const { redis, keys } = ledger;
    const ids = [await accepted(ledger), await accepted(ledger)];
    for (const id of ids) await loaded(ledger, id, "token1");
    const releases = ids.map((id) => ({ id, spendsRetry: true, snoozed: { why: "lookup_saturated", until: 1 } }));
    await whileFull(ledger, () => letGoSubmissions(redis, keys, "token1", releases));
    for (const id of ids)
      expect(await redis.hmget(keys.record(id), "t", "k", "n", "sw", "su")).toEqual([
        "0",
        null,
        "1",
        "lookup_saturated",
        "1",
      ]);
  });

  test("lets deliveries go on, as they free it", async () => {
    const ledger = await openLedger(server.url);
    const { redis, keys } = ledger;
    const plans = ["wh_1", "wh_2", "wh_3"].map((id) => ({ id, endpoint: "orders", body: "{}" }));
    await planDeliveries(redis, keys, plans);
    await whileFull(ledger, async () => {
      const request = { endpoint: "orders", count: 9, maxInFlight: 4, leaseMs: 60_000, resumedAt: 0 };
      const [first, second, third] = (await takeDeliveries(redis, keys, request)).deliveries;
      if (first === undefined || second === undefined || third === undefined) throw new Error("Nothing is due.");
      await settleDelivery(redis, keys, "orders", first, { outcome: "delivered" }, 1e9);
      await settleDelivery(redis, keys, "orders", second, { outcome: "failed", retryInMs: 1, restMs: 1 }, 1e9);
      await settleDelivery(redis, keys, "orders", third, { outcome: "dead", reason: "timeout", at: 1 }, 1e9);
    });
    expect(await redis.zrange(keys.undelivered("orders"), "0", "-1")).toEqual(["wh_2"]);
    expect(await redis.xlen(keys.deadLetters("delivery"))).toBe(1);
  });

  test("lets go of what has been archived, and of nothing that must first be laid aside", async () => {
    const ledger = await openLedger(server.url);
    const { redis, keys } = ledger;
    const ids = [await accepted(ledger), await accepted(ledger)];
    const publications = ids.map((id) => aPublication(id));
    await publishVerdicts(redis, keys, publications, keeping(ledger, { archive: true }));
    const archive = createArchiveStream({ redis, reader: await openConnection(server.url), keys, consumer: "me" });
    const entries = await archive.read({ count: 2, blockMs: 1, takeoverAfterMs: 60_000 });
    const before = await snapshot(ledger);
    const rejected = [{ entryId: entries[1]?.entryId ?? "", code: "archive_rejected" }];
    await whileFull(ledger, async () => {
      await expect(archive.settle(entries, rejected)).rejects.toThrow("OOM");
      expect(await snapshot(ledger)).toEqual(before);
      await archive.settle(entries.slice(0, 1));
    });
    expect(await redis.xlen(keys.archive())).toBe(1);
    await archive.settle(entries, rejected);
    expect(await readArchiveBacklog(redis, keys)).toMatchObject({ entries: 0, bytes: 0 });
  });

  test.each([
    ["a submission", anInputLetter],
    ["an entry of the archive", aPipelineLetter],
    ["a verdict of a group", aGroupLetter],
    ["a delivery", anEndpointLetter],
  ])("leaves the dead letter of %s where it is, and can be rid of it", async (_, make) => {
    const ledger = await openLedger(server.url);
    const { redis, keys } = ledger;
    await redis.xgroup("CREATE", keys.verdicts(), "crm", "$", "MKSTREAM");
    const [letter, other] = [await make(ledger), await make(ledger)];
    const before = await snapshot(ledger);
    await whileFull(ledger, async () => {
      await expect(redriveLetter(redis, keys, letter)).rejects.toThrow("OOM");
      expect(await snapshot(ledger)).toEqual(before);
      expect(await dropLetters(redis, keys, other.kind, [other.entryId])).toBe(1);
    });
    expect((await redriveLetter(redis, keys, letter)).status).toMatch(/^(resubmitted|returned)$/);
  });

  test("still tells what is known", async () => {
    const ledger = await openLedger(server.url);
    const { redis, keys } = ledger;
    const [known, fresh] = [anArrival(), anArrival()];
    await acceptSubmissions(redis, keys, [known]);
    await whileFull(ledger, async () => {
      expect(await acceptSubmissions(redis, keys, [known])).toMatchObject([{ status: "duplicate" }]);
      await expect(acceptSubmissions(redis, keys, [known, fresh])).rejects.toThrow("OOM");
    });
    expect(await redis.exists(keys.record(fresh.id))).toBe(0);
  });

  test("publishes a verdict wholly or not at all beside an orphan", async () => {
    const ledger = await openLedger(server.url);
    const { redis, keys } = ledger;
    const id = await accepted(ledger);
    const publish = () => publishVerdicts(redis, keys, [aPublication(anId()), aPublication(id)], keeping(ledger));
    await whileFull(ledger, async () => {
      await publish().catch(() => undefined);
    });
    await publish();
    expect(await redis.xlen(keys.verdicts())).toBe(1);
    expect(await redis.zcard(keys.pending("results"))).toBe(0);
    expect(await redis.exists(keys.verdict(id))).toBe(1);
  });
});

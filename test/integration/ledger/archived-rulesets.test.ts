import { randomBytes, randomUUID } from "node:crypto";
import { createArchiveStream, readArchiveBacklog, tellRuleset, type ToldRuleset } from "@assay/ledger";
import { describe, expect, test } from "vitest";
import { type Ledger, openConnection, openLedger } from "./open-ledger.ts";

const BOUND = 1_000_000;
const DAY_MS = 86_400_000;

function aRuleset(over: Partial<ToldRuleset> = {}): ToldRuleset {
  const files = { "default.yaml": "ruleset: default # Zoë 🦊", "lists/a.txt": "a\nb\n" };
  return { digest: "d1", name: "default", engine: "e1", files, loadedAt: 1_760_000_000_000, ...over };
}

async function entriesOf({ redis, keys }: Ledger) {
  const stream = createArchiveStream({ redis, reader: await openConnection(), keys, consumer: randomUUID() });
  return await stream.read({ count: 100, blockMs: 1, takeoverAfterMs: 60_000 });
}

describe("tellRuleset", () => {
  test("hands over a ruleset with all its files, in their order, once", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const told = await Promise.all([1, 2, 3].map(() => tellRuleset(redis, keys, aRuleset(), BOUND)));
    expect(told.toSorted()).toEqual(["known", "known", "told"]);
    const [entry, ...rest] = await entriesOf(ledger);
    expect(rest).toEqual([]);
    expect(entry).toMatchObject({ type: "ruleset", ...aRuleset() });
    expect(entry?.type === "ruleset" && Object.keys(entry.files)).toEqual(["default.yaml", "lists/a.txt"]);
  });

  test("hands over another digest, and the same one again after a day, and forgets those of the past", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    await tellRuleset(redis, keys, aRuleset(), BOUND);
    expect(await tellRuleset(redis, keys, aRuleset({ digest: "d2" }), BOUND)).toBe("told");
    for (const digest of ["d1", "d2"]) {
      await redis.hset(keys.archiveBacklog(), `ruleset:${digest}`, String(Date.now() - DAY_MS - 60_000));
    }
    expect(await tellRuleset(redis, keys, aRuleset(), BOUND)).toBe("told");
    expect(await redis.hexists(keys.archiveBacklog(), "ruleset:d2")).toBe(0);
  });

  test("hands it over again where it was dropped on its way", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    const files = { "default.yaml": randomBytes(700).toString("hex") };
    await tellRuleset(redis, keys, aRuleset({ files }), 8000);
    for (let n = 2; n < 15; n++) await tellRuleset(redis, keys, aRuleset({ digest: `d${n}`, files }), 8000);
    expect((await readArchiveBacklog(redis, keys)).dropped).toBeGreaterThan(0);
    expect(await tellRuleset(redis, keys, aRuleset({ files }), 8000)).toBe("told");
  });

  test("refuses what would drive out many verdicts", async () => {
    const ledger = await openLedger();
    const files = { "default.yaml": randomBytes(2000).toString("hex") };
    expect(await tellRuleset(ledger.redis, ledger.keys, aRuleset({ files }), 8000)).toBe("too_large");
    expect(await ledger.redis.exists(ledger.keys.archive())).toBe(0);
  });

  test("writes what nobody can read as unreadable", async () => {
    const ledger = await openLedger();
    await ledger.redis.xadd(ledger.keys.archive(), "*", "t", "ruleset", "d", "d1", "j", "not deflated");
    expect((await entriesOf(ledger)).map(({ type }) => type)).toEqual(["unreadable"]);
  });
});

import type { Trimmed, VerdictArchive } from "@assay/client";
import { compareStreamIds } from "@assay/ledger";
import { readEnvelope } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { startApp } from "../../support/app-process.ts";
import { eventually } from "../../support/eventually.ts";
import { GROUP, openStage, QUICK, type Stage } from "./stage.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await openStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

/** An archive of what the stream holds at this moment. */
async function archived(without: readonly string[] = []): Promise<VerdictArchive> {
  const { redis, keys } = stage.installation;
  const all = (await redis.xrange(keys.verdicts(), "-", "+")).map(([streamId, [, json = ""]]) => {
    const verdict = readEnvelope(json)?.data;
    return { streamId, id: verdict?.id ?? "", verdict: JSON.stringify(verdict) };
  });
  return {
    published: ({ tenant, after, before, limit }) =>
      Promise.resolve(
        all
          .filter(({ streamId, id }) => {
            const isBetween = compareStreamIds(streamId, after) > 0 && compareStreamIds(streamId, before) < 0;
            return tenant === "0" && isBetween && !without.includes(id);
          })
          .slice(0, Math.min(limit, 2)),
      ),
  };
}

const away: VerdictArchive = { published: () => Promise.reject(new Error("Postgres is away.")) };

/** A consumer, what it was given, and what it was told of. */
function consuming(
  archive: VerdictArchive,
  handler: (id: string) => void | Promise<void> = () => undefined,
  retryAfterMs = QUICK.retryAfterMs ?? 0,
) {
  const seen: string[] = [];
  const trimmed: Trimmed[] = [];
  const options = { ...QUICK, retryAfterMs, archive, concurrency: 1, onTrimmed: (each: Trimmed) => trimmed.push(each) };
  const consumer = stage.aClient().consume(options, ({ id }) => {
    seen.push(id);
    return handler(id);
  });
  return { seen, trimmed, stop: () => consumer.stop() };
}

async function leave(count: number): Promise<void> {
  await stage.installation.redis.xtrim(stage.installation.keys.verdicts(), "MAXLEN", count);
}

/** A group that has seen one verdict, and what was published after it was left alone. */
async function leftBehind(count: number): Promise<string[]> {
  const first = consuming(away);
  await stage.publish("allow");
  await eventually(async () => first.seen.length === 1 && (await stage.allAcknowledged()));
  await first.stop();
  return await stage.publish(...Array.from({ length: count }, () => "allow" as const));
}

describe("a group with an archive", () => {
  test("is given what left the stream, in its order, then what is left, once and by one consumer", async () => {
    const ids = await leftBehind(7);
    const archive = await archived();
    await leave(2);
    const both = [consuming(archive), consuming(archive)];
    await eventually(async () => both.flatMap(({ seen }) => seen).length === 7 && (await stage.allAcknowledged()));
    expect(both.flatMap(({ seen }) => seen).toSorted()).toEqual(ids.toSorted());
    const filler = both.find(({ seen }) => seen.includes(ids[0] ?? ""));
    expect(filler?.seen.slice(0, 5)).toEqual(ids.slice(0, 5));
    expect(both.flatMap(({ trimmed }) => trimmed)).toEqual([
      {
        lost: 5,
        from: expect.any(Number),
        to: expect.any(Number),
        after: expect.any(String),
        before: expect.any(String),
        archive: "follows",
      },
    ]);
    const [next] = await stage.publish("allow");
    await eventually(() => both.some(({ seen }) => seen.includes(next ?? "")));
    expect(both.flatMap(({ trimmed }) => trimmed)).toHaveLength(1);
  });

  test("is given it when the stream was emptied, and by a subscription", async () => {
    const ids = await leftBehind(3);
    const archive = await archived();
    await leave(0);
    const seen: string[] = [];
    for await (const { verdict, ack } of stage.aClient().subscribe({ ...QUICK, archive, onTrimmed: () => undefined })) {
      seen.push(verdict.id);
      await ack();
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(ids);
  });

  test("loses nothing to a consumer that ends midway: another goes on there", async () => {
    const ids = await leftBehind(7);
    const archive = await archived();
    await leave(1);
    const first = consuming(archive, (id) => {
      if (id === ids[3]) throw new Error("not this one");
    });
    await eventually(() => first.seen.includes(ids[3] ?? ""));
    await first.stop();
    const second = consuming(archive);
    await eventually(async () => second.seen.length >= 4 && (await stage.allAcknowledged()));
    // The page that was not dealt with comes again, and none before it.
    expect(second.seen).toEqual(ids.slice(2));
  });

  test("is moved by nobody who has lost the right to fill its gap", async () => {
    const { redis, keys } = stage.installation;
    const ids = await leftBehind(7);
    const archive = await archived();
    await leave(1);
    const lease = keys.gapLease(GROUP);
    let isLost = false;
    const consumer = consuming(archive, async (id) => {
      // As if it had stood still for longer than its lease.
      if (id === ids[3] && !isLost) await redis.set(lease, "another");
      isLost ||= id === ids[3];
    });
    const placeOf = async () => JSON.stringify(await stage.infos("GROUPS"));
    await eventually(() => consumer.seen.includes(ids[3] ?? ""));
    const place = await placeOf();
    const since = performance.now();
    await eventually(() => performance.now() - since > 300);
    expect(await placeOf()).toBe(place);
    expect(consumer.seen).toEqual(ids.slice(0, 4));
    await redis.del(lease);
    await eventually(() => expect(new Set(consumer.seen)).toEqual(new Set(ids)));
  });

  test("is given again what its handler failed on, and lays it aside after ten times", async () => {
    const ids = await leftBehind(3);
    const archive = await archived();
    await leave(1);
    const fail = (id: string) => {
      if (id === ids[0]) throw new Error("never");
    };
    const consumer = consuming(archive, fail, 1);
    await eventually(async () => (await stage.deadLetters()).length === 1);
    await eventually(() => stage.allAcknowledged());
    expect(consumer.seen.filter((id) => id === ids[0])).toHaveLength(10);
    expect(consumer.seen.filter((id) => id === ids[1])).toHaveLength(1);
    expect(await stage.deadLetters()).toMatchObject([{ id: ids[0], group: GROUP, code: "deliveries_exhausted" }]);
  });

  test("goes on with what is left where the archive is away, and is told", async () => {
    const ids = await leftBehind(3);
    await leave(1);
    const consumer = consuming(away);
    await eventually(() => expect(consumer.seen).toEqual([ids[2]]));
    expect(consumer.trimmed).toMatchObject([{ lost: 2, archive: "away" }]);
  });

  test("is told how many the archive has not got", async () => {
    const ids = await leftBehind(4);
    const archive = await archived([ids[1] ?? ""]);
    await leave(1);
    const consumer = consuming(archive);
    await eventually(() => expect(consumer.seen).toEqual([ids[0], ids[2], ids[3]]));
    expect(consumer.trimmed).toMatchObject([
      { lost: 3, archive: "follows" },
      { lost: 1, archive: "missing" },
    ]);
  });

  test("is given what a dead consumer had, though it left the stream", async () => {
    const { redis, keys } = stage.installation;
    const [lost] = await stage.publish("allow");
    await redis.xgroup("CREATE", keys.verdicts(), GROUP, "0", "ENTRIESREAD", 0);
    await redis.xreadgroup("GROUP", GROUP, "dead", "COUNT", 9, "STREAMS", keys.verdicts(), ">");
    const archive = await archived();
    await leave(0);
    const other = consuming(archive);
    await eventually(() => expect(other.seen).toEqual([lost]));
    expect(other.trimmed).toEqual([]);
  });

  test("loses nothing of what a dead consumer had and another failed on, who ends", async () => {
    const { redis, keys } = stage.installation;
    const ids = await stage.publish("allow", "allow", "allow");
    await redis.xgroup("CREATE", keys.verdicts(), GROUP, "0", "ENTRIESREAD", 0);
    await redis.xreadgroup("GROUP", GROUP, "dead", "COUNT", 9, "STREAMS", keys.verdicts(), ">");
    const archive = await archived();
    await leave(0);
    const fail = () => {
      throw new Error("not now");
    };
    const first = consuming(archive, fail, 50);
    await eventually(() => expect(new Set(first.seen)).toEqual(new Set(ids)));
    expect(await stage.pendingCount()).toBe(3);
    await first.stop();
    const second = consuming(archive);
    await eventually(() => expect(second.seen.toSorted()).toEqual(ids.toSorted()));
    await eventually(async () => (await stage.pendingCount()) === 0);
    expect([...first.trimmed, ...second.trimmed]).toEqual([]);
  });

  test.each([
    { who: "an archive", seen: 1, lost: 0 },
    { who: "no archive", seen: 0, lost: 1 },
  ])(
    "loses nothing silently of what was trimmed in the hands of a killed consumer, with $who",
    async ({ seen, lost }) => {
      const { prefix } = stage.installation;
      const args = [inject("redisUrl"), prefix, GROUP];
      const killed = startApp("test/integration/client/stuck-consumer.ts", {}, args);
      onTestFinished(() => killed.stop());
      const ids = await stage.publish("allow");
      await eventually(() => expect(killed.output).toContain(ids[0]));
      const archive = await archived();
      await leave(0);
      // It has looked at what it keeps alive.
      const since = performance.now();
      await eventually(() => performance.now() - since > 250);
      await killed.kill("SIGKILL");
      const trimmed: Trimmed[] = [];
      const taken: string[] = [];
      const options = {
        ...QUICK,
        onTrimmed: (each: Trimmed) => trimmed.push(each),
        ...(seen === 1 ? { archive } : {}),
      };
      stage.aClient().consume(options, ({ id }) => void taken.push(id));
      await eventually(() =>
        expect([taken, trimmed]).toMatchObject([ids.slice(0, seen), lost === 0 ? [] : [{ lost }]]),
      );
    },
  );

  test("is given again what it failed on though it left the stream meanwhile", async () => {
    let fails = true;
    const consumer = consuming(away, async () => {
      await leave(0);
      // What keeps it alive has found out.
      const since = performance.now();
      await eventually(() => performance.now() - since > 250);
      if (fails) throw new Error("not yet");
    });
    const [id] = await stage.publish("allow");
    await eventually(() => consumer.seen.length === 1);
    fails = consumer.seen.length === 1;
    await eventually(() => consumer.seen.length === 2);
    fails = false;
    expect(consumer.seen).toEqual([id, id]);
    expect(consumer.trimmed).toEqual([]);
  });
});

describe("a tail with an archive", () => {
  test("gets what left the stream, in its order, then what is left, none twice", async () => {
    const client = stage.aClient();
    const [first] = await stage.publish("allow");
    let place = "";
    const controller = new AbortController();
    const begun = (async () => {
      for await (const { id } of client.tail({ signal: controller.signal })) place = id;
    })();
    await eventually(async () => {
      await stage.publish("allow");
      expect(place).not.toBe("");
    });
    controller.abort();
    await begun;
    const ids = await stage.publish("allow", "block", "review", "block", "allow");
    const archive = await archived();
    await leave(2);
    const trimmed: Trimmed[] = [];
    const seen: string[] = [];
    const options = {
      from: place,
      archive,
      filter: { flow: "login" },
      onTrimmed: (each: Trimmed) => trimmed.push(each),
    };
    for await (const { verdict, id } of client.tail(options)) {
      seen.push(verdict.id);
      place = id;
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([ids[1], ids[3]]);
    expect(trimmed).toMatchObject([{ archive: "follows" }]);
    expect(seen).not.toContain(first);
  });
});

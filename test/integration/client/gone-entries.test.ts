import type { Trimmed } from "@assay/client";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { startApp } from "../../support/app-process.ts";
import { eventually } from "../../support/eventually.ts";
import { type ArchivedVerdict, archiveOf } from "./archive-of.ts";
import { type ArchivedStage, away, openArchivedStage } from "./archived-stage.ts";
import { GROUP, QUICK } from "./stage.ts";

let stage: ArchivedStage;

beforeEach(async () => {
  stage = await openArchivedStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

/** A consumer, in a process of its own, that a verdict kills. */
async function diesOf(fatal: string, rows: readonly ArchivedVerdict[]): Promise<void> {
  const args = [inject("redisUrl"), stage.installation.prefix, GROUP, fatal, JSON.stringify(rows)];
  const app = startApp("test/integration/client/killed-consumer.ts", {}, args);
  onTestFinished(() => app.stop());
  await app.exited;
}

describe("what left the stream before a group had dealt with it", () => {
  test("is given again what its handler failed on, and lays it aside after ten times", async () => {
    const ids = await stage.leftBehind(3);
    const archive = await stage.archived();
    await stage.leave(1);
    const fail = (id: string) => {
      if (id === ids[0]) throw new Error("never");
    };
    const consumer = stage.consuming(archive, fail, 1);
    await eventually(async () => (await stage.deadLetters()).length === 1);
    await eventually(() => stage.allAcknowledged());
    expect(consumer.seen.filter((id) => id === ids[0])).toHaveLength(10);
    expect(consumer.seen.filter((id) => id === ids[1])).toHaveLength(1);
    expect(await stage.deadLetters()).toMatchObject([{ id: ids[0], group: GROUP, code: "deliveries_exhausted" }]);
  });

  test("goes on behind what its handler fails on, page by page and to what is left", async () => {
    const ids = await stage.leftBehind(7);
    const archive = await stage.archived();
    await stage.leave(1);
    const fail = (id: string) => {
      if (id === ids[0]) throw new Error("never");
    };
    const consumer = stage.consuming(archive, fail, 5);
    await eventually(() => expect(new Set(consumer.seen)).toEqual(new Set(ids)));
    expect(consumer.seen.filter((id) => id === ids[0]).length).toBeLessThan(10);
    expect(await stage.deadLetters()).toEqual([]);
    expect(consumer.seen.filter((id) => id !== ids[0])).toEqual(ids.slice(1));
    await eventually(async () => (await stage.deadLetters()).length === 1, { timeoutMs: 30_000 });
    expect(consumer.seen.filter((id) => id === ids[0])).toHaveLength(10);
    expect(consumer.seen.filter((id) => id !== ids[0])).toEqual(ids.slice(1));
    expect(await stage.deadLetters()).toMatchObject([
      { id: ids[0], group: GROUP, code: "deliveries_exhausted", deliveries: "10" },
    ]);
  });

  test("lays aside what kills its consumers after ten deliveries, most of them before it left the stream", async () => {
    const { redis, keys } = stage.installation;
    const stream = keys.verdicts();
    const [fatal = ""] = await stage.publish("allow");
    await redis.xgroup("CREATE", stream, GROUP, "0", "ENTRIESREAD", 0);
    await redis.xreadgroup("GROUP", GROUP, "dead", "COUNT", 9, "STREAMS", stream, ">");
    const rows = await stage.rowsNow();
    await redis.xclaim(stream, GROUP, "dead", 0, rows[0]?.streamId ?? "", "RETRYCOUNT", 8);
    await stage.leave(0);
    for (let deliveries = 9; deliveries <= 10; deliveries++) await diesOf(fatal, rows);
    const survivor = stage.consuming(archiveOf(rows));
    await eventually(async () => (await stage.goneCount()) === 0);
    expect(survivor.seen).toEqual([]);
    const why = { id: fatal, group: GROUP, code: "deliveries_exhausted", deliveries: "10" };
    expect(await stage.deadLetters()).toMatchObject([why]);
  });

  test("counts the deliveries of what kills a consumer that fills its gap", async () => {
    const [fatal = "", next = ""] = await stage.leftBehind(2);
    const rows = await stage.rowsNow();
    await stage.leave(0);
    await diesOf(fatal, rows);
    const given: [id: string, deliveries: number][] = [];
    stage.aClient().consume({ ...QUICK, archive: archiveOf(rows) }, ({ id }, { deliveries }) => {
      given.push([id, deliveries]);
    });
    await eventually(async () => (await stage.goneCount()) === 0);
    expect(given).toEqual([
      [fatal, 2],
      [next, 1],
    ]);
  });

  test("is given what a dead consumer had, though it left the stream", async () => {
    const { redis, keys } = stage.installation;
    const [lost] = await stage.publish("allow");
    await redis.xgroup("CREATE", keys.verdicts(), GROUP, "0", "ENTRIESREAD", 0);
    await redis.xreadgroup("GROUP", GROUP, "dead", "COUNT", 9, "STREAMS", keys.verdicts(), ">");
    const archive = await stage.archived();
    await stage.leave(0);
    const other = stage.consuming(archive);
    await eventually(() => expect(other.seen).toEqual([lost]));
    expect(other.trimmed).toEqual([]);
  });

  test("loses nothing of what a dead consumer had and another failed on, who ends", async () => {
    const { redis, keys } = stage.installation;
    const ids = await stage.publish("allow", "allow", "allow");
    await redis.xgroup("CREATE", keys.verdicts(), GROUP, "0", "ENTRIESREAD", 0);
    await redis.xreadgroup("GROUP", GROUP, "dead", "COUNT", 9, "STREAMS", keys.verdicts(), ">");
    const archive = await stage.archived();
    await stage.leave(0);
    const fail = () => {
      throw new Error("not now");
    };
    const first = stage.consuming(archive, fail, 50);
    await eventually(() => expect(new Set(first.seen)).toEqual(new Set(ids)));
    expect(await stage.goneCount()).toBe(3);
    await first.stop();
    const second = stage.consuming(archive);
    await eventually(() => expect(second.seen.toSorted()).toEqual(ids.toSorted()));
    await eventually(async () => (await stage.goneCount()) === 0);
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
      const archive = await stage.archived();
      await stage.leave(0);
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
    const consumer = stage.consuming(away, async () => {
      await stage.leave(0);
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

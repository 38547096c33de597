import { tellArchive } from "@assay/ledger";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type ArchivedStage, openArchivedStage } from "./archived-stage.ts";
import { GROUP } from "./stage.ts";

let stage: ArchivedStage;

beforeEach(async () => {
  stage = await openArchivedStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

describe("a group of which some have an archive", () => {
  const known = () => tellArchive(stage.installation.redis, stage.installation.prefix, "0", 1024);

  test("leaves a gap to who has, who is midway, and the others are told nothing", async () => {
    const ids = await stage.leftBehind(7);
    const archive = await stage.archived();
    await stage.leave(2);
    let goOn = () => {};
    const released = new Promise<void>((resolve) => (goOn = resolve));
    const filler = stage.consuming(archive, (id) => (id === ids[2] ? released : undefined));
    await eventually(() => filler.seen.includes(ids[2] ?? ""));
    const other = stage.consuming(undefined);
    await eventually(() => expect(other.seen).toEqual(ids.slice(5)));
    goOn();
    await eventually(() => stage.allAcknowledged());
    expect(filler.seen).toEqual(ids.slice(0, 5));
    expect(other.seen).toEqual(ids.slice(5));
    expect([...filler.trimmed, ...other.trimmed]).toMatchObject([{ lost: 5, archive: "follows" }]);
  });

  test("leaves a gap that others find to who comes with an archive, where the installation has one", async () => {
    const ids = await stage.leftBehind(7);
    const archive = await stage.archived();
    await stage.leave(2);
    await known();
    const others = [stage.consuming(undefined), stage.consuming(undefined)];
    await eventually(() => expect(others.flatMap(({ seen }) => seen).toSorted()).toEqual(ids.slice(5).toSorted()));
    expect(others.flatMap(({ trimmed }) => trimmed)).toMatchObject([{ lost: 5, archive: "waits" }]);
    const [next = ""] = await stage.publish("allow");
    await eventually(() => others.some(({ seen }) => seen.includes(next)));
    const filler = stage.consuming(archive);
    await eventually(() => stage.allAcknowledged());
    expect(filler.seen).toEqual(ids.slice(0, 5));
    expect(others.flatMap(({ trimmed }) => trimmed)).toHaveLength(1);
    expect(others.flatMap(({ seen }) => seen)).toHaveLength(3);
  });

  test("leaves a gap to one of it though nobody told of the installation's archive", async () => {
    const { redis, keys } = stage.installation;
    const ids = await stage.leftBehind(2);
    const archive = await stage.archived();
    // It has come and has not read yet.
    await redis.set(keys.groupArchive(GROUP), "1", "PX", 60_000);
    await stage.leave(0);
    const other = stage.consuming(undefined);
    await eventually(() => expect(other.trimmed).toMatchObject([{ lost: 2, archive: "waits" }]));
    const filler = stage.consuming(archive);
    await eventually(() => expect(filler.seen).toEqual(ids));
  });

  test("leaves nothing to others of what succeeds though it left the stream and was taken for abandoned", async () => {
    await known();
    let succeed = () => {};
    const done = new Promise<void>((resolve) => (succeed = resolve));
    const slow = stage.consuming(undefined, () => done);
    const [id] = await stage.publish("allow");
    await eventually(() => expect(slow.seen).toEqual([id]));
    await stage.leave(0);
    const other = stage.consuming(undefined);
    await eventually(() => expect(other.trimmed).toMatchObject([{ lost: 1, archive: "waits" }]));
    expect(await stage.goneCount()).toBe(1);
    succeed();
    await eventually(async () => (await stage.goneCount()) === 0);
  });

  test("is told as lost what is too much to be left to others", async () => {
    const { redis, keys } = stage.installation;
    await stage.publish("allow");
    await redis.xgroup("CREATE", keys.verdicts(), GROUP, "0", "ENTRIESREAD", 0);
    await redis.xreadgroup("GROUP", GROUP, "dead", "COUNT", 9, "STREAMS", keys.verdicts(), ">");
    await stage.leave(0);
    await known();
    const many = Array.from({ length: 10_000 }, (_, n) => [`0-${n + 1}`, 1] as const);
    await redis.hset(keys.goneEntries(GROUP), Object.fromEntries(many));
    const other = stage.consuming(undefined);
    await eventually(() => expect(other.trimmed).toHaveLength(1));
    expect(other.trimmed).toEqual([expect.not.objectContaining({ archive: expect.anything() })]);
    expect(await stage.pendingCount()).toBe(0);
  });

  test("leaves what a dead consumer had to who has", async () => {
    const { redis, keys } = stage.installation;
    const ids = await stage.publish("allow", "allow");
    await redis.xgroup("CREATE", keys.verdicts(), GROUP, "0", "ENTRIESREAD", 0);
    await redis.xreadgroup("GROUP", GROUP, "dead", "COUNT", 9, "STREAMS", keys.verdicts(), ">");
    const archive = await stage.archived();
    await stage.leave(0);
    await known();
    const other = stage.consuming(undefined);
    await eventually(() => expect(other.trimmed).toMatchObject([{ lost: 2, archive: "waits" }]));
    const filler = stage.consuming(archive);
    await eventually(async () => (await stage.goneCount()) === 0);
    expect(filler.seen).toEqual(ids);
    expect([...filler.trimmed, ...other.trimmed]).toHaveLength(1);
  });
});

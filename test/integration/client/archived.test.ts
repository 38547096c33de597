import { createAssayClient, type Trimmed, type VerdictArchive } from "@assay/client";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { archiveOf } from "./archive-of.ts";
import { type ArchivedStage, away, openArchivedStage } from "./archived-stage.ts";
import { openSlowWay } from "./slow-way.ts";
import { GROUP, QUICK } from "./stage.ts";

let stage: ArchivedStage;

beforeEach(async () => {
  stage = await openArchivedStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

describe("a group with an archive", () => {
  test("begins, where the group is new, with what the stream held when it came, though that is trimmed meanwhile", async () => {
    const way = await openSlowWay(inject("redisUrl"));
    const ids = await stage.publish("allow", "allow", "allow", "allow", "allow");
    const archive = await stage.archived();
    await stage.leave(3);
    const client = createAssayClient({ connection: way.url, prefix: stage.installation.prefix });
    onTestFinished(() => client.close());
    const caught = way.hold(/xgroup\r\n\$6\r\ncreate/i);
    const seen: string[] = [];
    client.consume({ ...QUICK, concurrency: 1, archive, onTrimmed: () => undefined }, ({ id }) => void seen.push(id));
    await caught;
    await stage.leave(1);
    way.release();
    await eventually(() => stage.allAcknowledged());
    expect(seen).toEqual(ids.slice(2));
  });

  test("is given what left the stream, in its order, then what is left, once and by one consumer", async () => {
    const ids = await stage.leftBehind(7);
    const archive = await stage.archived();
    await stage.leave(2);
    const both = [stage.consuming(archive), stage.consuming(archive)];
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
    const ids = await stage.leftBehind(3);
    const archive = await stage.archived();
    await stage.leave(0);
    const seen: string[] = [];
    for await (const { verdict, ack } of stage.aClient().subscribe({ ...QUICK, archive, onTrimmed: () => undefined })) {
      seen.push(verdict.id);
      await ack();
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(ids);
  });

  test("loses nothing to a consumer that ends midway: another goes on there", async () => {
    const ids = await stage.leftBehind(7);
    const archive = await stage.archived();
    await stage.leave(1);
    const first = stage.consuming(archive, (id) => {
      if (id === ids[3]) throw new Error("not this one");
    });
    await eventually(() => first.seen.includes(ids[3] ?? ""));
    await first.stop();
    const second = stage.consuming(archive);
    await eventually(async () => second.seen.length > 0 && (await stage.allAcknowledged()));
    // What was not dealt with comes again, and nothing else.
    const once = [...first.seen, ...second.seen].filter((id) => id !== ids[3]);
    expect(once.toSorted()).toEqual(ids.filter((id) => id !== ids[3]).toSorted());
    expect(second.seen).toContain(ids[3]);
  });

  test("is moved by nobody who has lost the right to fill its gap", async () => {
    const { redis, keys } = stage.installation;
    const ids = await stage.leftBehind(7);
    const archive = await stage.archived();
    await stage.leave(1);
    const lease = keys.gapLease(GROUP);
    let isLost = false;
    const consumer = stage.consuming(archive, async (id) => {
      // As if it had stood still for longer than its lease.
      if (id === ids[3] && !isLost) await redis.set(lease, "another");
      isLost ||= id === ids[3];
    });
    const placeOf = async () => JSON.stringify(await redis.lrange(keys.gaps(GROUP), 0, -1));
    await eventually(() => consumer.seen.includes(ids[3] ?? ""));
    const place = await placeOf();
    const since = performance.now();
    await eventually(() => performance.now() - since > 300);
    expect(await placeOf()).toBe(place);
    expect(consumer.seen).toEqual(ids.slice(0, 4));
    await redis.del(lease);
    await eventually(() => expect(new Set(consumer.seen)).toEqual(new Set(ids)));
  });

  test("goes on with what is left where the archive is away, and is told", async () => {
    const ids = await stage.leftBehind(3);
    await stage.leave(1);
    const consumer = stage.consuming(away);
    await eventually(() => expect(consumer.seen).toEqual([ids[2]]));
    expect(consumer.trimmed).toMatchObject([{ lost: 2, archive: "away" }]);
  });

  test("is told how many the archive has not got", async () => {
    const ids = await stage.leftBehind(4);
    const archive = await stage.archived([ids[1] ?? ""]);
    await stage.leave(1);
    const consumer = stage.consuming(archive);
    await eventually(() => expect(consumer.seen).toEqual([ids[0], ids[2], ids[3]]));
    expect(consumer.trimmed).toMatchObject([
      { lost: 3, archive: "follows" },
      { lost: 1, archive: "missing" },
    ]);
  });
});

describe("a group with an archive that is behind", () => {
  /** What left the stream, of which nobody can say how much it is, and of which a slow archiver has the second in hand. */
  async function slowly() {
    const { redis, keys } = stage.installation;
    const ids = await stage.leftBehind(5);
    const rows = await stage.rowsNow();
    const slow = rows.find(({ verdict }) => JSON.parse(verdict).id === ids[1])?.streamId ?? "";
    await redis.xdel(keys.verdicts(), rows[0]?.streamId ?? "");
    await redis.xadd(keys.archive(), slow, "v", "in hand");
    await stage.leave(1);
    const settle = () => redis.xdel(keys.archive(), slow);
    return { ids, rows, fast: rows.filter(({ streamId }) => streamId !== slow), settle };
  }

  test("is told that it may not be all, where no number is known", async () => {
    const { ids, fast } = await slowly();
    const consumer = stage.consuming(archiveOf(fast));
    await eventually(() => expect(consumer.seen).toEqual(ids.filter((id) => id !== ids[1])));
    expect(consumer.trimmed.map(({ lost, archive }) => [lost, archive])).toEqual([
      [undefined, "follows"],
      [undefined, "missing"],
    ]);
  });

  test("waits for what comes within seconds", async () => {
    const { ids, rows, fast, settle } = await slowly();
    let isSettled = false;
    const archive: VerdictArchive = {
      published: (range) => archiveOf(isSettled ? rows : fast).published(range),
    };
    const consumer = stage.consuming(archive);
    const since = performance.now();
    await eventually(() => performance.now() - since > 300);
    expect(consumer.seen).toEqual([]);
    isSettled = true;
    await settle();
    await eventually(() => expect(consumer.seen).toEqual(ids));
    expect(consumer.trimmed.map(({ archive: has }) => has)).toEqual(["follows"]);
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
    const archive = await stage.archived();
    await stage.leave(2);
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

import { createAssayClient, type Trimmed } from "@assay/client";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { openSlowWay } from "./slow-way.ts";
import { openStage, QUICK, type Stage } from "./stage.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await openStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

/** A consumer, what it was given, and what it was told of. */
function consuming(handler: (id: string) => void = () => undefined) {
  const seen: string[] = [];
  const trimmed: Trimmed[] = [];
  const options = { ...QUICK, onTrimmed: (each: Trimmed) => trimmed.push(each) };
  const consumer = stage.aClient().consume(options, ({ id }) => {
    seen.push(id);
    handler(id);
  });
  return { seen, trimmed, stop: () => consumer.stop() };
}

/** Trims the stream as its time would, to the last few. */
async function leave(count: number): Promise<void> {
  await stage.installation.redis.xtrim(stage.installation.keys.verdicts(), "MAXLEN", count);
}

describe("a group whose place was trimmed", () => {
  test("is told once, by one of its consumers, and goes on with what is left", async () => {
    const first = consuming();
    const [seen] = await stage.publish("allow");
    await eventually(async () => first.seen.length === 1 && (await stage.allAcknowledged()));
    await first.stop();
    const [, , left] = await stage.publish("allow", "block", "review");
    await leave(1);
    const both = [consuming(), consuming()];
    await eventually(() => both.flatMap((each) => each.seen).length === 1);
    const [next] = await stage.publish("allow");
    await eventually(() => stage.allAcknowledged());
    const bounds = { from: expect.any(Number), to: expect.any(Number) };
    const ids = { after: expect.stringMatching(/^\d+-0$/), before: expect.stringMatching(/^\d+-0$/) };
    expect(both.flatMap((each) => each.trimmed)).toEqual([{ lost: 2, ...bounds, ...ids }]);
    expect(new Set(both.flatMap((each) => each.seen))).toEqual(new Set([left, next]));
    expect(first.seen).toEqual([seen]);
    expect(first.trimmed).toEqual([]);
  });

  test("is told of what came and went while its read stood still on its way to Redis", async () => {
    const way = await openSlowWay(inject("redisUrl"));
    const client = createAssayClient({ connection: way.url, prefix: stage.installation.prefix });
    onTestFinished(() => client.close());
    const [seen, trimmed]: [string[], Trimmed[]] = [[], []];
    client.consume({ ...QUICK, onTrimmed: (each) => trimmed.push(each) }, ({ id }) => void seen.push(id));
    const [first] = await stage.publish("allow");
    await eventually(() => stage.allAcknowledged());
    await way.hold(/xread/i);
    const [, , left] = await stage.publish("allow", "allow", "allow");
    await leave(1);
    way.release();
    await eventually(() => stage.allAcknowledged());
    expect(seen).toEqual([first, left]);
    expect(trimmed).toMatchObject([{ lost: 2 }]);
  });

  test("is told of a stream that was emptied", async () => {
    const first = consuming();
    await stage.publish("allow");
    await eventually(() => stage.allAcknowledged());
    await first.stop();
    await stage.publish("block", "review");
    await leave(0);
    const second = consuming();
    await eventually(() => expect(second.trimmed).toMatchObject([{ lost: 2 }]));
    await stage.publish("allow");
    await eventually(() => expect(second.seen).toHaveLength(1));
    expect(second.trimmed).toHaveLength(1);
  });

  test("is told nothing where only what it has seen was trimmed", async () => {
    const first = consuming();
    await stage.publish("allow", "block");
    await eventually(() => stage.allAcknowledged());
    await first.stop();
    await leave(0);
    const [next] = await stage.publish("review");
    const second = consuming();
    await eventually(() => expect(second.seen).toEqual([next]));
    expect(second.trimmed).toEqual([]);
  });

  test("is told nothing where it was away while nothing was lost, though it was never given anything", async () => {
    await stage.publish("allow");
    const options = { ...QUICK, from: "now" as const };
    const first = stage.aClient().consume(options, () => undefined);
    await eventually(async () => expect(await stage.infos("GROUPS")).toHaveLength(1));
    await first.stop();
    await leave(0);
    const [next] = await stage.publish("review");
    const second = consuming();
    await eventually(() => expect(second.seen).toEqual([next]));
    expect(second.trimmed).toEqual([]);
  });

  test("is told nothing where it begins", async () => {
    await stage.publish("allow", "block");
    await leave(1);
    const consumer = consuming();
    await eventually(() => expect(consumer.seen).toHaveLength(1));
    expect(consumer.trimmed).toEqual([]);
  });

  test("is told of what a dead consumer had, and of what failed, once that is gone", async () => {
    const failing = consuming(() => {
      throw new Error("not yet");
    });
    await stage.publish("allow");
    await eventually(() => failing.seen.length > 0);
    await leave(0);
    await eventually(() => expect(failing.trimmed).toMatchObject([{ lost: 1 }]));
    expect(await stage.pendingCount()).toBe(0);
  });

  test.each([
    { outcome: "fails", lost: [{ lost: 1 }] },
    { outcome: "succeeds", lost: [] },
  ])("is told $lost of what was trimmed in a handler that $outcome", async ({ outcome, lost }) => {
    let settle = () => {};
    const settled = new Promise<void>((resolve) => (settle = resolve));
    const trimmed: Trimmed[] = [];
    let isHandling = false;
    const options = { ...QUICK, takeoverAfterMs: 30, onTrimmed: (each: Trimmed) => trimmed.push(each) };
    const started = performance.now();
    const consumer = stage.aClient().consume(options, async () => {
      isHandling = true;
      await settled;
      if (outcome === "fails") throw new Error("too late");
    });
    await stage.publish("allow");
    await eventually(() => isHandling);
    await leave(0);
    // Long enough that another would be given it.
    await eventually(() => performance.now() - started > 100);
    expect(trimmed).toEqual([]);
    settle();
    await eventually(async () => (await stage.pendingCount()) === 0);
    await consumer.stop();
    expect(trimmed).toMatchObject(lost);
    expect(trimmed).toHaveLength(lost.length);
  });

  test("warns where nobody listens", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => undefined);
    const first = consuming();
    await stage.publish("allow");
    await eventually(() => stage.allAcknowledged());
    await first.stop();
    await stage.publish("block");
    await leave(0);
    stage.aClient().consume(QUICK, () => undefined);
    await eventually(() =>
      expect(warn).toHaveBeenCalledWith(expect.stringMatching(/^1 verdict of between 20/), { code: "assay_trimmed" }),
    );
    warn.mockRestore();
  });
});

describe("a tail whose place was trimmed", () => {
  test("is told once, and goes on with what is left", async () => {
    const ids = await stage.publish("allow", "block");
    const client = stage.aClient();
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
    await leave(0);
    const lost = await stage.publish("block", "review");
    await leave(0);
    const [left] = await stage.publish("challenge");
    const trimmed: Trimmed[] = [];
    const options = { from: place, onTrimmed: (each: Trimmed) => trimmed.push(each) };
    for await (const { verdict } of client.tail(options)) {
      expect(verdict.id).toBe(left);
      break;
    }
    expect(trimmed).toHaveLength(1);
    expect(trimmed[0]?.lost).toBeGreaterThanOrEqual(lost.length);
    expect(ids).toHaveLength(2);
  });
});

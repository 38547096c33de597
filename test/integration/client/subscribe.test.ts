import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { openStage, QUICK, type Stage } from "./stage.ts";

let stage: Stage;

beforeEach(async () => {
  stage = await openStage(inject("redisUrl"));
});

afterEach(async () => {
  await stage.close();
});

describe("subscribe", () => {
  test("yields verdicts and keeps each until it is acknowledged", async () => {
    const ids = await stage.publish("allow", "block");
    const seen: string[] = [];
    for await (const { verdict, ack } of stage.aClient().subscribe(QUICK)) {
      expect(await stage.pendingCount()).toBe(2 - seen.length);
      seen.push(verdict.id);
      await ack();
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(ids);
    expect(await stage.pendingCount()).toBe(0);
  });

  test("lets others have at once what was not acknowledged when the loop ended", async () => {
    const ids = await stage.publish("allow", "block", "review");
    for await (const { ack } of stage.aClient().subscribe({ ...QUICK, takeoverAfterMs: 60_000 })) {
      await ack();
      break;
    }
    const seen: string[] = [];
    for await (const { verdict, ack } of stage.aClient().subscribe({ ...QUICK, takeoverAfterMs: 60_000 })) {
      seen.push(verdict.id);
      await ack();
      if (seen.length === 2) break;
    }
    expect(seen).toEqual(ids.slice(1));
  });

  test("ends when its signal aborts, or the client is closed", async () => {
    const controller = new AbortController();
    const client = stage.aClient();
    const iterators = [{ ...QUICK, signal: controller.signal }, QUICK].map((options) =>
      client.subscribe(options)[Symbol.asyncIterator](),
    );
    const ends = iterators.map((iterator) => iterator.next());
    await eventually(async () => (await stage.infos("GROUPS")).length === 1);
    controller.abort();
    expect(await ends[0]).toEqual({ done: true, value: undefined });
    await client.close();
    expect(await ends[1]).toEqual({ done: true, value: undefined });
  });
});

import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { ConsumeOptions, VerdictHandler } from "../verdict-stream.ts";
import { createTestClient, type TestClient } from "./index.ts";

const QUICK: ConsumeOptions = { group: "crm", from: "beginning", retryAfterMs: 1 };

describe("consume", () => {
  test("hands over each verdict, those before it only from the beginning", async () => {
    const client = createTestClient();
    const [first, second] = [await aVerdict(client), await aVerdict(client)];
    const now = handled(1);
    client.consume({ group: "now" }, now.handler);
    const beginning = handled(3);
    client.consume(QUICK, beginning.handler);
    const third = await aVerdict(client);
    expect(await now.ids).toEqual([third]);
    expect(await beginning.ids).toEqual([first, second, third]);
    await client.close();
  });

  test("hands over what matches the filter", async () => {
    const client = createTestClient({ decide: ({ event_id: id }) => (id === "bad-1" ? "block" : "allow") });
    const blocked = handled(1);
    client.consume({ ...QUICK, filter: { action: "block" } }, blocked.handler);
    await aVerdict(client);
    const id = await aVerdict(client, "bad-1");
    expect(await blocked.ids).toEqual([id]);
    await client.close();
  });

  test("shares a group's verdicts, and gives each group all", async () => {
    const client = createTestClient();
    const [shared, whole] = [handled(20), handled(20)];
    client.consume({ ...QUICK, concurrency: 1 }, shared.handler);
    client.consume({ ...QUICK, concurrency: 1 }, shared.handler);
    client.consume({ ...QUICK, group: "other" }, whole.handler);
    const ids = await Promise.all(Array.from({ length: 20 }, () => aVerdict(client)));
    expect((await shared.ids).toSorted()).toEqual(ids.toSorted());
    expect((await whole.ids).toSorted()).toEqual(ids.toSorted());
    await client.close();
  });

  test("hands over again what the handler failed on, with its count", async () => {
    const client = createTestClient();
    const errors: unknown[] = [];
    const counts: number[] = [];
    const done = new EventTarget();
    const succeeded = once(done, "third");
    client.consume({ ...QUICK, onError: (error) => void errors.push(error) }, (_, { deliveries }) => {
      counts.push(deliveries);
      if (deliveries < 3) throw new Error(`failed ${deliveries}`);
      done.dispatchEvent(new Event("third"));
    });
    await aVerdict(client);
    await succeeded;
    await client.close();
    expect(counts).toEqual([1, 2, 3]);
    expect(errors).toEqual([new Error("failed 1"), new Error("failed 2")]);
  });

  test("lays aside what failed ten times, and goes on with the next", async () => {
    const client = createTestClient();
    const poison = await aVerdict(client);
    let deliveries = 0;
    const next = handled(1);
    client.consume({ ...QUICK, retryAfterMs: 0 }, (verdict, context) => {
      if (verdict.id !== poison) return next.handler(verdict, context);
      if (++deliveries === 10) void aVerdict(client);
      throw new Error("never");
    });
    expect(await next.ids).toHaveLength(1);
    await client.close();
    expect(deliveries).toBe(10);
  });

  test("waits for the handler when it is stopped", async () => {
    const client = createTestClient();
    const handling = new EventTarget();
    const [begun, ended] = [once(handling, "begin"), once(handling, "end")];
    let finished = false;
    const consumer = client.consume(QUICK, async () => {
      handling.dispatchEvent(new Event("begin"));
      await ended;
      finished = true;
    });
    await aVerdict(client);
    await begun;
    const stopped = consumer.stop();
    handling.dispatchEvent(new Event("end"));
    await stopped;
    expect(finished).toBe(true);
  });
});

describe("subscribe", () => {
  test("gives what is not acknowledged to the next subscriber of the group", async () => {
    const client = createTestClient();
    const [first, second] = [await aVerdict(client), await aVerdict(client)];
    for await (const { verdict, ack } of client.subscribe(QUICK)) {
      if (verdict.id === second) break;
      await ack();
      expect(verdict.id).toBe(first);
    }
    for await (const { verdict, deliveries } of client.subscribe(QUICK)) {
      expect([verdict.id, deliveries]).toEqual([second, 2]);
      break;
    }
  });

  test("ends when the client is closed", async () => {
    const client = createTestClient();
    const ended = (async () => {
      for await (const received of client.subscribe(QUICK)) await received.ack();
    })();
    await client.close();
    await ended;
    expect(client.submitted).toEqual([]);
  });
});

async function aVerdict(client: TestClient, eventId = "event-1"): Promise<string> {
  return (await client.submit({ event_id: eventId })).id;
}

/** A handler, and the ids of its first verdicts once there are that many. */
function handled(count: number): { readonly handler: VerdictHandler; readonly ids: Promise<string[]> } {
  const ids: string[] = [];
  const done = new EventTarget();
  const full = once(done, "full");
  return {
    handler({ id }) {
      ids.push(id);
      if (ids.length === count) done.dispatchEvent(new Event("full"));
    },
    ids: full.then(() => ids),
  };
}

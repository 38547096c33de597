import { deliveryId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { type Answering } from "../../support/webhook-receiver.ts";
import { anEntry, openDeliverStage } from "./stage.ts";

const COUNT = 300;
const ENDPOINTS = ["orders", "desk", "flaky"];

/** Takes a moment for each, so that something is always in flight. */
const slowly: Answering = (response) => void setTimeout(() => response.writeHead(204).end(), 20);

describe("delivering workers that are killed", () => {
  test("lose no verdict, change no body and no id, and never send more than four at once", async () => {
    const stage = await openDeliverStage();
    const seen = new Set<unknown>();
    for (const name of ENDPOINTS) stage.receiver.behave(`/${name}`, slowly);
    // Refuses one in ten the first time.
    stage.receiver.behave("/flaky", (response, webhook) => {
      const id = webhook.headers["webhook-id"];
      const isRefused = !seen.has(id) && String(id).endsWith("a");
      seen.add(id);
      if (isRefused) response.writeHead(422).end();
      else slowly(response, webhook);
    });
    await stage.endpoints(ENDPOINTS.map((name) => anEntry(stage.receiver, name)));
    let [victim, next] = await Promise.all([stage.start(), stage.start()]);
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      ids.push(...(await stage.publish(...Array.from({ length: COUNT / 3 }, () => ({})))));
      const soFar = stage.receiver.received("/orders").length;
      await eventually(() => stage.receiver.received("/orders").length > soFar + 10, { timeoutMs: 30_000 });
      await victim.kill("SIGKILL");
      [victim, next] = [next, await stage.start()];
    }
    for (const name of ENDPOINTS) {
      const wanted = new Set(ids.map((id) => deliveryId("0", name, id)));
      // A dead process's leases and its part of the stream are free after 15 s.
      await eventually(() => new Set(received(name).map(([id]) => id)).size === wanted.size, { timeoutMs: 50_000 });
      const bodies = groupBodies(name);
      expect(new Set(bodies.keys())).toEqual(wanted);
      expect([...bodies.values()].filter((each) => each.size !== 1)).toEqual([]);
      expect(stage.receiver.mostAtOnce(`/${name}`)).toBeLessThanOrEqual(4);
      await eventually(async () => (await stage.redis.zcard(stage.keys.undelivered(name))) === 0, {
        timeoutMs: 30_000,
      });
    }

    function received(name: string): (readonly [string, string])[] {
      return stage.receiver.received(`/${name}`).map(({ headers, body }) => [String(headers["webhook-id"]), body]);
    }

    function groupBodies(name: string): Map<string, Set<string>> {
      const groups = new Map<string, Set<string>>();
      for (const [id, body] of received(name)) groups.set(id, (groups.get(id) ?? new Set()).add(body));
      return groups;
    }
  }, 120_000);
});

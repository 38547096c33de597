import { createAssayClient } from "@assay/client";
import { afterEach, describe, expect, inject, test } from "vitest";
import { type AppProcess, startApp } from "../../support/app-process.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/private-redis.ts";
import { openStage, type Stage } from "./stage.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

describe("a stream over HTTP", () => {
  test("loses nothing, and repeats nothing but what was not acknowledged, when its ingress is killed", async () => {
    const stage = await openStage(inject("redisUrl"));
    stops.push(() => stage.close());
    const port = await freePort();
    let ingress = await startIngress(stage, port);
    const client = createAssayClient({ url: `http://127.0.0.1:${port}`, key: "secret" });
    stops.push(() => client.close());
    const tailed: string[] = [];
    const subscribed: string[] = [];
    const ends = [
      (async () => {
        for await (const { verdict } of client.tail()) tailed.push(verdict.id);
      })(),
      (async () => {
        for await (const { verdict, ack } of client.subscribe({ group: "crm" })) {
          subscribed.push(verdict.id);
          await ack();
        }
      })(),
    ];
    // Until both have begun, they are given nothing.
    await eventually(async () => {
      await stage.publish("allow");
      expect(Math.min(tailed.length, subscribed.length)).toBeGreaterThan(0);
    });
    const before = await stage.publish("block", "review");
    await eventually(() => expect([tailed.at(-1), subscribed.at(-1)]).toEqual([before[1], before[1]]));

    await ingress.kill("SIGKILL");
    const during = await stage.publish("allow", "block", "challenge");
    ingress = await startIngress(stage, port);
    const after = await stage.publish("review");
    const expected = [...before, ...during, ...after];
    await eventually(
      () => {
        for (const seen of [tailed, subscribed]) expect(seen.slice(-expected.length)).toEqual(expected);
      },
      { timeoutMs: 30_000 },
    );

    // A stop is told, and gone on from in the same way.
    await ingress.stop();
    const last = await stage.publish("allow");
    ingress = await startIngress(stage, port);
    await eventually(() => expect([tailed.at(-1), subscribed.at(-1)]).toEqual([last[0], last[0]]), {
      timeoutMs: 30_000,
    });
    for (const seen of [tailed, subscribed]) expect(new Set(seen).size).toBe(seen.length);
    await client.close();
    await Promise.all(ends);
  });
});

async function startIngress(stage: Stage, port: number): Promise<AppProcess> {
  const ingress = startApp("apps/ingress/src/main.ts", {
    REDIS_URL: stage.installation.url,
    ASSAY_PREFIX: stage.installation.prefix,
    ASSAY_INGRESS_KEYS: "secret",
    PORT: String(port),
    ASSAY_ADMIN_PORT: "0",
  });
  stops.push(() => ingress.stop());
  await ingress.line(({ msg }) => msg === "serving");
  return ingress;
}

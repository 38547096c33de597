import { once } from "node:events";
import { createAssayClient } from "@assay/client";
import { expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { openRedisWay } from "../../support/redis-way.ts";
import { openStage, QUICK } from "./stage.ts";

test("a consumer that leaves while its last read is on its way loses nothing of what that read is given", async () => {
  const stage = await openStage(inject("redisUrl"));
  onTestFinished(() => stage.close());
  const line = await openSlowLine();
  const leaving = createAssayClient({ connection: line.url, prefix: stage.installation.prefix });
  onTestFinished(() => leaving.close());
  const consumer = leaving.consume(QUICK, () => undefined);
  await line.reading;
  const published = await stage.publish("allow");
  await consumer.stop();
  const seen: string[] = [];
  stage.aClient().consume(QUICK, ({ id }) => void seen.push(id));
  await eventually(() => seen.length > 0);
  expect(seen).toEqual(published);
});

/**
 * A line to Redis on which every blocking read stands still until its consumer asks to be forgotten, and is answered
 * before that gets through. `reading` resolves when the first one stands.
 */
async function openSlowLine() {
  const held: (() => Promise<unknown>)[] = [];
  let tellReading = () => {};
  const reading = new Promise<void>((resolve) => (tellReading = resolve));
  const url = await openRedisWay(inject("redisUrl"), ({ client, redis }) => {
    redis.pipe(client);
    client.on("data", (chunk: Buffer) => {
      const send = () => void redis.write(chunk);
      const asked = chunk.toString("latin1");
      if (asked.includes("\r\nBLOCK\r\n")) {
        held.push(async () => {
          send();
          await once(redis, "data");
        });
        tellReading();
      } else if (asked.includes("DELCONSUMER")) void Promise.all(held.splice(0).map((read) => read())).then(send);
      else send();
    });
  });
  return { url, reading };
}

import { connect, createServer, type Socket } from "node:net";
import { createAssayClient } from "@assay/client";
import { expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { openStage, QUICK } from "./stage.ts";

test("a consumer that leaves while its last read is on its way loses nothing of what that read is given", async () => {
  const stage = await openStage(inject("redisUrl"));
  onTestFinished(() => stage.close());
  const line = await openSlowLine(async (letReadThrough) => {
    letReadThrough();
    await eventually(async () => (await stage.pendingCount()) === 1);
  });
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
 * A line to Redis on which every blocking read stands still until its consumer asks to be forgotten. Before that gets
 * through, `beforeLeft` runs, which may let that read go first.
 */
async function openSlowLine(beforeLeft: (letReadThrough: () => void) => Promise<void>) {
  const { hostname, port } = new URL(inject("redisUrl"));
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  let tellReading = () => {};
  const reading = new Promise<void>((resolve) => (tellReading = resolve));
  const letReadThrough = () => {
    for (const send of held.splice(0)) send();
  };
  const proxy = createServer((client) => {
    const redis = connect(Number(port), hostname);
    for (const socket of [client, redis]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => [client, redis].forEach((each) => each.destroy()));
    }
    redis.on("data", (chunk: Buffer) => client.write(chunk));
    client.on("data", (chunk: Buffer) => {
      const asked = chunk.toString("latin1");
      if (asked.includes("\r\nBLOCK\r\n")) {
        held.push(() => redis.write(chunk));
        tellReading();
      } else if (asked.includes("DELCONSUMER")) void beforeLeft(letReadThrough).then(() => redis.write(chunk));
      else redis.write(chunk);
    });
  }).listen(0, "127.0.0.1");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  await new Promise((resolve) => proxy.once("listening", resolve));
  const address = proxy.address();
  if (address === null || typeof address === "string") throw new Error("There must be a port.");
  return { url: `redis://127.0.0.1:${address.port}`, reading };
}

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { Verdict } from "@assay/protocol/schemas";
import type { Action } from "@assay/protocol";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../support/eventually.ts";
import { anEventId, aProblem, type OpenIngress, SHOP_KEY, startIngress } from "./open-ingress.ts";
import { type OpenStream, openStream } from "./open-stream.ts";

const LIMITS = { heartbeatMs: 50, maxClients: 60, maxBufferedBytes: 1024 * 1024 };

let door: OpenIngress;
beforeEach(async () => {
  door = await startIngress(inject("redisUrl"), {}, LIMITS);
});
afterEach(() => door.close());

describe("GET /v1/stream", () => {
  test("brings each verdict in its envelope, from now on", async () => {
    await decided("allow");
    const stream = await openStream(door.baseUrl);
    const ids = [await decided("block"), await decided("review")];
    await eventually(() => expect(stream.verdictIds()).toEqual(ids));
    const [first] = stream.events("verdict.decided");
    expect(first).toMatchObject({
      id: expect.stringMatching(/^[\w-]+$/),
      data: { type: "verdict.decided", id: ids[0] },
    });
    expect(Verdict.parse(Object(first?.data).data)).toMatchObject({ id: ids[0], action: "block" });
    expect(stream.text()).toMatch(/^retry: 2000\nid: [\w-]+\n\n/);
    expect(stream.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(stream.headers.get("cache-control")).toBe("no-store");
  });

  test("shows that it lives, and how far it has come though nothing was for the caller", async () => {
    const stream = await openStream(door.baseUrl, "?action=block");
    const before = stream.lastEventId();
    const id = await decided("allow");
    await eventually(() => stream.text().includes(": heartbeat\nid: ") && stream.lastEventId() !== before);
    expect(stream.verdictIds()).toEqual([]);
    const next = await openStream(door.baseUrl, "", { "last-event-id": stream.lastEventId() });
    const [last] = [await decided("allow")];
    await eventually(() => expect(next.verdictIds()).toEqual([last]));
    expect(next.verdictIds()).not.toContain(id);
  });

  test.each([
    ["the header", (id: string) => ({ query: "", headers: { "last-event-id": id } })],
    ["the query", (id: string) => ({ query: `?last_event_id=${id}`, headers: {} })],
  ])("goes on behind a last event id of %s, without loss and in order", async (_, ask) => {
    const first = await openStream(door.baseUrl);
    const ids = [await decided("allow"), await decided("block")];
    await eventually(() => expect(first.verdictIds()).toEqual(ids));
    const [event] = first.events("verdict.decided");
    first.close();
    const missed = await decided("review");
    const { query, headers } = ask(event?.id ?? "");
    const second = await openStream(door.baseUrl, query, headers);
    const later = await decided("allow");
    await eventually(() => expect(second.verdictIds()).toEqual([ids[1], missed, later]));
  });

  test("begins with all that is left where it is asked to", async () => {
    const ids = [await decided("allow"), await decided("block")];
    const stream = await openStream(door.baseUrl, "?from=beginning");
    await eventually(() => expect(stream.verdictIds()).toEqual(ids));
    expect(stream.events("stream.trimmed")).toEqual([]);
  });

  test.each([
    ["an action", "?action=block", [1]],
    ["several actions", "?action=block&action=review", [1, 2]],
    ["a flow", "?flow=login", [0, 1]],
    ["a flow and an action", "?flow=login&action=allow", [0]],
    ["a kind", "?kind=sealed", []],
    ["no test events", "?kind=lookup", [0, 1, 2]],
    ["test events alone", "?test=true", [3]],
  ])("brings what matches %s", async (_, query, matching) => {
    const stream = await openStream(door.baseUrl, query);
    const ids = [await decided("allow", "login"), await decided("block", "login"), await decided("review", "pay")];
    ids.push(await testDecided());
    const last = stream.lastEventId();
    await eventually(() => stream.events().length > 3 && stream.lastEventId() !== last);
    const all = await openStream(door.baseUrl, `${query}&from=beginning`);
    const wanted = matching.map((index) => ids[index]);
    await eventually(() => expect([stream.verdictIds(), all.verdictIds()]).toEqual([wanted, wanted]));
  });

  test.each([
    ["?last_event_id=1700000000000-0", "last_event_id"],
    ["?last_event_id=*", "last_event_id"],
    ["?action=deny", "action"],
    ["?kind=seal", "kind"],
    ["?from=yesterday", "from"],
    ["?test=yes", "test"],
  ])("answers 400 to %s", async (query, field) => {
    const { status, json } = await door.read(`/v1/stream${query}`);
    expect({ status, json }).toMatchObject({
      status: 400,
      json: { code: "invalid_field", field: expect.stringContaining(field) },
    });
  });

  test("serves 50 at once, all the same", async () => {
    const streams = await Promise.all(Array.from({ length: 50 }, () => openStream(door.baseUrl)));
    expect(await metric("assay_stream_clients")).toBe(50);
    const ids: string[] = [];
    for (let made = 0; made < 20; made++) ids.push(await decided("allow"));
    await eventually(() => {
      for (const stream of streams) expect(stream.verdictIds()).toEqual(ids);
    });
    // One here; tests beside this one may have a few of their own.
    const connections = String(await door.installation.redis.client("LIST")).split("\n");
    expect(connections.filter((line) => line.includes("assay-ingress-feed")).length).toBeLessThan(10);
    for (const stream of streams) stream.close();
    await eventually(async () => expect(await metric("assay_stream_clients")).toBe(0));
    expect(await metric('assay_stream_closed_total{reason="left"')).toBe(50);
  });

  test("loses nothing and repeats nothing between what was missed and what comes", async () => {
    const { redis, keys } = door.installation;
    const streams: OpenStream[] = [];
    const ids: string[] = [];
    // Each batch is on its way while a caller begins at the first entry, and catches up with the others.
    for (let batch = 0; batch < 10; batch++) {
      const adding = Array.from({ length: 200 }, (_, at) => {
        const id = `s_${batch}_${at}`;
        ids.push(id);
        return redis.xadd(keys.verdicts(), "*", "e", envelopeOf({ id }));
      });
      streams.push(await openStream(door.baseUrl, "?from=beginning"));
      await Promise.all(adding);
    }
    await eventually(() => {
      for (const stream of streams) expect(stream.verdictIds()).toHaveLength(ids.length);
    });
    for (const stream of streams) expect(stream.verdictIds()).toEqual(ids);
  });

  test("answers 503 when all seats are taken, and serves again when one is free", async () => {
    const streams = await Promise.all(Array.from({ length: LIMITS.maxClients }, () => openStream(door.baseUrl)));
    expect(await door.read("/v1/stream")).toEqual(aProblem(503, "overloaded", { retryable: true }));
    streams[0]?.close();
    await eventually(() => openStream(door.baseUrl));
  });

  test("is no work in hand: a quiet stream makes no process look stuck", async () => {
    await openStream(door.baseUrl);
    const { text } = await door.admin("/metrics");
    expect(text).toContain('assay_http_requests_total{route="/v1/stream",code="200",app="ingress"} 1');
  });

  test("closes a caller who does not read, and goes on for others", async () => {
    // Nothing but what is sent finds out.
    await door.close();
    door = await startIngress(inject("redisUrl"), {}, { ...LIMITS, heartbeatMs: 60_000 });
    const stream = await openStream(door.baseUrl);
    const { port } = new URL(door.baseUrl);
    const stuck = connect({ port: Number(port), host: "127.0.0.1" });
    stuck.pause();
    stuck.write(`GET /v1/stream HTTP/1.1\r\nHost: a\r\nAuthorization: ${SHOP_KEY.authorization}\r\n\r\n`);
    await eventually(async () => expect(await metric("assay_stream_clients")).toBe(2));
    const { redis, keys } = door.installation;
    let sent = 0;
    // What the two kernels hold between them comes first.
    await eventually(
      async () => {
        for (let more = 0; more < 20; more++) await redis.xadd(keys.verdicts(), "*", "e", largeEnvelope(`s_${sent++}`));
        expect(await metric('assay_stream_closed_total{reason="slow"')).toBe(1);
      },
      { timeoutMs: 20_000 },
    );
    const last = await decided("block");
    await eventually(() => expect(stream.verdictIds().at(-1)).toBe(last));
    expect(stream.verdictIds()).toHaveLength(sent + 1);
    let read = "";
    stuck.on("data", (chunk) => (read = `${read}${chunk.toString("utf8")}`.slice(-500)));
    stuck.resume();
    await once(stuck, "close");
    expect(read).toContain("event: stream.slow\n");
  });

  test("ends each stream when it stops, and says so", async () => {
    const streams = await Promise.all(Array.from({ length: 5 }, () => openStream(door.baseUrl)));
    const startedAt = performance.now();
    await door.ingress.stop();
    await Promise.all(streams.map(({ ended }) => ended));
    expect(performance.now() - startedAt).toBeLessThan(3000);
    for (const stream of streams) expect(stream.events().at(-1)).toMatchObject({ event: "stream.closing" });
  });

  test("tells once what was trimmed since the caller was there, and goes on with what is left", async () => {
    const first = await openStream(door.baseUrl);
    const [seen, ...lost] = [await decided("allow"), await decided("block"), await decided("review")];
    await eventually(() => expect(first.verdictIds()).toEqual([seen, ...lost]));
    const place = first.events("verdict.decided")[0]?.id ?? "";
    first.close();
    const { redis, keys } = door.installation;
    await redis.xtrim(keys.verdicts(), "MAXLEN", 0);
    const left = await decided("challenge");
    const second = await openStream(door.baseUrl, "", { "last-event-id": place });
    await eventually(() => expect(second.verdictIds()).toEqual([left]));
    const [notice, ...others] = second.events("stream.trimmed");
    expect(notice?.data).toMatchObject({
      type: "stream.trimmed",
      data: { lost: 2, from: expect.any(Number), to: expect.any(Number) },
    });
    expect(others).toEqual([]);
    // Behind the notice nothing is missing any more.
    const third = await openStream(door.baseUrl, "", { "last-event-id": notice?.id ?? "" });
    await eventually(() => expect(third.verdictIds()).toEqual([left]));
    expect(third.events("stream.trimmed")).toEqual([]);
  });

  test("passes over what cannot be read, and over types of a later version", async () => {
    const stream = await openStream(door.baseUrl);
    const { redis, keys } = door.installation;
    for (const entry of ["{not json", '{"type":"review.closed"}', '{"type":"verdict.decided"}']) {
      await redis.xadd(keys.verdicts(), "*", "e", entry);
    }
    const id = await decided("allow");
    await eventually(() => expect(stream.verdictIds()).toEqual([id]));
  });
});

async function decided(action: Action, flow?: string): Promise<string> {
  await door.submit({ event_id: anEventId(), ...(flow === undefined ? {} : { context: { flow } }) });
  const [id = ""] = await door.decideAll(action);
  return id;
}

// No worker is here that would say so itself.
async function testDecided(): Promise<string> {
  const id = `s_${randomUUID()}`;
  const { redis, keys } = door.installation;
  await redis.xadd(keys.verdicts(), "*", "e", envelopeOf({ id, test: true }));
  return id;
}

function largeEnvelope(id: string): string {
  return envelopeOf({ id, padding: "x".repeat(64 * 1024) });
}

function envelopeOf(verdict: { readonly id: string; readonly test?: true; readonly padding?: string }): string {
  const data = { schema: "assay.verdict/1", kind: "lookup", action: "allow", ...verdict };
  return JSON.stringify({ type: "verdict.decided", id: verdict.id, at: Date.now(), data });
}

async function metric(name: string): Promise<number> {
  const { text } = await door.admin("/metrics");
  const line = text.split("\n").find((one) => one.startsWith(name));
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(" ") + 1));
}

import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { envelopeOf, type Verdict } from "@assay/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { openHttpStream } from "./http-stream.ts";
import type { Trimmed } from "./trimmed.ts";

describe("tail", () => {
  test("asks for what its filter wants", async () => {
    const asked: unknown[] = [];
    const stream = await streamFrom((request, response) => {
      asked.push(request.url);
      response.end(frame("1"));
    });
    const filter = { action: ["block", "review"], flow: "login", kind: "sealed", test: true } as const;
    await take(1, stream.tail({ filter }));
    expect(asked).toEqual(["/v1/stream?action=block&action=review&flow=login&kind=sealed&test=true"]);
  });

  test("goes on behind the last verdict after a lost connection, and behind a heartbeat that names a place", async () => {
    const places: unknown[] = [];
    const stream = await streamFrom((request, response) => {
      places.push(request.headers["last-event-id"]);
      if (places.length === 1) response.write(`retry: 1\n\n${frame("1")}`, () => response.destroy());
      else if (places.length === 2) response.end("retry: 1\n\n: heartbeat\nid: p5\n\n");
      else response.write(frame("6"));
    });
    expect(await take(2, stream.tail({ from: "p0" }))).toEqual(["s_1", "s_6"]);
    expect(places).toEqual(["p0", "p1", "p5"]);
  });

  test("gives up a connection that brings nothing, and one that is never answered", async () => {
    const errors: unknown[] = [];
    let connections = 0;
    const stream = await streamFrom(
      (_, response) => {
        connections++;
        if (connections === 1) response.write("retry: 1\n\n");
        if (connections === 3) response.write(frame("1"));
      },
      { silenceMs: 50 },
    );
    await take(1, stream.tail({ onError: (error) => errors.push(error) }));
    const silence = { code: "unavailable", cause: { message: expect.stringContaining("50 ms") } };
    expect(errors).toMatchObject([silence, silence]);
  });

  test("tells what was trimmed, and goes on behind that", async () => {
    const trimmed: Trimmed[] = [];
    const places: unknown[] = [];
    const stream = await streamFrom((request, response) => {
      places.push(request.headers["last-event-id"]);
      const notice = JSON.stringify({ type: "stream.trimmed", at: 9, data: { lost: 3, from: 1, to: 2 } });
      if (places.length === 1) response.end(`retry: 1\nid: p4\nevent: stream.trimmed\ndata: ${notice}\n\n`);
      else response.write(frame("5"));
    });
    await take(1, stream.tail({ onTrimmed: (each) => trimmed.push(each) }));
    expect(trimmed).toEqual([{ lost: 3, from: 1, to: 2 }]);
    expect(places).toEqual([undefined, "p4"]);
  });

  test("passes over a type that it does not know, and tells what it cannot read", async () => {
    const errors: unknown[] = [];
    const stream = await streamFrom((_, response) => {
      const later = 'id: p1\nevent: review.closed\ndata: {"type":"review.closed"}\n\n';
      response.write(`${later}id: p2\nevent: verdict.decided\ndata: {half\n\n${frame("3")}`);
    });
    expect(await take(1, stream.tail({ onError: (error) => errors.push(error) }))).toEqual(["s_3"]);
    expect(errors).toEqual([expect.any(SyntaxError)]);
  });

  test("hands over a verdict of a later schema as it is", async () => {
    const later = { ...VERDICT, schema: "assay.verdict/2", id: "s_2", made_of: ["light"] };
    const stream = await streamFrom((_, response) => {
      const envelope = JSON.stringify({ type: "verdict.decided", id: "s_2", at: 2, data: later });
      response.write(`id: p2\nevent: verdict.decided\ndata: ${envelope}\n\n`);
    });
    for await (const { verdict } of stream.tail({})) {
      expect(verdict).toEqual(later);
      break;
    }
  });

  test.each([
    [401, "unauthorized"],
    [403, "forbidden"],
    [400, "invalid_field"],
  ])("ends with what only the caller can mend: %i", async (status, code) => {
    const stream = await streamFrom((_, response) => {
      response.writeHead(status).end(JSON.stringify({ code, detail: "No." }));
    });
    await expect(take(1, stream.tail({}))).rejects.toMatchObject({ code });
  });

  test("comes again after a 503", async () => {
    const errors: unknown[] = [];
    let connections = 0;
    const stream = await streamFrom((_, response) => {
      if (++connections === 1) response.end("retry: 1\n\n");
      else if (connections === 2) response.writeHead(503).end(JSON.stringify({ code: "overloaded", detail: "Full." }));
      else response.write(frame("1"));
    });
    await take(1, stream.tail({ onError: (error) => errors.push(error) }));
    expect(errors).toMatchObject([{ code: "overloaded" }]);
  });

  test("ends quietly by its signal, and when all streams are stopped", async () => {
    const opened = new EventTarget();
    const stream = await streamFrom((_, response) => {
      response.write(": here\n\n");
      opened.dispatchEvent(new Event("open"));
    });
    const controller = new AbortController();
    for (const stop of [async () => controller.abort(), stream.stop]) {
      const open = once(opened, "open");
      const ended = take(1, stream.tail(controller.signal.aborted ? {} : { signal: controller.signal }));
      await open;
      await stop();
      expect(await ended).toEqual([]);
    }
  });
});

describe("subscribe", () => {
  test("is given again what it did not acknowledge, with its count", async () => {
    const places: unknown[] = [];
    const stream = await streamFrom((request, response) => {
      places.push(request.headers["last-event-id"]);
      response.end(
        `retry: 1\n\n${["1", "2", "3"]
          .slice(places.length - 1)
          .map(frame)
          .join("")}`,
      );
    });
    const seen: [string, number][] = [];
    for await (const { verdict, deliveries, ack } of stream.subscribe({ group: "crm" })) {
      seen.push([verdict.id, deliveries]);
      if (verdict.id !== "s_2" || deliveries > 1) await ack();
      if (seen.length === 4) break;
    }
    expect(seen).toEqual([
      ["s_1", 1],
      ["s_2", 1],
      ["s_3", 1],
      ["s_2", 2],
    ]);
    expect(places).toEqual([undefined, "p1"]);
  });

  test("begins behind a place, or with all that is left", async () => {
    const asked: unknown[] = [];
    const stream = await streamFrom((request, response) => {
      asked.push([request.url, request.headers["last-event-id"]]);
      response.write(frame("9"));
    });
    await take(1, stream.subscribe({ group: "crm", after: "p8" }));
    await take(1, stream.subscribe({ group: "crm", from: "beginning" }));
    expect(asked).toEqual([
      ["/v1/stream", "p8"],
      ["/v1/stream?from=beginning", undefined],
    ]);
  });
});

const VERDICT: Verdict = {
  schema: "assay.verdict/1",
  id: "s_1",
  kind: "lookup",
  action: "allow",
  score: 0,
  reasons: [],
  shadow: [],
  unknown: [],
  checks: {},
  coverage: { rules: 0, judged: 0 },
  ruleset: { name: "default", digest: "d", engine: "1" },
  received_at: 1,
  decided_at: 2,
};

function frame(number: string): string {
  const envelope = envelopeOf({ ...VERDICT, id: `s_${number}` });
  return `id: p${number}\nevent: verdict.decided\ndata: ${JSON.stringify(envelope)}\n\n`;
}

async function take(count: number, verdicts: AsyncIterable<{ readonly verdict: Verdict }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { verdict } of verdicts) {
    ids.push(verdict.id);
    if (ids.length === count) break;
  }
  return ids;
}

/** Streams from a server of this test. */
async function streamFrom(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  options: { readonly silenceMs?: number } = {},
) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const stream = openHttpStream(
    (path, headers, signal) => fetch(`http://127.0.0.1:${port}/${path}`, { headers, signal }),
    options,
  );
  onTestFinished(async () => {
    await stream.stop();
    server.closeAllConnections();
    server.close();
  });
  return stream;
}

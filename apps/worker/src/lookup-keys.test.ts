import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { secretFingerprint } from "@assay/protocol";
import { createLookupKeys } from "./lookup-keys.ts";

const SIGNAL = new AbortController().signal;
let server: Server;
let apiUrl: string;
let askedWith: unknown[];

beforeEach(async () => {
  askedWith = [];
  server = createServer((request, response) => {
    askedWith.push(request.headers.authorization);
    response.writeHead(404).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  apiUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});
afterEach(() => server.close());

/** Two keys, whose buckets answer what is given. */
function keysWith(waits: Record<"one" | "two", number[]>) {
  const buckets = new Map(Object.entries(waits).map(([key, all]) => [secretFingerprint(key), all]));
  return createLookupKeys({ apiKeys: ["one", "two"], region: "us", apiUrl, rps: 5, burst: 15 }, (keyId) =>
    Promise.resolve(buckets.get(keyId)?.shift() ?? Number.NaN),
  );
}

describe("createLookupKeys", () => {
  test("asks by the first key that has room", async () => {
    const keys = keysWith({ one: [0, 200], two: [0] });
    expect([await keys.take(SIGNAL), await keys.take(SIGNAL)]).toEqual([0, 0]);
    await keys.lookup("1.a");
    await keys.lookup("1.b");
    expect(askedWith).toEqual(["Bearer one", "Bearer two"]);
  });

  test("tells the shorter wait when none has", async () => {
    expect(await keysWith({ one: [300], two: [100] }).take(SIGNAL)).toBe(100);
  });

  test("asks by no key without having taken from its bucket", async () => {
    await expect(keysWith({ one: [], two: [] }).lookup("1.a")).rejects.toThrow(TypeError);
    expect(askedWith).toEqual([]);
  });
});

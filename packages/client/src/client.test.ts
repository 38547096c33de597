import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createAssayClient } from "./client.ts";

describe("createAssayClient", () => {
  test.each(["redis+cluster://127.0.0.1", "http://127.0.0.1", "127.0.0.1:6379", "redis://x:99999"])(
    "refuses %s as a connection at once",
    (connection) => {
      expect(() => createAssayClient({ connection })).toThrow(TypeError);
      expect(() => createAssayClient({ connection: { url: connection } })).toThrow(/redis:\/\/ or rediss:\/\//);
    },
  );

  test.each(["", "Shop", "shop:eu", "a".repeat(33)])("refuses %j as a tenant at once", (tenant) => {
    expect(() => createAssayClient({ connection: "redis://127.0.0.1:1", tenant })).toThrow(/^tenant must be/);
  });

  test.each(["localhost:8080", "", "ftp://127.0.0.1", "http://"])("refuses %j as a url at once", (url) => {
    expect(() => createAssayClient({ url, key: "secret" })).toThrow(/http:\/\/ or https:\/\//);
  });

  test.each(["", "two words", "a\nb", "ü"])("refuses %j as a key at once", (key) => {
    expect(() => createAssayClient({ url: "http://127.0.0.1:1", key })).toThrow(TypeError);
  });

  test.each([
    ["undefined, which is its default", undefined],
    ["longer than a timer can be", Number.POSITIVE_INFINITY],
  ])("takes a timeoutMs that is %s", async (_, timeoutMs) => {
    const verdict = { schema: "assay.verdict/1", id: "s_1", action: "block" };
    const client = createAssayClient({
      url: "http://127.0.0.1:1",
      key: "secret",
      fetch: () => pause(20).then(() => Response.json(verdict)),
    });
    // As JavaScript may call it.
    const options: object = { timeoutMs };
    expect(await client.decide({ event_id: "event-1" }, options)).toMatchObject({ reason: "decided" });
  });

  test("refuses a timeoutMs that is no number", async () => {
    const client = createAssayClient({ url: "http://127.0.0.1:1", key: "secret" });
    await expect(client.submit({ event_id: "event-1" }, { timeoutMs: Number.NaN })).rejects.toThrow(TypeError);
  });

  test("answers decide without an Assay, and throws what only the caller can mend", async () => {
    const client = createAssayClient({ url: "http://127.0.0.1:1", key: "secret" });
    const input = { event_id: "event-1" };
    expect(await client.decide(input, { timeoutMs: 50, otherwise: "review" })).toEqual({
      reason: "unavailable",
      action: "review",
    });
    await expect(client.decide(input, { idempotencyKey: "event-1" })).rejects.toMatchObject({
      code: "idempotency_key_is_event_id",
    });
  });
});

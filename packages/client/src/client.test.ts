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

import { openInstallation, readInstallation, SchemaMismatchError } from "@assay/ledger";
import { metaKey } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { openLedger } from "./open-ledger.ts";

describe("openInstallation", () => {
  test("writes the facts of a new installation, and keeps its first key", async () => {
    const { redis, prefix } = await openLedger();
    expect(await openInstallation(redis, prefix, "aa".repeat(32))).toEqual({ hashKey: "aa".repeat(32) });
    expect(await openInstallation(redis, prefix, "bb".repeat(32))).toEqual({ hashKey: "aa".repeat(32) });
    expect(await redis.hgetall(metaKey(prefix))).toMatchObject({ schema: "1", shards: "1" });
  });

  test("gives 20 processes that start at once the same key", async () => {
    const { redis, prefix } = await openLedger();
    const opened = await Promise.all(
      Array.from({ length: 20 }, (_, n) => openInstallation(redis, prefix, String(n).padStart(64, "0"))),
    );
    expect(new Set(opened.map(({ hashKey }) => hashKey)).size).toBe(1);
  });

  test.each([
    { field: "schema", value: "2" },
    { field: "shards", value: "16" },
  ])("refuses an installation of another $field, and says what to do", async ({ field, value }) => {
    const { redis, prefix } = await openLedger();
    await openInstallation(redis, prefix, "aa".repeat(32));
    await redis.hset(metaKey(prefix), field, value);
    const refusal = openInstallation(redis, prefix, "aa".repeat(32));
    await expect(refusal).rejects.toBeInstanceOf(SchemaMismatchError);
    await expect(refusal).rejects.toMatchObject({ code: "schema_mismatch" });
    await expect(refusal).rejects.toThrow(`${field} ${value}`);
    await expect(refusal).rejects.toThrow("another ASSAY_PREFIX");
  });
});

describe("readInstallation", () => {
  test("reads what is there, and writes nothing where nothing is", async () => {
    const { redis, prefix } = await openLedger();
    expect(await readInstallation(redis, prefix)).toBeUndefined();
    expect(await redis.exists(metaKey(prefix))).toBe(0);
    await openInstallation(redis, prefix, "aa".repeat(32));
    expect(await readInstallation(redis, prefix)).toEqual({ hashKey: "aa".repeat(32) });
    await redis.hset(metaKey(prefix), "schema", "2");
    await expect(readInstallation(redis, prefix)).rejects.toBeInstanceOf(SchemaMismatchError);
  });
});

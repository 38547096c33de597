import { describe, expect, test } from "vitest";
import { redisErrorKind } from "./redis-error.ts";

describe("redisErrorKind", () => {
  test.each([
    [new Error("Command timed out"), "timeout"],
    [new Error("OOM command not allowed when used memory > 'maxmemory'."), "full"],
    [new Error("READONLY You can't write against a read only replica."), "readonly"],
    [new Error("LOADING Redis is loading the dataset in memory"), "loading"],
    [Object.assign(new Error("connect failed"), { code: "ECONNREFUSED" }), "away"],
    [new Error("Stream isn't writeable and enableOfflineQueue options is false"), "away"],
    [new Error("Connection is closed."), "away"],
    [new Error("WRONGTYPE Operation against a key"), "other"],
    [undefined, "other"],
  ] as const)("%s is %s", (error, kind) => {
    expect(redisErrorKind(error)).toBe(kind);
  });
});

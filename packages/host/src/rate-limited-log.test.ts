import { describe, expect, test } from "vitest";
import { createLogger } from "./logger.ts";
import { createRateLimitedLog } from "./rate-limited-log.ts";

function setup() {
  const written: string[] = [];
  const logger = createLogger({ name: "test", destination: { write: (line: string) => void written.push(line) } });
  let now = 1_000;
  return {
    log: createRateLimitedLog({ logger, now: () => now, limit: 2, intervalMs: 1_000 }),
    pass: (ms: number) => void (now += ms),
    lines: (): Record<string, unknown>[] => written.map((line) => JSON.parse(line)),
  };
}

describe("createRateLimitedLog", () => {
  test("writes no more lines per interval than its limit", () => {
    const { log, lines } = setup();
    for (let n = 0; n < 50; n++) log.error({ n }, "redis is away");
    expect(lines().map((line) => line["n"])).toEqual([0, 1]);
  });

  test("says in the next interval how many lines were left out, once", () => {
    const { log, pass, lines } = setup();
    for (let n = 0; n < 5; n++) log.warn({}, "away");
    pass(1_000);
    log.warn({}, "still away");
    log.warn({}, "and still");
    expect(
      lines()
        .slice(2)
        .map((line) => line["left_out"]),
    ).toEqual([3, undefined]);
  });

  test("keeps the level", () => {
    const { log, lines } = setup();
    log.warn({}, "a");
    log.error({}, "b");
    expect(lines().map((line) => line["level"])).toEqual(["warn", "error"]);
  });
});

import { createLogger, createMetrics, createRateLimitedLog } from "@assay/host";
import { afterEach, describe, expect, test } from "vitest";
import { type Calm, createCalm } from "./calm.ts";
import { createWorkerMetrics } from "./metrics.ts";

let calm: Calm;
afterEach(() => calm.stop());

/** Calm over a Redis that serves as soon as `heal` was called; `resumed` resolves when fetching goes on. */
function holdable() {
  const logger = createLogger({ name: "worker", level: "silent" });
  let serves = false;
  let resume = (): void => undefined;
  const resumed = new Promise<void>((resolve) => {
    resume = resolve;
  });
  calm = createCalm({
    probe: () => (serves ? Promise.resolve() : Promise.reject(new Error("Command timed out"))),
    delay: () => new Promise((resolve) => setImmediate(resolve)),
    log: createRateLimitedLog({ logger, now: Date.now }),
    logger,
    metrics: createWorkerMetrics(createMetrics("worker")),
  });
  calm.watch({ pause: () => Promise.resolve(), resume: () => Promise.resolve(resume()) });
  return { resumed, heal: () => void (serves = true) };
}

describe("createCalm", () => {
  test("holds from the first trouble until Redis serves again", async () => {
    const { resumed, heal } = holdable();
    expect(calm.isHolding()).toBe(false);
    calm.trouble(new Error("Command timed out"));
    expect(calm.isHolding()).toBe(true);
    heal();
    await resumed;
    expect(calm.isHolding()).toBe(false);
  });

  test("does not hold for an error that does not pass by itself", () => {
    holdable();
    calm.trouble(new Error("could not renew lock for job b-1"));
    expect(calm.isHolding()).toBe(false);
  });
});

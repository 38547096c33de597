import { getEventListeners, once } from "node:events";
import { describe, expect, test } from "vitest";
import { startDeadline } from "./deadline.ts";

describe("startDeadline", () => {
  test("aborts after its time", async () => {
    const deadline = startDeadline(1);
    await once(deadline.signal, "abort");
    expect(deadline.signal.aborted).toBe(true);
  });

  test("aborts with the caller's signal", () => {
    const controller = new AbortController();
    const deadline = startDeadline(60_000, controller.signal);
    controller.abort();
    expect(deadline.signal.aborted).toBe(true);
    deadline.stop();
  });

  test("leaves nothing on the caller's signal once stopped, however often", () => {
    const { signal } = new AbortController();
    const deadline = startDeadline(60_000, signal);
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    deadline.stop();
    deadline.stop();
    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });
});

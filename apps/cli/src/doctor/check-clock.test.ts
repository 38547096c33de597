import { describe, expect, test } from "vitest";
import { aTenant } from "../../test/a-tenant.ts";
import { checkClock, checkEventClock } from "./check-clock.ts";

const NOW = 1_795_000_020_000;

describe("checkClock", () => {
  test.each([
    [400, "ok", /agrees/],
    [-1000, "ok", /agrees/],
    [3000, "warn", /3 s ahead of Redis's/],
    [-90_000, "fail", /90 s behind Redis's/],
  ])("judges an offset of %d ms", (offsetMs, status, says) => {
    expect(checkClock(NOW + offsetMs, NOW)).toMatchObject({ status, says: expect.stringMatching(says) });
  });
});

describe("checkEventClock", () => {
  test.each<[string, number | undefined, number, string, RegExp]>([
    ["nothing", undefined, 0, "skip", /No event/],
    ["events a moment old", 700, 100, "ok", /700 ms old/],
    ["events a little ahead", -9000, 100, "ok", /9 s ahead/],
    ["events far ahead", -12_000, 1, "warn", /12 s after it came.*ingress is behind/],
    ["events that are all old", 300_000, 20, "warn", /Even the youngest event was 5 min old/],
    ["a few old events", 300_000, 19, "ok", /5 min old/],
  ])("judges %s", (_, youngestMs, verdicts, status, says) => {
    const minute = { at: NOW - 20_000, counts: { verdicts }, ...(youngestMs === undefined ? {} : { youngestMs }) };
    const finding = checkEventClock(aTenant({ minutes: [minute] }), NOW);
    expect(finding).toMatchObject({ status, says: expect.stringMatching(says) });
  });

  test("goes by the youngest of the hour", () => {
    const minutes = [5000, -20_000, 9000].map((youngestMs, index) => ({
      at: NOW - index * 60_000,
      counts: {},
      youngestMs,
    }));
    expect(checkEventClock(aTenant({ minutes }), NOW).status).toBe("warn");
  });
});

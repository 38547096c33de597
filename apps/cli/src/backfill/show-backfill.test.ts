import { describe, expect, test } from "vitest";
import { NO_COUNTS } from "./counts.ts";
import { backfillReport, progressLine } from "./show-backfill.ts";
import { freshState } from "./state.ts";

const SINCE = Date.UTC(2026, 10, 20);
const RANGE = { since: SINCE, until: SINCE + 4 * 3_600_000 };
const COUNTS = {
  ...NO_COUNTS,
  seen: 1004,
  known: 950,
  submitted: 50,
  unreadable: { invalid_event_id: 3, too_large: 1 },
};

describe("backfillReport", () => {
  test("says what became of every event", () => {
    const { text } = backfillReport({ ...RANGE, tenant: "0", counts: COUNTS, dryRun: false, resumed: true });
    expect(text)
      .toBe(`1,004 events at Fingerprint from 2026-11-20T00:00:00.000Z to 2026-11-20T04:00:00.000Z, with those of the run before:
      950  known to the archive
        0  on their way to it
        0  erased
       50  submitted
        3  unreadable: invalid_event_id
        1  unreadable: too_large`);
  });

  test("says that what the archive may have dropped was not submitted", () => {
    const counts = { ...NO_COUNTS, seen: 2, expired: 2 };
    const { text, json } = backfillReport({ ...RANGE, tenant: "0", counts, dryRun: false, resumed: false });
    expect(text).toContain("        2  older than what the archive keeps: not submitted");
    expect(json).toMatchObject({ seen: 2, expired: 2, submitted: 0 });
  });

  test("says that a dry run submitted nothing", () => {
    const counts = { ...NO_COUNTS, seen: 7, missing: 7 };
    const { text, json } = backfillReport({ ...RANGE, tenant: "0", counts, dryRun: true, resumed: false });
    expect(text).toContain("        7  missing: nothing was submitted");
    expect(json).toMatchObject({ tenant: "0", dry_run: true, seen: 7, missing: 7, submitted: 0 });
  });
});

describe("progressLine", () => {
  test("shows how much of the time is walked through", () => {
    const state = { ...freshState(RANGE), counts: COUNTS };
    expect(progressLine(state)).toMatch(/^░+ {3}0 % {2}1,004 events, 50 missing$/);
    const place = { from: SINCE, to: RANGE.until, reached: SINCE + 3_600_000 };
    expect(progressLine({ ...state, place })).toMatch(/^█{6}░{18} {2}25 % {2}/);
    const { place: _, ...done } = state;
    expect(progressLine(done)).toMatch(/^█{24} 100 % {2}/);
  });
});

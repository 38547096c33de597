import { expect, test } from "vitest";
import { createProgress } from "./progress.ts";

test("createProgress shows share, rows and pace, at most ten times a second", () => {
  const shown: string[] = [];
  let nowMs = 1000;
  const progress = createProgress((line) => shown.push(line), { startedAtMs: 0, clock: () => nowMs });
  progress(2000, 0.5);
  nowMs = 1050;
  progress(2100, 0.51);
  nowMs = 2000;
  progress(6000, undefined);
  expect(shown).toEqual([
    `${"█".repeat(12)}${"░".repeat(12)}  50 %  2,000 rows, 2,000 a second`,
    "6,000 rows, 3,000 a second",
  ]);
});

import { whole } from "./findings.ts";

/** Shows how far a run is, at most ten times a second. Times are ms. */
export function createProgress(
  show: (line: string) => void,
  { startedAtMs, clock }: { startedAtMs: number; clock: () => number },
) {
  let shownAtMs = -Infinity;
  return (rows: number, share: number | undefined): void => {
    const nowMs = clock();
    if (nowMs - shownAtMs < 100) return;
    shownAtMs = nowMs;
    const perSecond = Math.round((1000 * rows) / Math.max(1, nowMs - startedAtMs));
    show(`${barOf(share)}${whole(rows)} rows, ${whole(perSecond)} a second`);
  };
}

const WIDTH = 24;

/** A bar that is full by this share, and the share; empty where it is not known. */
export function barOf(share: number | undefined): string {
  if (share === undefined) return "";
  const full = Math.round(WIDTH * Math.min(1, share));
  return `${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${String(Math.floor(100 * Math.min(1, share))).padStart(3)} %  `;
}

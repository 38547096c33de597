import { CommandError, EXIT } from "../report.ts";

const UNITS_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/** Reads `2d` (so long before now), an ISO time or unix ms as unix ms. Throws a CommandError for anything else. */
export function readMoment(option: string, text: string | undefined, now: number): number {
  const [, amount, unit] = /^(\d{1,6})([smhdw])$/.exec(text ?? "") ?? [];
  const unitMs = Object.entries(UNITS_MS).find(([name]) => name === unit)?.[1];
  if (unitMs !== undefined) return Math.max(now - Number(amount) * unitMs, 1);
  if (text !== undefined && /^\d{13}$/.test(text)) return Number(text);
  const time = text !== undefined && /^\d{4}-\d\d-\d\d(?:T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new CommandError(
    EXIT.usage,
    `${option} must be a span such as 2d or 90m, or a time such as 2026-11-27T12:00Z.`,
  );
}

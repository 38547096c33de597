const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads `500ms`, `120s`, `30m`, `24h` or `2d` to milliseconds; undefined when it is none of these. */
export function parseDurationMs(text: string): number | undefined {
  const [, digits, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  for (const [name, unitMs] of Object.entries(UNITS_MS)) {
    if (name === unit) return Number(digits) * unitMs;
  }
  return undefined;
}

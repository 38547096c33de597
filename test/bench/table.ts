import type { Measured } from "./measure.ts";

/** All rounds of one contender. */
export interface Line {
  readonly name: string;
  readonly isPeer: boolean;
  readonly drains: Measured[];
  readonly endToEnds: Measured[];
}

/** Lines that stood on the same Redis: each is compared with the best peer among them, column by column. */
export interface Group {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** What one loop reaches without Redis. */
export interface Limit {
  readonly name: string;
  readonly perSecond: number;
}

const HEAD = [
  ["", "full queue", "× peer", "in a round", "end to end", "× peer", "in a round", "worker", "Redis", "CPU"],
  ["", "per second", "", "", "per second", "", "", "CPU µs", "CPU µs", "× peer"],
];

/** The table as text: medians over the rounds, and the lowest and highest ratio to the best peer within one round. */
export function tableOf(groups: readonly Group[], limits: readonly Limit[]): string {
  const rows = [
    ...HEAD,
    ...groups.flatMap((group) => [[group.title], ...rowsOf(group)]),
    ["in process, no Redis, one loop"],
    ...limits.map(({ name, perSecond }) => [`  ${name}`, whole(perSecond)]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const pad = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

/** Median of submissions per second; NaN without rounds. */
export function rateOf(rounds: readonly Measured[]): number {
  return median(rounds.map(({ perSecond }) => perSecond));
}

function rowsOf({ lines }: Group): string[][] {
  const peers = lines.filter(({ isPeer }) => isPeer);
  const drains = fastest(peers.map((peer) => peer.drains));
  const endToEnds = fastest(peers.map((peer) => peer.endToEnds));
  return lines.map((line) => [
    `  ${line.name}`,
    ...cellsOf(line.drains, drains),
    ...cellsOf(line.endToEnds, endToEnds),
    whole(median(line.drains.map(({ workerMicros }) => workerMicros))),
    whole(median(line.drains.map(({ redisMicros }) => redisMicros))),
    (cpuOf(drains) / cpuOf(line.drains)).toFixed(2),
  ]);
}

function fastest(all: readonly (readonly Measured[])[]): readonly Measured[] {
  return all.toSorted((a, b) => rateOf(b) - rateOf(a))[0] ?? [];
}

function cellsOf(rounds: readonly Measured[], peer: readonly Measured[]): string[] {
  const ratios = rounds.map(({ perSecond }, round) => perSecond / (peer[round]?.perSecond ?? Number.NaN));
  const span = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
  return [whole(rateOf(rounds)), (rateOf(rounds) / rateOf(peer)).toFixed(2), rounds === peer ? "" : span];
}

// Of worker and Redis together.
function cpuOf(rounds: readonly Measured[]): number {
  return median(rounds.map(({ workerMicros, redisMicros }) => workerMicros + redisMicros));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const last = sorted.length - 1;
  return ((sorted[Math.floor(last / 2)] ?? Number.NaN) + (sorted[Math.ceil(last / 2)] ?? Number.NaN)) / 2;
}

function whole(value: number): string {
  return Number.isNaN(value) ? "unknown" : Math.round(value).toLocaleString("en-US");
}

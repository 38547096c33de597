import type { CounterUse } from "../judge/counting.ts";
import type { BacktestRow, PastOutcome } from "./backtest-row.ts";
import type { CounterPlace } from "./counter-memory.ts";

/** Who asks: the old rulesets, the new ones, or both. */
export type Asking = "old" | "new" | "both";

/** What a row asks of a counter, and adds to it. */
export interface CounterAsk extends CounterPlace {
  asking: Asking;
  /** What the row itself counts as, if it does. */
  member?: string;
  /** Of a counter of outcomes: the times of those of the row that count, unix ms. */
  toldAt?: readonly number[];
  /** What these outcomes count as; the row itself when absent. */
  toldMember?: string;
}

/** All that a row asks. */
export interface RowAsks {
  /** Unix ms, as is the next. */
  readonly receivedAt: number;
  readonly eventTime: number;
  /** The time whose counters it is told, unix ms; `receivedAt` when absent. */
  readonly asOf?: number | undefined;
  readonly asks: readonly CounterAsk[];
}

/**
 * What a counter is asked for a row, by the rules of the worker: replays, redriven and backfilled rows are told the
 * value and do not count, an outcome of a replay does.
 */
export function askOf(use: CounterUse, row: BacktestRow, asking: Asking): CounterAsk {
  const { definition, key, windowMs, distinct, isDistinct, counts } = use;
  const ask: CounterAsk = { asking, definition, key, windowMs };
  if (row.kind === "backfill" || row.isRedriven === true) return ask;
  switch (counts.on) {
    case "submission": {
      const member = isDistinct ? distinct : row.event.event_id;
      if (row.checks.reused !== true && counts.now && member !== undefined) ask.member = member;
      return ask;
    }
    case "outcome": {
      if (isDistinct && distinct === undefined) return ask;
      const toldAt = row.outcomes.filter((told) => counts.pairs.includes(pairOf(told, counts.names)));
      if (toldAt.length === 0) return ask;
      ask.toldAt = toldAt.map(({ occurredAt }) => occurredAt);
      if (distinct !== undefined) ask.toldMember = distinct;
      return ask;
    }
  }
}

/** Whether two sides ask a counter quite the same, so that it need be told once. */
export function isSameAsk(a: CounterAsk, b: CounterAsk): boolean {
  return (
    a.definition === b.definition &&
    a.key === b.key &&
    a.member === b.member &&
    a.toldMember === b.toldMember &&
    a.toldAt?.join() === b.toldAt?.join()
  );
}

/** All that a row asks, by the rules of the worker: what is backfilled is told the counters of its own time. */
export function asksOf({ row, asks }: { row: BacktestRow; asks: readonly CounterAsk[] }): RowAsks {
  const { kind, event, receivedAt } = row;
  const eventTime = event.timestamp;
  return { receivedAt, eventTime, asks, asOf: kind === "backfill" ? Math.min(eventTime, receivedAt) : undefined };
}

function pairOf({ outcome, label }: PastOutcome, names: readonly string[]): string {
  const name = outcome === undefined ? "" : names.includes(outcome) ? outcome : "*";
  return `${name}/${label ?? ""}`;
}

import type { CounterAsk, RowAsks } from "@assay/rules/backtest";

/** What the rows of a batch ask, as one text: far cheaper to send to another thread than its thousand small objects. */
export type PackedAsks = string;

type PackedAsk = readonly [
  asking: CounterAsk["asking"],
  definition: string,
  windowMs: number,
  key: string,
  member: string | 0,
  toldAt?: readonly number[],
  toldMember?: string,
];
type PackedRow = readonly [receivedAt: number, eventTime: number, asks: readonly PackedAsk[], asOf?: number];

export function packAsks(rows: readonly RowAsks[]): PackedAsks {
  return JSON.stringify(
    rows.map(({ receivedAt, eventTime, asks, asOf }): PackedRow => {
      const packed = [receivedAt, eventTime, asks.map(packAsk)] as const;
      return asOf === undefined ? packed : [...packed, asOf];
    }),
  );
}

export function unpackAsks(packed: PackedAsks): RowAsks[] {
  const rows: readonly PackedRow[] = JSON.parse(packed);
  return rows.map(([receivedAt, eventTime, asks, asOf]) => ({
    receivedAt,
    eventTime,
    asks: asks.map(unpackAsk),
    ...(asOf === undefined ? {} : { asOf }),
  }));
}

function packAsk({ asking, definition, windowMs, key, member, toldAt, toldMember }: CounterAsk): PackedAsk {
  if (toldAt === undefined) return [asking, definition, windowMs, key, member ?? 0];
  const told = [asking, definition, windowMs, key, member ?? 0, toldAt] as const;
  return toldMember === undefined ? told : [...told, toldMember];
}

function unpackAsk([asking, definition, windowMs, key, member, toldAt, toldMember]: PackedAsk): CounterAsk {
  const ask: CounterAsk = { asking, definition, windowMs, key };
  if (member !== 0) ask.member = member;
  if (toldAt !== undefined) ask.toldAt = toldAt;
  if (toldMember !== undefined) ask.toldMember = toldMember;
  return ask;
}

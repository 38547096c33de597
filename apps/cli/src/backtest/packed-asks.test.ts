import type { CounterAsk, RowAsks } from "@assay/rules/backtest";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { packAsks, unpackAsks } from "./packed-asks.ts";

const json = fc.string({ unit: "binary" }).map((text) => JSON.stringify([text]));
const time = fc.integer({ min: 1_000_000_000_000, max: 8_640_000_000_000_000 });
const ask: fc.Arbitrary<CounterAsk> = fc
  .record(
    {
      asking: fc.constantFrom("old" as const, "new" as const, "both" as const),
      counter: fc.integer({ min: 1, max: 3 }),
      key: json,
      member: json,
      toldAt: fc.array(time),
      toldMember: json,
    },
    { requiredKeys: ["asking", "counter", "key"] },
  )
  .map(({ counter, ...said }) => ({ ...said, definition: `counter${counter}`, windowMs: counter * 3_600_000 }));
const row: fc.Arbitrary<RowAsks> = fc.record(
  { receivedAt: time, eventTime: time, asOf: time, asks: fc.array(ask) },
  { requiredKeys: ["receivedAt", "eventTime", "asks"] },
);

test("asks are the same when they have crossed to another thread", () => {
  fc.assert(
    fc.property(fc.array(row), (rows) => {
      expect(unpackAsks(structuredClone(packAsks(rows)))).toEqual(rows);
    }),
  );
});

import type { RowAsks } from "@assay/rules/backtest";
import { expect, test } from "vitest";
import { packAsks, unpackAsks } from "./packed-asks.ts";

test("packAsks keeps all that rows ask", () => {
  const ask = { asking: "both", definition: "d1", key: "anna", windowMs: 3_600_000 } as const;
  const rows: RowAsks[] = [
    { receivedAt: 2, eventTime: 1, asks: [ask, { ...ask, member: "e1", toldAt: [3], toldMember: "account" }] },
    { receivedAt: 9, eventTime: 1, asOf: 1, asks: [{ ...ask, asking: "old", toldAt: [3] }] },
  ];
  expect(unpackAsks(packAsks(rows))).toEqual(rows);
});

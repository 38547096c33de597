import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Asking, CounterAsk, RowAsks } from "./counter-ask.ts";
import { answerAt, CounterReplay, DisorderedRowsError } from "./counter-replay.ts";

const HOUR_MS = 3_600_000;

function anAsk(over: Partial<CounterAsk> = {}): CounterAsk {
  return { asking: "both", definition: "d1", windowMs: HOUR_MS, key: "anna", ...over };
}

function aRow(receivedAt: number, ...asks: CounterAsk[]): RowAsks {
  return { receivedAt, eventTime: receivedAt, asks };
}

/** Values on the old and the new side of each ask. */
function valuesOf(replay: CounterReplay, ...rows: RowAsks[]): [number, number][] {
  const answers = replay.replay(rows);
  return Array.from({ length: answers.length / 2 }, (_, ask) => [
    answerAt(answers, 2 * ask).value,
    answerAt(answers, 2 * ask + 1).value,
  ]);
}

describe("CounterReplay", () => {
  test("counts each row, itself included, while it is in the window", () => {
    const rows = [0, 1, HOUR_MS, HOUR_MS + 1].map((at) => aRow(at, anAsk({ member: `event ${at}` })));
    expect(valuesOf(new CounterReplay(), ...rows).map(([value]) => value)).toEqual([1, 2, 2, 2]);
  });

  test("knows an outcome from the moment when it occurred, and not before", () => {
    const asked = aRow(0, anAsk({ toldAt: [500] }));
    const rows = [499, 500, 501].map((at) => aRow(at, anAsk()));
    expect(valuesOf(new CounterReplay(), asked, ...rows).map(([value]) => value)).toEqual([0, 0, 1, 1]);
  });

  test("keeps a distinct value counted between two of its outcomes", () => {
    const told = (at: number, ...toldAt: number[]) => aRow(at, anAsk({ toldAt, toldMember: "account 1" }));
    const values = valuesOf(new CounterReplay(), told(0, 10, 2000), aRow(1000, anAsk()), aRow(3000, anAsk()));
    expect(values.map(([value]) => value)).toEqual([0, 1, 1]);
  });

  test("counts outcomes of several rows apart where nothing tells them apart", () => {
    const rows = [aRow(0, anAsk({ toldAt: [5] })), aRow(1, anAsk({ toldAt: [5, 6] })), aRow(9, anAsk())];
    expect(valuesOf(new CounterReplay(), ...rows).at(-1)).toEqual([2, 2]);
  });

  test("counts on each side what that side asked", () => {
    const rows = [
      aRow(0, anAsk({ member: "a" })),
      aRow(1, anAsk({ member: "b", asking: "old" })),
      aRow(2, anAsk({ member: "c", asking: "new" })),
      aRow(3, anAsk({ member: "d", asking: "new" })),
      aRow(4, anAsk()),
    ];
    expect(valuesOf(new CounterReplay(), ...rows).at(-1)).toEqual([2, 3]);
  });

  test("says the same whether the sides ask together or one after the other", () => {
    const steps = fc.array(
      fc.record({
        afterMs: fc.nat(HOUR_MS),
        key: fc.constantFrom("anna", "ben"),
        member: fc.constantFrom("a", "b", "c", undefined),
        toldAfterMs: fc.option(fc.nat(2 * HOUR_MS)),
        asking: fc.constantFrom<Asking>("both", "both", "both", "old", "new"),
      }),
    );
    fc.assert(
      fc.property(steps, (given) => {
        let at = 0;
        const rows = given.map(({ afterMs, key, member, toldAfterMs, asking }) => {
          at += afterMs;
          const told = toldAfterMs === null ? {} : { toldAt: [at + toldAfterMs], toldMember: `${member}` };
          return aRow(at, anAsk({ key, asking, ...(member === undefined ? {} : { member }), ...told }));
        });
        const together = valuesOf(new CounterReplay(), ...rows);
        for (const [place, side] of (["old", "new"] as const).entries()) {
          const own = rows.filter(({ asks }) => asks.some(({ asking }) => asking === side || asking === "both"));
          const alone = valuesOf(new CounterReplay(), ...own.map((row) => alike(row, side)));
          const asked = together.filter((_, index) => own.includes(rows[index] ?? aRow(0)));
          expect(asked.map((values) => values[place])).toEqual(alone.map((values) => values[place]));
        }
      }),
    );
  });

  test("says while a counter is younger than its window", () => {
    const answers = new CounterReplay().replay([0, HOUR_MS - 1, HOUR_MS].map((at) => aRow(at, anAsk())));
    expect([0, 1, 2].map((ask) => answerAt(answers, 2 * ask).isWarming)).toEqual([true, true, false]);
  });

  test("refuses rows that come in another order than they were received", () => {
    expect(() => new CounterReplay().replay([aRow(2, anAsk()), aRow(1, anAsk())])).toThrow(DisorderedRowsError);
  });

  test("holds no more than 1,000 members", () => {
    const rows = Array.from({ length: 1500 }, (_, at) => aRow(at, anAsk({ member: `event ${at}` })));
    expect(valuesOf(new CounterReplay(), ...rows).at(-1)).toEqual([1000, 1000]);
  });
});

function alike({ asks, ...row }: RowAsks, asking: Asking): RowAsks {
  return { ...row, asks: asks.map((ask) => ({ ...ask, asking })) };
}

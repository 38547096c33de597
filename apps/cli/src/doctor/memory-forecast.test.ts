import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { forecastBytes, judgeMemory, type Kept, type Load } from "./memory-forecast.ts";

const MIB = 1024 * 1024;
const DAY = 86_400;

/** Verdicts that leave two KiB for a day, one in the stream for an hour, and half a KiB that nothing shortens. */
const KEPT: readonly Kept[] = [
  { variable: "ASSAY_IDEMPOTENCY_TTL_SECONDS", bytes: 512, seconds: DAY },
  { variable: "ASSAY_VERDICT_TTL_SECONDS", bytes: 1536, seconds: DAY },
  { variable: "ASSAY_STREAM_TTL_SECONDS", bytes: 1024, seconds: 3600 },
  { bytes: 512, seconds: 3600 },
];
const at = (perSecond: number): Load[] => [{ perSecond, kept: KEPT }];
const memory = { used: 20 * MIB, base: MIB, bound: 512 * MIB };

describe("forecastBytes", () => {
  test("is what comes in a second, for as long as each part of it stays", () => {
    expect(forecastBytes(at(1), MIB)).toBe(MIB + 2048 * DAY + 1536 * 3600);
  });

  test("adds the tenants up, and grows with the rate alone", () => {
    const load = fc.record({ perSecond: fc.nat(1000), kept: fc.constant(KEPT) });
    fc.assert(
      fc.property(fc.array(load), load, (loads, more) => {
        const sum = forecastBytes(loads, 0) + forecastBytes([more], 0);
        expect(forecastBytes([...loads, more], 0)).toBeCloseTo(sum, 0);
      }),
    );
  });
});

describe("judgeMemory", () => {
  test.each<[string, Partial<typeof memory>, Load[], object]>([
    [
      "is content below 70 %",
      {},
      at(1),
      {
        status: "ok",
        says: "Redis holds 20 MiB of 512 MiB (4 %); at 1/s verdicts will hold 175 MiB (34 %), and counters more",
      },
    ],
    [
      "forecasts nothing where nothing comes",
      {},
      at(0),
      { status: "ok", says: "Redis holds 20 MiB of 512 MiB (4 %); there is no rate to forecast by yet" },
    ],
    [
      "warns of what will be too much, with two ways out",
      {},
      at(3),
      {
        status: "warn",
        says: "Redis holds 20 MiB of 512 MiB (4 %); at 3/s verdicts will hold 523 MiB (102 %), and counters more. From 70 % on submissions are refused",
        do: "raise maxmemory to 896mb, or lower ASSAY_VERDICT_TTL_SECONDS from 86400 to 37200",
      },
    ],
    [
      "offers no retention that would have to be shorter than sense",
      {},
      at(50),
      { status: "warn", do: "raise maxmemory to 14528mb" },
    ],
    [
      "fails where submissions are refused now",
      { used: 400 * MIB },
      at(0),
      { status: "fail", do: "raise maxmemory to 704mb" },
    ],
    [
      "wants a bound where there is none",
      { bound: 0 },
      at(1),
      { status: "warn", do: "set maxmemory to 320mb or more, or ASSAY_REDIS_MAX_BYTES" },
    ],
    ["wants no bound that nothing fits in", { bound: 0 }, [], { do: expect.stringContaining("256mb") }],
  ])("%s", (_, changes, loads, expected) => {
    expect(judgeMemory({ ...memory, ...changes }, loads)).toMatchObject({ name: "memory", ...expected });
  });

  test("gives advice that helps", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 64, max: 4096 }), (perSecond, mib) => {
        const bound = mib * MIB;
        const { do: todo = "" } = judgeMemory({ ...memory, bound }, at(perSecond));
        const [, raised = mib] = /raise maxmemory to (\d+)mb/.exec(todo) ?? [];
        const [, variable, seconds] = /lower (\w+) from \d+ to (\d+)/.exec(todo) ?? [];
        const kept = KEPT.map((one) => (one.variable === variable ? { ...one, seconds: Number(seconds) } : one));
        const after = [
          judgeMemory({ ...memory, bound: Number(raised) * MIB }, at(perSecond)),
          ...(seconds === undefined ? [] : [judgeMemory({ ...memory, bound }, [{ perSecond, kept }])]),
        ];
        expect(after.map(({ status }) => status)).not.toContain("warn");
        expect(after.map(({ status }) => status)).not.toContain("fail");
      }),
    );
  });
});

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TimeQueue } from "./time-queue.ts";

describe("TimeQueue", () => {
  test("gives what it holds in the order of time, and nothing before its time", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50)), fc.nat(50), (times, nowMs) => {
        const queue = new TimeQueue<number>();
        for (const atMs of times) queue.push(atMs, atMs);
        const taken: number[] = [];
        for (let one = queue.takeUntil(nowMs); one !== undefined; one = queue.takeUntil(nowMs)) taken.push(one.item);
        expect(taken).toEqual(times.filter((atMs) => atMs <= nowMs).toSorted((a, b) => a - b));
      }),
    );
  });

  test("takes more between two looks", () => {
    const queue = new TimeQueue<string>();
    queue.push(5, "five");
    queue.push(9, "nine");
    expect(queue.takeUntil(6)?.item).toBe("five");
    queue.push(7, "seven");
    expect([queue.takeUntil(9)?.item, queue.takeUntil(9)?.item, queue.takeUntil(9)]).toEqual([
      "seven",
      "nine",
      undefined,
    ]);
  });
});

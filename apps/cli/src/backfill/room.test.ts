import { describe, expect, test } from "vitest";
import { waitForRoom } from "./room.ts";

describe("waitForRoom", () => {
  test.each([
    { readings: [[undefined, 999]], waits: [] },
    { readings: [[0.64, 0]], waits: [] },
    {
      readings: [
        [0.65, 0],
        [0.9, 0],
        [0.6, 0],
      ],
      waits: ["Redis is nearly full", "Redis is nearly full"],
    },
    {
      readings: [
        [undefined, 1000],
        [undefined, 0],
      ],
      waits: ["Workers have much to do in the background"],
    },
  ])("waits while there is none: %o", async ({ readings, waits }) => {
    const left = [...readings];
    const told: string[] = [];
    const patience = { wait: async (why: string) => void told.push(why), reset: () => undefined };
    const room = { memoryRatio: async () => left[0]?.[0], pending: async () => left.shift()?.[1] ?? Number.NaN };
    await waitForRoom(room, patience);
    expect([told, left]).toEqual([waits, []]);
  });
});

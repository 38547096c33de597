import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createGatherer, type GathererOptions } from "./gatherer.ts";

interface Item {
  readonly name: number;
  readonly bytes: number;
}

interface Batch {
  readonly items: readonly Item[];
  answer(): void;
  fail(error: Error): void;
}

/** A flush whose batches end when the test says so. */
function held(): { flush: GathererOptions<Item, string>["flush"]; batches: Batch[] } {
  const batches: Batch[] = [];
  const flush = (taken: readonly Item[]) =>
    new Promise<readonly string[]>((resolve, reject) => {
      const end = () => batches.splice(batches.indexOf(batch), 1);
      const batch: Batch = {
        items: taken,
        answer() {
          end();
          resolve(taken.map(({ name }) => `answer ${name}`));
        },
        fail(error) {
          end();
          reject(error);
        },
      };
      batches.push(batch);
    });
  return { flush, batches };
}

/** Lets every promise that can settle do so. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function items(count: number, bytes = 1): Item[] {
  return Array.from({ length: count }, (_, name) => ({ name, bytes }));
}

const namesOf = (batch: Batch | undefined) => batch?.items.map(({ name }) => name);

describe("createGatherer", () => {
  test("sends what one task added as one batch", async () => {
    const { flush, batches } = held();
    const gatherer = createGatherer({ flush, maxItems: 64, maxInFlight: 4 });
    const answers = items(3).map((item) => gatherer.add(item));
    expect(batches).toHaveLength(0);
    await settled();
    expect(batches.map(namesOf)).toEqual([[0, 1, 2]]);
    batches[0]?.answer();
    expect(await Promise.all(answers)).toEqual(["answer 0", "answer 1", "answer 2"]);
  });

  test("gathers what arrives while all batches are in flight, and sends it together", async () => {
    const { flush, batches } = held();
    const gatherer = createGatherer({ flush, maxItems: 64, maxInFlight: 1 });
    const [first, ...others] = items(4);
    const answers = [gatherer.add(first ?? { name: 0, bytes: 1 })];
    await settled();
    for (const item of others) {
      answers.push(gatherer.add(item));
      await settled();
    }
    expect(batches.map(namesOf)).toEqual([[0]]);
    batches[0]?.answer();
    await settled();
    expect(batches.map(namesOf)).toEqual([[1, 2, 3]]);
    batches[0]?.answer();
    await Promise.all(answers);
  });

  test("sends an item above the byte limit, alone", async () => {
    const { flush, batches } = held();
    const gatherer = createGatherer({
      flush,
      maxItems: 64,
      maxBytes: 10,
      bytesOf: ({ bytes }) => bytes,
      maxInFlight: 4,
    });
    const answers = [1, 11, 1].map((bytes, name) => gatherer.add({ name, bytes }));
    await settled();
    expect(batches.map(namesOf)).toEqual([[0], [1], [2]]);
    while (batches.length > 0) batches[0]?.answer();
    await Promise.all(answers);
  });

  test("rejects what would wait beyond the limit of bytes, and takes it when there is room", async () => {
    const { flush, batches } = held();
    const bytesOf = (item: { name: number; bytes: number }) => item.bytes;
    const gatherer = createGatherer({ flush, maxItems: 1, maxInFlight: 1, maxWaitingBytes: 10, bytesOf });
    const answers = [gatherer.add({ name: 0, bytes: 9 })];
    await settled();
    answers.push(gatherer.add({ name: 1, bytes: 9 }));
    await expect(gatherer.add({ name: 2, bytes: 2 })).rejects.toThrow(RangeError);
    batches[0]?.answer();
    await settled();
    answers.push(gatherer.add({ name: 3, bytes: 2 }));
    while (batches.length > 0) {
      batches[0]?.answer();
      await settled();
    }
    await Promise.all(answers);
  });

  test("rejects at once, with the error of its options, what would wait beyond the limit", async () => {
    const { flush, batches } = held();
    const gatherer = createGatherer({
      flush,
      maxItems: 1,
      maxInFlight: 1,
      maxWaiting: 2,
      overflow: () => new Error("too many"),
    });
    const inFlight = gatherer.add({ name: 0, bytes: 1 });
    await settled();
    const waiting = items(2).map((item) => gatherer.add(item));
    await expect(gatherer.add({ name: 9, bytes: 1 })).rejects.toThrow("too many");
    expect(gatherer.size()).toBe(3);
    while (batches.length > 0) {
      batches[0]?.answer();
      await settled();
    }
    await Promise.all([inFlight, ...waiting]);
  });

  test("rejects only the batch whose flush failed", async () => {
    const { flush, batches } = held();
    const gatherer = createGatherer({ flush, maxItems: 2, maxInFlight: 2 });
    const answers = items(4).map((item) => gatherer.add(item));
    await settled();
    const [first, second] = batches;
    first?.fail(new Error("Redis went away"));
    second?.answer();
    const outcomes = await Promise.allSettled(answers);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled", "fulfilled"]);
  });

  test("rejects a batch whose flush threw before it made a promise", async () => {
    const gatherer = createGatherer<Item, string>({
      flush: () => {
        throw new Error("at once");
      },
      maxItems: 2,
      maxInFlight: 1,
    });
    await expect(gatherer.add({ name: 0, bytes: 1 })).rejects.toThrow("at once");
    await gatherer.idle();
  });

  test("rejects a batch whose flush did not answer every item", async () => {
    const gatherer = createGatherer<Item, string>({ flush: () => Promise.resolve([]), maxItems: 2, maxInFlight: 1 });
    await expect(gatherer.add({ name: 0, bytes: 1 })).rejects.toThrow("every item");
  });

  test("is idle at once when nothing was added, and after the last answer otherwise", async () => {
    const { flush, batches } = held();
    const gatherer = createGatherer({ flush, maxItems: 1, maxInFlight: 1 });
    await gatherer.idle();
    const answers = items(2).map((item) => gatherer.add(item));
    let isIdle = false;
    const idle = (async () => {
      await gatherer.idle();
      isIdle = true;
    })();
    await settled();
    batches[0]?.answer();
    await settled();
    expect(isIdle).toBe(false);
    batches[0]?.answer();
    await idle;
    expect(gatherer.size()).toBe(0);
    await Promise.all(answers);
  });

  test("answers every item once with its own result, within its limits, whatever the order of arrivals and ends", async () => {
    await fc.assert(fc.asyncProperty(limits, fc.array(step, { maxLength: 60 }), keepsItsPromises));
  });
});

const limits = fc.record({
  maxItems: fc.integer({ min: 1, max: 5 }),
  maxBytes: fc.integer({ min: 1, max: 20 }),
  maxInFlight: fc.integer({ min: 1, max: 3 }),
  maxWaiting: fc.integer({ min: 1, max: 10 }),
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant("add" as const), bytes: fc.integer({ min: 0, max: 25 }) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constantFrom("answer" as const, "fail" as const), which: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("settle" as const) }) },
);

type Limits = typeof limits extends fc.Arbitrary<infer Value> ? Value : never;
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function keepsItsPromises(given: Limits, steps: readonly Step[]): Promise<void> {
  const { flush, batches } = held();
  const flushed: number[] = [];
  const failed = new Set<number>();
  const gatherer = createGatherer({
    ...given,
    bytesOf: (item: Item) => item.bytes,
    overflow: () => new Error("overflow"),
    flush(batch: readonly Item[]) {
      expect(batch.length).toBeLessThanOrEqual(given.maxItems);
      expect(batch.length === 1 || batch.reduce((sum, { bytes }) => sum + bytes, 0) <= given.maxBytes).toBe(true);
      expect(batches.length).toBeLessThan(given.maxInFlight);
      flushed.push(...batch.map(({ name }) => name));
      return flush(batch);
    },
  });
  const told: Promise<string>[] = [];
  const end = (which: number, does: "answer" | "fail") => {
    const batch = batches[which % batches.length];
    if (does === "answer") return batch?.answer();
    for (const name of namesOf(batch) ?? []) failed.add(name);
    batch?.fail(new Error("failed"));
  };
  for (const taken of steps) {
    if (taken.does === "settle") await settled();
    else if (taken.does === "add") told.push(gatherer.add({ name: told.length, bytes: taken.bytes }).catch(String));
    else end(taken.which, taken.does);
  }
  await settled();
  while (batches.length > 0) {
    end(0, "answer");
    await settled();
  }
  await gatherer.idle();
  expect(flushed).toEqual([...new Set(flushed)].toSorted((a, b) => a - b));
  const expected = told.map((_, name) => {
    if (!flushed.includes(name)) return "Error: overflow";
    return failed.has(name) ? "Error: failed" : `answer ${name}`;
  });
  expect(await Promise.all(told)).toEqual(expected);
}

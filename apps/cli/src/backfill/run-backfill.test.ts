import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Counts, NO_COUNTS } from "./counts.ts";
import { type BackfillDeps, runBackfill } from "./run-backfill.ts";
import { type BackfillState, freshState } from "./state.ts";

const SINCE = Date.UTC(2026, 10, 20);
const RANGE = { since: SINCE, until: SINCE + 3_600_000 };

class Killed extends Error {
  override readonly name = "Killed";
}

/** A small world: a vendor with pages of ids, an archive, Redis, and what is erased. It dies at the n-th step. */
function aWorld(given: {
  pages: readonly (readonly string[])[];
  known?: readonly string[];
  underWay?: readonly string[];
  erased?: readonly string[];
}) {
  const underWay = new Set(given.underWay);
  const submitted: string[] = [];
  let saved: BackfillState = freshState(RANGE);
  let stepsLeft = Infinity;
  const step = () => {
    if (--stepsLeft < 0) throw new Killed();
  };
  const held =
    (all: Iterable<string> = []) =>
    (ids: readonly string[]) => {
      step();
      return Promise.resolve(new Set([...all].filter((id) => ids.includes(id))));
    };
  const deps: BackfillDeps = {
    dryRun: false,
    pages: {
      async read({ paginationKey = "0" }) {
        step();
        const page = Number(paginationKey);
        const events = (given.pages[page] ?? []).map((id) => ({ event_id: id, timestamp: SINCE + page }));
        const next = { from: RANGE.since, to: RANGE.until, paginationKey: String(page + 1) };
        return { events, ...(page + 1 < given.pages.length ? { next } : {}) };
      },
    },
    knownEvents: held(given.known),
    eventsUnderWay: held(underWay),
    keptSince: () => SINCE - 1,
    isErased: (events) => held(given.erased)(events.map(({ event_id: id }) => id)),
    async submit({ event_id: id }) {
      step();
      if (underWay.has(id)) return false;
      underWay.add(id);
      submitted.push(id);
      return true;
    },
    waitForRoom: async () => step(),
    patiently: (act) => act(),
    markOf: (name) => `mark of ${name}`,
    async save(state) {
      step();
      saved = structuredClone(state);
    },
    onPage: () => undefined,
  };
  return {
    deps,
    submitted,
    underWay,
    /** Runs from what was saved, and dies before so many steps more. */
    run: (steps = Infinity) => {
      stepsLeft = steps;
      return runBackfill(deps, saved);
    },
  };
}

function sumOf({ known, pending, erased, expired, submitted, duplicates, missing, unreadable }: Counts): number {
  const all = [known, pending, erased, expired, submitted, duplicates, missing, ...Object.values(unreadable)];
  return all.reduce((sum, count) => sum + count, 0);
}

describe("runBackfill", () => {
  test("submits what neither the archive nor Redis knows and nobody erased", async () => {
    const pages = [
      ["a", "b", "c"],
      ["d", "e"],
    ];
    const { run, submitted } = aWorld({ pages, known: ["a"], underWay: ["b"], erased: ["d"] });
    expect(await run()).toEqual({ ...NO_COUNTS, seen: 5, known: 1, pending: 1, erased: 1, submitted: 2 });
    expect(submitted).toEqual(["c", "e"]);
  });

  test("counts once what is given again, on the same page and on later ones", async () => {
    const { run, submitted } = aWorld({ pages: [["a", "a", "b"], ["b", "c"], [], ["a"]] });
    expect(await run()).toEqual({ ...NO_COUNTS, seen: 3, submitted: 3 });
    expect(submitted).toEqual(["a", "b", "c"]);
  });

  test("counts what cannot be read by the reason, and submits the rest", async () => {
    const { run, submitted } = aWorld({ pages: [["a", "not an id", "also none"]] });
    expect(await run()).toEqual({ ...NO_COUNTS, seen: 3, submitted: 1, unreadable: { invalid_event_id: 2 } });
    expect(submitted).toEqual(["a"]);
  });

  test("leaves out what was made outside of the range", async () => {
    const { deps } = aWorld({ pages: [[]] });
    const events = [-1, 0, 3_599_999, 3_600_000].map((ms) => ({ event_id: `e.${ms}`, timestamp: SINCE + ms }));
    const counts = await runBackfill({ ...deps, pages: { read: async () => ({ events }) } }, freshState(RANGE));
    expect(counts).toEqual({ ...NO_COUNTS, seen: 2, submitted: 2 });
  });

  test("takes nothing for lost that the archive may have dropped, and counts it", async () => {
    const pages = [["a", "b"], ["c", "d"], ["e"]];
    const { deps, submitted } = aWorld({ pages, known: ["a"], underWay: ["c"] });
    // Events of a page are a ms younger than those of the page before. Time goes on while it runs.
    let keptSince = SINCE;
    const aging: BackfillDeps = { ...deps, keptSince: () => (keptSince += 1) };
    const counts = await runBackfill(aging, freshState(RANGE));
    expect(counts).toEqual({ ...NO_COUNTS, seen: 5, known: 1, pending: 1, expired: 3 });
    expect(submitted).toEqual([]);
    expect(await runBackfill({ ...deps, keptSince: () => SINCE + 1 }, freshState(RANGE))).toMatchObject({
      expired: 1,
      submitted: 2,
    });
    expect(submitted).toEqual(["d", "e"]);
  });

  test("submits nothing in a dry run", async () => {
    const { deps, submitted } = aWorld({ pages: [["a", "b"], ["c"]], known: ["b"] });
    const counts = await runBackfill({ ...deps, dryRun: true }, freshState(RANGE));
    expect(counts).toEqual({ ...NO_COUNTS, seen: 3, known: 1, missing: 2 });
    expect(submitted).toEqual([]);
  });

  test("keeps no name of any event, also of one that was erased meanwhile", async () => {
    const { deps } = aWorld({ pages: [["event.a", "event.b"], ["event.c"]], erased: ["event.b"] });
    const saved: string[] = [];
    const save = async (state: BackfillState) => void saved.push(JSON.stringify(state));
    await runBackfill({ ...deps, markOf: (name) => String(name.charCodeAt(6)), save }, freshState(RANGE));
    expect(saved.at(-1)).toContain(`"edge":["97","98","99"]`);
    expect(saved.filter((one) => one.includes("event."))).toEqual([]);
  });

  test("counts apart what somebody else submitted between the look and the submission", async () => {
    const world = aWorld({ pages: [["a", "b"]] });
    const { deps } = world;
    const racing = { ...deps, waitForRoom: async () => void world.underWay.add("b") };
    expect(await runBackfill(racing, freshState(RANGE))).toEqual({
      ...NO_COUNTS,
      seen: 2,
      submitted: 1,
      duplicates: 1,
    });
  });

  test("counts as submitted what it submitted itself, though it was not told so", async () => {
    const { deps, run } = aWorld({ pages: [["a", "b"]] });
    let submissions = 0;
    const begun: BackfillState[] = [];
    const unheard: BackfillDeps = {
      ...deps,
      save: async (state) => void begun.push(state),
      // The first is accepted, and the answer is lost; what Redis holds is seen a moment later.
      submit: async (event, payload) => {
        const isNew = await deps.submit(event, payload);
        if (++submissions === 1) throw new Killed();
        return isNew;
      },
      eventsUnderWay: () => Promise.resolve(new Set()),
    };
    await expect(runBackfill(unheard, freshState(RANGE))).rejects.toThrow(Killed);
    const [resumed = freshState(RANGE)] = begun;
    expect(await runBackfill(unheard, resumed)).toEqual({ ...NO_COUNTS, seen: 2, submitted: 2 });
    expect(await run()).toEqual({ ...NO_COUNTS, seen: 2, pending: 2 });
  });

  test("ends in the same set and the same counts, wherever and however often it is killed", async () => {
    const ids = fc.constantFrom(...Array.from({ length: 20 }, (_, n) => `e.${n}`));
    const worlds = fc.record({
      pages: fc.array(fc.array(ids, { maxLength: 6 }), { minLength: 1, maxLength: 5 }),
      known: fc.uniqueArray(ids, { maxLength: 5 }),
      underWay: fc.uniqueArray(ids, { maxLength: 5 }),
      erased: fc.uniqueArray(ids, { maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(worlds, fc.array(fc.nat(12), { maxLength: 12 }), async (given, deaths) => {
        const [calm, killed] = [aWorld(given), aWorld(given)];
        const expected = await calm.run();
        for (const steps of deaths) await killed.run(steps).catch(onlyKilled);
        const counts = await killed.run();
        expect(counts).toEqual(expected);
        expect(sumOf(counts)).toBe(counts.seen);
        expect(killed.submitted.toSorted()).toEqual(calm.submitted.toSorted());
        expect(new Set(killed.submitted).size).toBe(killed.submitted.length);
      }),
      { numRuns: 120 },
    );
  });
});

function onlyKilled(error: unknown): void {
  if (!(error instanceof Killed)) throw error;
}

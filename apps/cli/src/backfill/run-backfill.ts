import type { Event } from "@assay/protocol";
import { type Counts, countFate, countUnreadable, type Fate } from "./counts.ts";
import { type PageEvent, readPageEvents } from "./page-events.ts";
import type { BackfillState } from "./state.ts";
import type { Page, Place } from "./vendor-pages.ts";

/** What a backfill needs of the world. */
export interface BackfillDeps {
  readonly pages: { read(place: Place): Promise<Page> };
  /** Which of these event ids the archive has a verdict on. */
  knownEvents(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Which of them Redis knows of. */
  eventsUnderWay(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Ids of those that were erased and must not come back. */
  isErased(events: readonly Event[]): Promise<ReadonlySet<string>>;
  /** Unix ms: the archive may have dropped what it knew of events that were made before. */
  keptSince(): number;
  /** Hands one in. Returns whether it is new. */
  submit(event: Event, payload: Uint8Array): Promise<boolean>;
  /** Waits until more may be handed in. */
  waitForRoom(): Promise<void>;
  /** Repeats `act` while what it throws may pass. */
  patiently<Answer>(act: () => Promise<Answer>): Promise<Answer>;
  /** What the name of an event is kept by: who was erased meanwhile must not be named by how far it is. */
  markOf(name: string): string;
  /** Keeps how far it is. */
  save(state: BackfillState): Promise<void>;
  /** Told after every page. */
  onPage(state: BackfillState): void;
  /** Whether nothing is handed in. */
  readonly dryRun: boolean;
}

type Marked = PageEvent & { readonly mark: string };
type Readable = Extract<Marked, { readonly ok: true }>;

/** So many events are remembered: one that comes again within them is counted once. */
const REMEMBERED = 500_000;
/** Two pages. */
const EDGE = 200;

/**
 * Walks from a state to the end of its range and returns the counts of all of it. What was saved and is walked again from
 * there submits nothing twice and counts nothing twice.
 */
export async function runBackfill(deps: BackfillDeps, begun: BackfillState): Promise<Counts> {
  const seen = new Set(begun.edge);
  let state = begun;

  async function deal(events: readonly Marked[], next: Place | undefined): Promise<BackfillState> {
    let { counts } = state;
    for (const one of events) if (!one.ok) counts = countUnreadable(counts, one.reason);
    const readable = events.filter((one) => one.ok);
    const inFlight = new Set(state.inFlight);
    const { missing, fates } = await sort(deps, readable, inFlight);
    for (const fate of fates) counts = countFate(counts, fate);
    if (deps.dryRun) for (const _ of missing) counts = countFate(counts, "missing");
    else if (missing.length > 0) {
      await deps.waitForRoom();
      // First the intention: who is killed from here on counts as submitted what is a duplicate then.
      state = { ...state, inFlight: [...new Set([...inFlight, ...missing.map(({ mark }) => mark)])] };
      await deps.save(state);
      for (const { mark, isNew } of await submitAll(deps, missing))
        counts = countFate(counts, isNew || inFlight.has(mark) ? "submitted" : "duplicates");
    }
    const { place: _, ...rest } = state;
    const edge = [...state.edge, ...events.map(({ mark }) => mark)].slice(-EDGE);
    return { ...rest, counts, edge, inFlight: [], ...(next === undefined ? {} : { place: next }) };
  }

  while (state.place !== undefined) {
    const { place } = state;
    const { events, next } = await deps.patiently(() => deps.pages.read(place));
    const read = readPageEvents(events, state).map((one) => ({ ...one, mark: deps.markOf(one.name) }));
    const fresh = withoutSeen(read, seen);
    state = await deps.patiently(() => deal(fresh, next));
    await deps.patiently(() => deps.save(state));
    for (const { mark } of fresh) remember(seen, mark);
    deps.onPage(state);
  }
  return state.counts;
}

/** What is missing, and the fates of the rest. What was in flight and is there by now was submitted. */
async function sort(
  deps: BackfillDeps,
  readable: readonly Readable[],
  inFlight: ReadonlySet<string>,
): Promise<{ missing: Readable[]; fates: Fate[] }> {
  const ids = readable.map(({ name }) => name);
  const [known, underWay, erased] = await Promise.all([
    deps.knownEvents(ids),
    deps.eventsUnderWay(ids),
    deps.isErased(readable.map(({ event }) => event)),
  ]);
  // Looked at last: what is dropped meanwhile was beyond its time before.
  const keptSince = deps.keptSince();
  const missing: Readable[] = [];
  const fates: Fate[] = [];
  for (const one of readable) {
    const { name, mark, event } = one;
    if (inFlight.has(mark) && (known.has(name) || underWay.has(name))) fates.push("submitted");
    else if (known.has(name)) fates.push("known");
    else if (underWay.has(name)) fates.push("pending");
    else if (erased.has(name)) fates.push("erased");
    else if (event.timestamp < keptSince) fates.push("expired");
    else missing.push(one);
  }
  return { missing, fates };
}

/** All are handed in, or it throws when none is on its way any more. */
async function submitAll(deps: BackfillDeps, missing: readonly Readable[]) {
  const settled = await Promise.allSettled(
    missing.map(async ({ mark, event, payload }) => ({ mark, isNew: await deps.submit(event, payload) })),
  );
  return settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
}

function withoutSeen(events: readonly Marked[], seen: ReadonlySet<string>): Marked[] {
  const fresh = new Map(events.filter(({ mark }) => !seen.has(mark)).map((one) => [one.mark, one]));
  return [...fresh.values()];
}

function remember(seen: Set<string>, mark: string): void {
  seen.add(mark);
  const [oldest] = seen;
  if (seen.size > REMEMBERED && oldest !== undefined) seen.delete(oldest);
}

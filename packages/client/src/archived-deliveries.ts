import { setTimeout as pause } from "node:timers/promises";
import {
  fillGap,
  type GapNotice,
  type GapPart,
  type GroupPlace,
  type GroupReadUpToGap,
  idBefore,
  idBehind,
  readArchived,
  type StreamEntry,
  type VerdictArchive,
} from "@assay/ledger";

/** An entry that no group keeps, because the stream has not got it any more: so it is kept here until it is dealt with. */
interface KeptEntry {
  readonly entry: StreamEntry;
  /** How often it was handed out, this time included. */
  readonly deliveries: number;
}

/** What one consumer of a group was given by an archive in the place of the stream. */
export interface ArchivedDeliveries {
  /** Begins to fill a gap. Until all of it is dealt with, the group stands before it. */
  begin(gap: Extract<GroupReadUpToGap, { gap: object }>): void;
  /** Takes single entries that are gone, as far as the archive has them. Resolves with those that it has told of as lost. */
  recover(gone: readonly string[], gap: GapNotice): Promise<readonly string[]>;
  /** Keeps an entry that is gone and that failed here. */
  keep(kept: KeptEntry): void;
  /** At most `count` that are due. */
  take(count: number): Promise<readonly KeptEntry[]>;
  /** Whether the group still stands before a gap. */
  isFilling(): boolean;
  /** Whether it does, or there is anything that nobody else may be given meanwhile. */
  isBusy(): boolean;
  has(entryId: string): boolean;
  done(entryId: string): void;
  /** It is due again after a pause. */
  giveBack(entryId: string): void;
  /** Resolves when something was dealt with, or after `ms`. */
  changed(ms: number): Promise<void>;
}

export interface ArchivedDeliveriesOptions {
  readonly archive: VerdictArchive;
  readonly tenant: string;
  readonly onTrimmed: (notice: GapNotice) => void;
  /** Keeps the lease under which a gap is filled. Resolves with whether there still is one. Throws what Redis throws. */
  readonly hold: () => Promise<boolean>;
  /** Moves the group on. Throws what Redis throws. */
  readonly move: (place: GroupPlace) => Promise<void>;
  /** How long an entry rests that was handed out so often, in ms. */
  readonly pauseMs: (deliveries: number) => number;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

interface Held {
  readonly entry: StreamEntry;
  deliveries: number;
  /** Infinity while it is in somebody's hands. */
  dueAt: number;
}

/** A Postgres that is briefly away costs nothing; one that stays away holds nobody up for longer. */
const TRIES = 3;
const RETRY_MS = 1000;

export function createArchivedDeliveries(options: ArchivedDeliveriesOptions): ArchivedDeliveries {
  const { archive, tenant, now } = options;
  const patient: VerdictArchive = { published: (range) => withTries(() => archive.published(range)) };
  const held = new Map<string, Held>();
  // Those of the gap that were handed out, or are about to be.
  const page = new Set<string>();
  let filling: { readonly parts: AsyncGenerator<GapPart, void>; readonly behind: GroupPlace } | undefined;
  let reached: GroupPlace | undefined;
  let tell = () => {};

  function isFilling(): boolean {
    return filling !== undefined;
  }

  function end(): void {
    filling = undefined;
    reached = undefined;
    page.clear();
  }

  function hold(entries: readonly StreamEntry[]): void {
    for (const entry of entries) held.set(entry.entryId, { entry, deliveries: 0, dueAt: now() });
  }

  /** The next part of the gap. What was dealt with before is behind the group. */
  async function turn(): Promise<void> {
    if (filling === undefined) return;
    // Who stood still for too long has been replaced, and moves nobody back.
    if (!(await options.hold())) return end();
    if (reached !== undefined) await options.move(reached);
    const { value: part } = await filling.parts.next();
    if (part === undefined) {
      await options.move(filling.behind);
      end();
    } else if (part.notice !== undefined) options.onTrimmed(part.notice);
    else {
      hold(part.entries);
      for (const { entryId } of part.entries) page.add(entryId);
      const id = part.entries.at(-1)?.entryId ?? "";
      const read = reached?.read === undefined ? undefined : reached.read + part.entries.length;
      reached = { id, ...(read === undefined ? {} : { read }) };
    }
  }

  return {
    begin({ gap, place, behind }) {
      filling = { parts: fillGap(patient, tenant, gap), behind };
      reached = place;
    },
    async recover(gone, gap) {
      try {
        const ranges = gone.map((id) => ({ tenant, after: idBefore(id), before: idBehind(id), limit: 1 }));
        const found = (await Promise.all(ranges.map((range) => readArchived(patient, range)))).flat();
        hold(found);
        const lost = gone.filter((id) => !held.has(id));
        if (lost.length > 0) options.onTrimmed({ ...gap, lost: lost.length, archive: "missing" });
        return lost;
      } catch {
        options.onTrimmed({ ...gap, archive: "away" });
        return gone;
      }
    },
    keep({ entry, deliveries }) {
      held.set(entry.entryId, { entry, deliveries, dueAt: now() + options.pauseMs(deliveries) });
    },
    async take(count) {
      while (isFilling() && page.size === 0) await turn();
      const due = [...held.values()].filter(({ dueAt }) => dueAt <= now()).slice(0, count);
      return due.map((one) => {
        one.dueAt = Number.POSITIVE_INFINITY;
        return { entry: one.entry, deliveries: ++one.deliveries };
      });
    },
    isFilling,
    isBusy: () => isFilling() || held.size > 0,
    has: (entryId) => held.has(entryId),
    done(entryId) {
      held.delete(entryId);
      page.delete(entryId);
      tell();
    },
    giveBack(entryId) {
      const one = held.get(entryId);
      if (one !== undefined) one.dueAt = now() + options.pauseMs(one.deliveries);
    },
    async changed(ms) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        tell = resolve;
        timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
    },
  };
}

async function withTries<Result>(act: () => Promise<Result>): Promise<Result> {
  for (let left = TRIES; ; left--) {
    try {
      return await act();
    } catch (error) {
      if (left <= 1) throw error;
      await pause(RETRY_MS);
    }
  }
}

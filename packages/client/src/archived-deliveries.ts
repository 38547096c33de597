import { setTimeout as pause } from "node:timers/promises";
import {
  fillGap,
  type GapNotice,
  type GapPart,
  gapOfEntries,
  idBefore,
  idBehind,
  type NotedGap,
  readArchived,
  type StreamEntry,
  type VerdictArchive,
} from "@assay/ledger";
import type { GroupCommands } from "./group-commands.ts";

/** An entry of the archive, handed out in the place of one of the stream. */
interface ArchivedDelivery {
  readonly entry: StreamEntry;
  /** How often it was handed out, this time included. */
  readonly deliveries: number;
}

/**
 * What one consumer of a group is given by an archive in the place of the stream, while it has the right to: the gaps of
 * the group, and what left the stream in somebody's hands. Redis knows what is the group's, and how often each was
 * delivered, so that whoever dies leaves the rest to another.
 */
export interface ArchivedDeliveries {
  /** Begins to fill a gap. */
  begin(noted: NotedGap): void;
  /** Takes what has left the stream and is the group's. Throws what Redis throws. */
  takeUp(): Promise<void>;
  /** Remembers an entry that left the stream, so that it need not be read. */
  remember(entry: StreamEntry): void;
  /** At most `count` that are due. Throws what Redis throws. */
  take(count: number): Promise<readonly ArchivedDelivery[]>;
  /** Whether a gap is being filled. */
  isFilling(): boolean;
  /** Whether one is, or there is anything that nobody else may be given meanwhile. */
  isBusy(): boolean;
  /** How many entries it has that have not been dealt with. */
  size(): number;
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
  readonly commands: Pick<
    GroupCommands,
    "shortenGap" | "closeGap" | "readGone" | "deliverGone" | "forgetGone" | "isArchiveBehind"
  >;
  /** Keeps the right to all this. Resolves with whether there still is one. Throws what Redis throws. */
  readonly hold: () => Promise<boolean>;
  /** How long an entry rests that was handed out so often, in ms. */
  readonly pauseMs: (deliveries: number) => number;
  /** Monotonic, in ms. */
  readonly now: () => number;
}

interface Held {
  readonly entryId: string;
  /** Absent while it has not been read. */
  entry: StreamEntry | undefined;
  deliveries: number;
  /** Infinity while it is in somebody's hands. */
  dueAt: number;
}

interface Filling {
  noted: NotedGap;
  readonly parts: AsyncGenerator<GapPart, void>;
  /** What was read and is not the group's own yet. */
  part?: GapPart | "end";
}

/** A Postgres that is briefly away costs nothing; one that stays away holds nobody up for longer. */
const TRIES = 3;
const RETRY_MS = 1000;
/** So many may fail before the rest of a gap waits for them. */
const MOST_HELD = 1000;
const MOST_REMEMBERED = 100;

export function createArchivedDeliveries(options: ArchivedDeliveriesOptions): ArchivedDeliveries {
  const { archive, tenant, commands, onTrimmed, now } = options;
  const patient: VerdictArchive = { published: (range) => withTries(() => archive.published(range)) };
  const held = new Map<string, Held>();
  const remembered = new Map<string, StreamEntry>();
  let filling: Filling | undefined;
  let tell = () => {};

  const dueOnes = (count: number) => [...held.values()].filter(({ dueAt }) => dueAt <= now()).slice(0, count);

  function hold(entryId: string, entry: StreamEntry | undefined): void {
    held.set(entryId, { entryId, entry, deliveries: 0, dueAt: now() });
  }

  // What is in somebody's hands ends there.
  function leaveToOthers(): void {
    filling = undefined;
    for (const { entryId, dueAt } of held.values()) if (dueAt !== Number.POSITIVE_INFINITY) held.delete(entryId);
  }

  // An archive that is a little behind is waited for: what it gets too late is passed over.
  async function isBehind(entryId: string): Promise<boolean> {
    for (let left = TRIES; await commands.isArchiveBehind(entryId); left--) {
      if (left <= 1) return true;
      await pause(RETRY_MS);
    }
    return false;
  }

  /** The next part of the gap: from now on its entries are the group's, wherever the gap goes on. */
  async function turn(from: Filling): Promise<void> {
    const part = (from.part ??= (await from.parts.next()).value ?? "end");
    // Who stood still for too long has been replaced.
    if (!(await options.hold())) return leaveToOthers();
    if (part === "end") {
      await commands.closeGap(from.noted);
      filling = undefined;
    } else if (part.notice === undefined) {
      const ids = part.entries.map(({ entryId }) => entryId);
      const rest = await commands.shortenGap(from.noted, ids);
      if (rest === undefined) return leaveToOthers();
      from.noted = rest;
      for (const entry of part.entries) hold(entry.entryId, entry);
    }
    delete from.part;
    if (part !== "end" && part.notice !== undefined) onTrimmed(part.notice);
  }

  /** Reads those that only their ids are known of, and forgets those that cannot be read. */
  async function readBare(chosen: readonly Held[]): Promise<void> {
    const bare = chosen.filter(({ entry }) => entry === undefined);
    if (bare.length === 0) return;
    const { found, why } = await readEach(bare.map(({ entryId }) => entryId));
    for (const entry of found) {
      const one = held.get(entry.entryId);
      if (one !== undefined) one.entry = entry;
    }
    const lost = bare.filter(({ entry }) => entry === undefined).map(({ entryId }) => entryId);
    if (lost.length === 0) return;
    if (!(await options.hold())) return leaveToOthers();
    onTrimmed({ ...gapOfEntries(lost), archive: why });
    await commands.forgetGone(lost);
    for (const entryId of lost) held.delete(entryId);
  }

  async function readEach(ids: readonly string[]): Promise<{ found: StreamEntry[]; why: "missing" | "away" }> {
    const ranges = ids.map((id) => ({ tenant, after: idBefore(id), before: idBehind(id), limit: 1 }));
    try {
      return { found: (await Promise.all(ranges.map((range) => readArchived(patient, range)))).flat(), why: "missing" };
    } catch {
      return { found: [], why: "away" };
    }
  }

  return {
    begin(noted) {
      filling = { noted, parts: fillGap(patient, tenant, noted.gap, { isBehind }) };
    },
    async takeUp() {
      for (const { entryId } of await commands.readGone(MOST_HELD)) {
        if (!held.has(entryId)) hold(entryId, remembered.get(entryId));
        remembered.delete(entryId);
      }
    },
    remember(entry) {
      remembered.set(entry.entryId, entry);
      for (const [oldest] of remembered) if (remembered.size > MOST_REMEMBERED) remembered.delete(oldest);
    },
    async take(count) {
      if (filling === undefined && dueOnes(1).length === 0) return [];
      while (filling !== undefined && held.size < MOST_HELD && dueOnes(1).length === 0) await turn(filling);
      const chosen = dueOnes(count);
      await readBare(chosen);
      if (!(await options.hold())) {
        leaveToOthers();
        return [];
      }
      const ready = chosen.filter(({ entryId }) => held.has(entryId));
      const delivered = await commands.deliverGone(ready.map(({ entryId }) => entryId));
      return ready.flatMap((one) => {
        const deliveries = delivered.get(one.entryId);
        // Somebody else has dealt with it.
        if (deliveries === undefined) held.delete(one.entryId);
        if (deliveries === undefined || one.entry === undefined) return [];
        one.deliveries = deliveries;
        one.dueAt = Number.POSITIVE_INFINITY;
        return [{ entry: one.entry, deliveries }];
      });
    },
    isFilling: () => filling !== undefined,
    isBusy: () => filling !== undefined || held.size > 0,
    size: () => held.size,
    has: (entryId) => held.has(entryId),
    done(entryId) {
      held.delete(entryId);
      remembered.delete(entryId);
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

import { gapOfEntries, type PendingEntry, type StreamEntry, type VerdictArchive } from "@assay/ledger";
import { readEnvelope, type Verdict } from "@assay/protocol";
import { type ArchivedDeliveries, createArchivedDeliveries } from "./archived-deliveries.ts";
import type { DeadReason, GroupCommands } from "./group-commands.ts";
import type { Trimmed } from "./trimmed.ts";

/** One verdict, handed to one consumer of a group. */
export interface Delivery {
  readonly entry: StreamEntry;
  readonly verdict: Verdict;
  /** How often it has been delivered, this time included. */
  readonly deliveries: number;
}

/** A place in a consumer group. What it was handed stays its own until it is acknowledged, fails, or this one dies. */
export interface VerdictGroup {
  /**
   * At most `count` deliveries: those that are due again, else new ones. Where there are none it waits for one, up to a
   * second, and gives nothing.
   * Throws what Redis throws; then it may be called again.
   */
  read(count: number): Promise<Delivery[]>;
  acknowledge(delivery: Delivery): Promise<void>;
  /** It failed: it is delivered again after a pause, and laid aside after ten deliveries. */
  giveBack(delivery: Delivery): void;
  /** Finishes a read under way and lets others have at once what is not acknowledged. Safe to call twice. */
  stop(): Promise<void>;
}

export interface VerdictGroupOptions {
  readonly commands: GroupCommands;
  /** The group's name: verdicts that are delivered again are for one group alone. */
  readonly group: string;
  /** This consumer's name. */
  readonly consumer: string;
  /** Which verdicts are wanted; the others are acknowledged unseen. */
  readonly wants: (verdict: Verdict) => boolean;
  /** Where a new group begins. */
  readonly from: "now" | "beginning";
  /** What a consumer left alone for this long is taken over, in ms. */
  readonly takeoverAfterMs: number;
  /** Pause before the second delivery, in ms; it doubles with each, up to 60 s. */
  readonly retryAfterMs: number;
  /** Learns of what was trimmed before it could be delivered. */
  readonly onTrimmed: (trimmed: Trimmed) => void;
  /** Where that can be read, and whose it is. */
  readonly archive?: VerdictArchive;
  readonly tenant: string;
  /** Gives up a read that Redis does not answer: a closed connection that was reconnecting never settles it. */
  readonly cut: AbortSignal;
  /** Unix ms. */
  readonly now: () => number;
}

const MAX_DELIVERIES = 10;
const LONGEST_RETRY_MS = 60_000;
const LONGEST_BLOCK_MS = 1000;
/** Takeovers: longer than a consumer with an archive is silent that lives. */
const ARCHIVE_KNOWN_FOR = 4;
const PAGE = 100;

/** Joins a group, and makes it where it is new. */
export function joinVerdictGroup(options: VerdictGroupOptions): VerdictGroup {
  const { commands, takeoverAfterMs, retryAfterMs, onTrimmed, archive, tenant } = options;
  const restMs = (deliveries: number) => Math.min(retryAfterMs * 2 ** (deliveries - 1), LONGEST_RETRY_MS);
  const archived =
    archive === undefined
      ? undefined
      : createArchivedDeliveries({
          archive,
          tenant,
          onTrimmed,
          commands,
          hold: () => commands.holdGap(takeoverAfterMs),
          pauseMs: restMs,
          now: () => performance.now(),
        });
  const held = new Set<string>();
  const trimmed = new Set<string>();
  // Other consumers take over what this one does not keep alive, however long a handler runs.
  const keepingAlive = setInterval(() => void keepAlive().catch(() => undefined), takeoverAfterMs / 3);
  const blockMs = Math.ceil(Math.min(LONGEST_BLOCK_MS, retryAfterMs, takeoverAfterMs / 2));
  let start: "$" | "0" | undefined = options.from === "now" ? "$" : "0";
  let after = "-";
  let lookedAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<unknown> = Promise.resolve();
  let stopping: Promise<void> | undefined;
  const cutOff = new Promise<never>((_, reject) => {
    options.cut.addEventListener("abort", () => reject(new Error("The read was given up.")));
  });
  cutOff.catch(() => undefined);

  async function readNow(count: number): Promise<Delivery[]> {
    try {
      if (start !== undefined) await join(start);
      const due = await claimDue(count);
      if (due.length > 0) return due;
      const kept = await receiveArchived(count);
      if (kept.length > 0) return kept;
      return await receive((await readFresh(count)).map((entry) => ({ entry, deliveries: 1 })));
    } catch (error) {
      // The group is gone, and the stream with it: whatever stands there now is new to this group.
      if (error instanceof Error && error.message.startsWith("NOGROUP")) start = "0";
      throw error;
    }
  }

  async function join(from: "$" | "0"): Promise<void> {
    await commands.create(from);
    if (archived !== undefined) await commands.tellArchive(ARCHIVE_KNOWN_FOR * takeoverAfterMs);
    start = undefined;
  }

  async function receiveArchived(count: number): Promise<Delivery[]> {
    const kept = (await archived?.take(count)) ?? [];
    try {
      return await receive(kept);
    } catch (error) {
      // Nobody else would.
      for (const { entry } of kept) archived?.giveBack(entry.entryId);
      throw error;
    }
  }

  // What the group has not been given yet. While there is a gap, that is filled first, by one consumer.
  async function readFresh(count: number): Promise<readonly StreamEntry[]> {
    if (archived === undefined) return await readPastGap(count);
    if (!archived.isFilling()) {
      const { entries, noted, end } = await commands.readNewOrGap(count);
      if (end !== undefined) await commands.awaitNew(end, blockMs);
      if (noted === undefined) return entries;
      if (await commands.holdGap(takeoverAfterMs)) {
        archived.begin(noted);
        return [];
      }
    }
    await archived.changed(blockMs);
    return [];
  }

  // Who has no archive leaves a gap to those who have one, and goes on behind it.
  async function readPastGap(count: number): Promise<readonly StreamEntry[]> {
    const { entries, gap: before, end } = await commands.readNew(count, "stay");
    if (end !== undefined) await commands.awaitNew(end, blockMs);
    if (before === undefined) return entries;
    const past = await commands.readNew(count, (await commands.isArchiveKnown()) ? "note" : "skip");
    if (past.gap !== undefined) onTrimmed({ ...past.gap, ...(past.isNoted === true ? { archive: "waits" } : {}) });
    return past.entries;
  }

  // Looks at one page of what is pending, and goes on from there the next time.
  async function claimDue(count: number): Promise<Delivery[]> {
    if (performance.now() - lookedAt < blockMs) return [];
    lookedAt = performance.now();
    const minIdleMs = Math.min(retryAfterMs, takeoverAfterMs);
    const page = await commands.pending({ after, minIdleMs, count: PAGE });
    after = page.length < PAGE ? "-" : (page.at(-1)?.entryId ?? "-");
    const due = page.filter((pending) => !held.has(pending.entryId) && pending.idleMs >= pauseOf(pending));
    const wanted = due.map((pending) => ({ ...pending, minIdleMs: pauseOf(pending) }));
    const onGone = archived === undefined ? "stay" : "note";
    const { entries, gone } = await commands.claim(wanted, { most: count, onGone });
    if (archived !== undefined) await takeUp(archived);
    else if (gone.length > 0) await leaveGone(gone);
    const before = new Map(wanted.map(({ entryId, deliveries }) => [entryId, deliveries]));
    return receive(entries.map((entry) => ({ entry, deliveries: (before.get(entry.entryId) ?? 0) + 1 })));
  }

  // What is gone stays the group's until it is dealt with: whoever dies meanwhile leaves it to the next with the lease.
  async function takeUp(by: ArchivedDeliveries): Promise<void> {
    if ((await commands.countGone()) > by.size() && (await commands.holdGap(takeoverAfterMs))) await by.takeUp();
  }

  async function leaveGone(ids: readonly string[]): Promise<void> {
    const wanted = ids.map((entryId) => ({ entryId, minIdleMs: 0 }));
    const isKnown = await commands.isArchiveKnown();
    const noted = isKnown ? (await commands.claim(wanted, { most: 0, onGone: "note" })).gone : [];
    if (noted.length > 0) onTrimmed({ ...gapOfEntries(noted), archive: "waits" });
    const rest = wanted.filter(({ entryId }) => !noted.includes(entryId));
    const lost = (await commands.claim(rest, { most: 0, onGone: "acknowledge" })).gone;
    if (lost.length > 0) onTrimmed(gapOfEntries(lost));
  }

  async function keepAlive(): Promise<void> {
    const wanted = [...held];
    const kept = new Set(await commands.keep(wanted, 0));
    for (const entryId of wanted) if (!kept.has(entryId) && held.has(entryId)) trimmed.add(entryId);
    if (archived === undefined) return;
    await commands.tellArchive(ARCHIVE_KNOWN_FOR * takeoverAfterMs);
    if (archived.isBusy()) await commands.holdGap(takeoverAfterMs);
  }

  function pauseOf({ consumer, deliveries }: PendingEntry): number {
    if (consumer !== options.consumer) return takeoverAfterMs;
    return restMs(deliveries);
  }

  // Nothing is held before all is done: what an error cuts off is delivered again.
  async function receive(received: readonly { entry: StreamEntry; deliveries: number }[]): Promise<Delivery[]> {
    const wanted: Delivery[] = [];
    const unwanted: string[] = [];
    for (const { entry, deliveries } of received) {
      const verdict = readEntry(entry, options.group);
      if (verdict === "unreadable") await layAside(entry, deliveries, "", verdict);
      else if (verdict === undefined || !options.wants(verdict)) unwanted.push(entry.entryId);
      else if (deliveries > MAX_DELIVERIES) await layAside(entry, MAX_DELIVERIES, verdict.id, "deliveries_exhausted");
      else wanted.push({ entry, verdict, deliveries });
    }
    await acknowledge(unwanted);
    for (const { entry } of wanted) if (archived?.has(entry.entryId) !== true) held.add(entry.entryId);
    return wanted;
  }

  async function acknowledge(ids: readonly string[]): Promise<void> {
    // What left the stream in these hands may have been noted by another.
    const gone = ids.filter((entryId) => archived?.has(entryId) === true || trimmed.delete(entryId));
    // Where Redis does not learn of it, it is taken up once more.
    for (const entryId of gone) archived?.done(entryId);
    await Promise.all([commands.forgetGone(gone), commands.acknowledge(ids)]);
  }

  async function layAside(entry: StreamEntry, deliveries: number, id: string, reason: DeadReason): Promise<void> {
    await commands.layAside(entry, { id, reason, deliveries, at: options.now() });
    archived?.done(entry.entryId);
  }

  async function stop(): Promise<void> {
    clearInterval(keepingAlive);
    await reading.catch(() => undefined);
    // Redis is away: others take over in their own time.
    await commands.leave(takeoverAfterMs).catch(() => undefined);
    if (archived !== undefined) await commands.releaseGap().catch(() => undefined);
  }

  return {
    read(count) {
      const deliveries = Promise.race([readNow(count), cutOff]);
      reading = deliveries;
      return deliveries;
    },
    async acknowledge({ entry }) {
      held.delete(entry.entryId);
      await acknowledge([entry.entryId]);
    },
    giveBack({ entry }) {
      const { entryId } = entry;
      held.delete(entryId);
      const isTrimmed = trimmed.delete(entryId);
      if (archived?.has(entryId) === true) archived.giveBack(entryId);
      else if (isTrimmed) archived?.remember(entry);
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

// Undefined for a type of message that this version does not know, and for what is another group's.
function readEntry({ json }: StreamEntry, group: string): Verdict | "unreadable" | undefined {
  try {
    return readEnvelope(json ?? "", group)?.data;
  } catch {
    return "unreadable";
  }
}

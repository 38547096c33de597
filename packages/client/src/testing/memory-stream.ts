import { EventEmitter } from "node:events";
import { readVerdictJson } from "../verdict-json.ts";
import type { Delivery, VerdictGroup } from "../verdict-group.ts";
import type { Place, Tail } from "../verdict-sources.ts";
import { unknownPlace } from "../errors.ts";
import { wantedBy } from "../verdict-filter.ts";
import type { ConsumeOptions } from "../verdict-stream.ts";

/** Verdicts in the order in which they were made, and the groups that read them. */
export interface MemoryStream {
  append(verdictJson: string): void;
  /** Takes a place in a group, which begins with its first place. */
  takePlace(wanted: ConsumeOptions): Place;
  readonly tail: Tail;
}

/** How far a group has come, and what it is to be given again. */
interface Group {
  next: number;
  waiting: Waiting[];
}

interface Waiting {
  readonly index: number;
  readonly deliveries: number;
  /** When it is due, in ms of `performance.now()`. */
  readonly at: number;
}

const MAX_DELIVERIES = 10;
const RETRY_AFTER_MS = 1000;
const LONGEST_RETRY_MS = 60_000;
const LONGEST_READ_MS = 1000;
const RUNG = "rung";

/** A stream that nobody has written to. */
export function createMemoryStream(): MemoryStream {
  const entries: string[] = [];
  const groups = new Map<string, Group>();
  // Rings when there may be something to read, or nothing more to wait for.
  const bell = new EventEmitter().setMaxListeners(0);

  function join(group: Group, wanted: ConsumeOptions, ended: AbortSignal): VerdictGroup {
    const wants = wantedBy(wanted.filter ?? {});
    const held = new Map<string, Waiting>();
    const retryAfterMs = wanted.retryAfterMs ?? RETRY_AFTER_MS;

    function takeNow(count: number): Delivery[] {
      const taken: Delivery[] = [];
      while (taken.length < count) {
        const next = takeDue(group) ?? takeNew();
        if (next === undefined) break;
        const entryId = String(next.index);
        const json = entries[next.index] ?? "";
        const verdict = readVerdictJson(json);
        if (!wants(verdict)) continue;
        held.set(entryId, next);
        taken.push({ entry: { entryId, json }, verdict, deliveries: next.deliveries });
      }
      return taken;
    }

    function takeNew(): Waiting | undefined {
      return group.next < entries.length ? { index: group.next++, deliveries: 1, at: 0 } : undefined;
    }

    // What was delivered ten times in vain is not given again.
    function giveBack(entryId: string, pauseMs: number): void {
      const given = held.get(entryId);
      held.delete(entryId);
      if (given === undefined || given.deliveries >= MAX_DELIVERIES) return;
      group.waiting.push({ ...given, deliveries: given.deliveries + 1, at: performance.now() + pauseMs });
      bell.emit(RUNG);
    }

    return {
      async read(count) {
        const taken = takeNow(count);
        if (taken.length > 0 || ended.aborted) return taken;
        await rung(bell, Math.min(LONGEST_READ_MS, ...group.waiting.map(({ at }) => at - performance.now())));
        return ended.aborted ? [] : takeNow(count);
      },
      acknowledge({ entry }) {
        held.delete(entry.entryId);
        return Promise.resolve();
      },
      giveBack({ entry, deliveries }) {
        giveBack(entry.entryId, Math.min(retryAfterMs * 2 ** (deliveries - 1), LONGEST_RETRY_MS));
      },
      stop() {
        for (const entryId of held.keys()) giveBack(entryId, 0);
        return Promise.resolve();
      },
    };
  }

  return {
    append(verdictJson) {
      entries.push(verdictJson);
      bell.emit(RUNG);
    },
    async *tail({ from = "now", filter = {} }, signal) {
      if (from !== "now" && !/^\d{1,15}$/.test(from)) throw unknownPlace("from");
      const wants = wantedBy(filter);
      const wake = () => bell.emit(RUNG);
      signal.addEventListener("abort", wake);
      try {
        for (let next = from === "now" ? entries.length : Number(from) + 1; !signal.aborted; next++) {
          while (next >= entries.length && !signal.aborted) await rung(bell, LONGEST_READ_MS);
          const json = entries[next];
          if (json === undefined) return;
          const verdict = readVerdictJson(json);
          if (wants(verdict)) yield { verdict, id: String(next) };
        }
      } finally {
        signal.removeEventListener("abort", wake);
      }
    },
    takePlace(wanted) {
      const ending = new AbortController();
      const known = groups.get(wanted.group);
      const group = known ?? { next: wanted.from === "beginning" ? 0 : entries.length, waiting: [] };
      groups.set(wanted.group, group);
      const place = join(group, wanted, ending.signal);
      return {
        ready: Promise.resolve(),
        group: place,
        signal: ending.signal,
        async stop(work) {
          ending.abort();
          bell.emit(RUNG);
          await work;
          await place.stop();
        },
      };
    },
  };
}

function takeDue(group: Group): Waiting | undefined {
  const index = group.waiting.findIndex(({ at }) => at <= performance.now());
  return index === -1 ? undefined : group.waiting.splice(index, 1)[0];
}

function rung(bell: EventEmitter, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      bell.off(RUNG, wake);
      resolve();
    };
    const timer = setTimeout(wake, timeoutMs);
    bell.on(RUNG, wake);
  });
}

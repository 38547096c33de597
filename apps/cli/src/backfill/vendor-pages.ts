import type { EventSearch, RefusalCode, SearchOutcome } from "@assay/fingerprint";
import { isRecord } from "@assay/protocol";
import { CommandError, EXIT } from "../report.ts";
import type { Patience } from "./patience.ts";
import type { VendorRate } from "./vendor-rate.ts";

/** Where the walk through a range stands: in a part of it, which is paged. */
export interface Place {
  /** The part is [from, to), unix ms. */
  readonly from: number;
  readonly to: number;
  /** Of the next page; absent on the first one. */
  readonly paginationKey?: string;
  /** The time of the youngest event so far, unix ms: what is older was given. */
  readonly reached?: number;
}

export interface Page {
  /** As they came. */
  readonly events: readonly unknown[];
  /** Absent where the range ends. */
  readonly next?: Place;
}

export interface VendorPagesOptions {
  /** One for each API key; the next one is used when the vendor refuses one. */
  readonly searches: readonly EventSearch[];
  readonly rate: VendorRate;
  readonly patience: Patience;
  /** The end of the range, unix ms. */
  readonly until: number;
}

/** A search over much time takes the vendor long, and a pagination key may not live for ever. */
const PART_MS = 86_400_000;
const SMALLEST_PART_MS = 60_000;

/** The first place of a range. */
export function firstPlace({ since, until }: { readonly since: number; readonly until: number }): Place {
  return { from: since, to: Math.min(until, since + PART_MS) };
}

/**
 * Reads the page at a place, the oldest events first, however often it must ask. An event may be given again: where a
 * page is lost, the part begins anew at the youngest event so far. Throws a CommandError when it gives up.
 */
export function createVendorPages(options: VendorPagesOptions): { read(place: Place): Promise<Page> } {
  const { rate, patience, until } = options;
  const searches = [...options.searches];

  return {
    async read(asked) {
      let place = asked;
      for (;;) {
        const [search] = searches;
        if (search === undefined) throw new TypeError("There is no API key to search by.");
        await rate.takeTurn(search.keyId);
        // A little more than the part: whether the vendor's bounds are inside is not said.
        const outcome = await search.search({
          start: place.from - 1,
          end: place.to + 1,
          paginationKey: place.paginationKey,
        });
        switch (outcome.status) {
          case "page":
            patience.reset();
            return { events: outcome.events, ...nextOf(place, outcome, until) };
          case "page_unknown":
            place = { from: place.reached ?? place.from, to: place.to };
            await patience.wait("Fingerprint does not know its own pagination key", 0);
            break;
          case "too_slow":
            place = smaller(place);
            await patience.wait("Fingerprint takes too long to search");
            break;
          case "throttled":
            if (outcome.scope === "key") await rate.throttled(search.keyId);
            await patience.wait("Fingerprint throttles searches", outcome.retryAfterMs);
            break;
          case "unavailable":
            await patience.wait(`Fingerprint does not answer searches (${outcome.reason})`);
            break;
          case "refused":
            searches.shift();
            if (searches.length === 0) throw refused(search.keyId, outcome.code);
            break;
          case "rejected":
            throw new CommandError(
              EXIT.unavailable,
              `Fingerprint cannot search from ${iso(place.from)} to ${iso(place.to)}. Name a time that it still keeps.`,
            );
        }
      }
    },
  };
}

function nextOf(
  place: Place,
  { events, paginationKey }: Extract<SearchOutcome, { readonly status: "page" }>,
  until: number,
): { readonly next?: Place } {
  if (paginationKey !== undefined) {
    if (paginationKey === place.paginationKey)
      throw new CommandError(EXIT.unavailable, "Fingerprint gives the same page again and again.");
    const times = events.flatMap((event) =>
      isRecord(event) && typeof event["timestamp"] === "number" ? [event["timestamp"]] : [],
    );
    const reached = Math.min(place.to, Math.max(place.reached ?? place.from, ...times));
    return { next: { from: place.from, to: place.to, paginationKey, reached } };
  }
  return place.to < until ? { next: firstPlace({ since: place.to, until }) } : {};
}

function smaller({ from, to, reached = from }: Place): Place {
  return { from: reached, to: Math.min(to, reached + Math.max(SMALLEST_PART_MS, Math.ceil((to - reached) / 2))) };
}

function refused(keyId: string, code: RefusalCode): CommandError {
  return new CommandError(
    EXIT.unavailable,
    `Fingerprint refuses the API key ${keyId} (${code}). Check ASSAY_FINGERPRINT_API_KEYS and ASSAY_FINGERPRINT_REGION.`,
  );
}

function iso(time: number): string {
  return new Date(time).toISOString();
}

import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript } from "./script.ts";

/**
 * What workers notice of the events that they decide, for whoever asks how an installation fares. One hash for each
 * tenant, of a field `<kind>:<name>` each, with the value `<last unix ms>|<count>`. What is counted by the minute has
 * the minute before its name. Nothing in it says who a visitor is, and visitors decide little of what it holds: names
 * are bounded, and of the kinds that a browser may invent the rarest go first.
 */

/** How many names of each kind are kept. */
const MOST_NAMES = {
  origin: 200,
  app: 200,
  environment: 200,
  platform: 10,
  /** `<platform>/<path>`: a signal of the catalogue was present. */
  signal: 1000,
  /** `ok/<key id>`, or why a sealed result did not open. */
  seal: 50,
  /** How submissions came in. */
  kind: 10,
  /** What Fingerprint answered. */
  lookup: 20,
} as const;

export type SightingKind = keyof typeof MOST_NAMES;

/** What is counted by the minute, for an hour. */
export const MINUTE_COUNTS = [
  "verdicts",
  "lookup_verdicts",
  "lookup_saturated",
  "lookup_unavailable",
  "asked",
  "throttled",
] as const;

export type MinuteCount = (typeof MINUTE_COUNTS)[number];

/** What was noticed since the last time. */
export interface Noticed {
  readonly seen: readonly { readonly kind: SightingKind; readonly name: string; readonly count: number }[];
  readonly counts: readonly { readonly name: MinuteCount; readonly count: number }[];
  /** The least time between an event and its submission, in ms; below 0 where the event's clock is ahead of ours. */
  readonly youngestMs?: number;
}

/** One thing that was seen. */
export interface Sighting {
  readonly name: string;
  /** Unix ms. */
  readonly lastAt: number;
  readonly count: number;
}

/** All that was seen. */
export interface Sightings {
  /** Most often seen first. */
  readonly seen: Readonly<Record<SightingKind, readonly Sighting[]>>;
  /** Minutes of the last hour in which something was counted, the newest first. */
  readonly minutes: readonly SeenMinute[];
}

/** One minute. */
export interface SeenMinute {
  /** When it began, unix ms. */
  readonly at: number;
  readonly counts: Readonly<Partial<Record<MinuteCount, number>>>;
  readonly youngestMs?: number;
}

/** Longest name that is kept; a longer one is cut. */
export const MAX_SIGHTING_NAME = 200;
const KEPT_MS = 30 * 86_400_000;
const MINUTE_MS = 60_000;
const MINUTES_KEPT_MS = 60 * MINUTE_MS;
// No more than those of an hour, so that none of them is crowded out.
const MOST_MINUTES = 1000;

// Only a name that is new can make a kind too large, so the whole hash is looked through for those alone.
const notice = createScript(`
local seen, kept_ms, minutes_kept_ms = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local minute = string.format('%.0f', math.floor(now / 60000))
local most_of, is_new = {}, false
for n = 3, #ARGV, 4 do
  local kind, name, amount, most = unpack(ARGV, n, n + 3)
  if kind == 'minute' or kind == 'least' then name = minute .. '/' .. name end
  local field, value = kind .. ':' .. name, tonumber(amount)
  local old = redis.call('HGET', seen, field)
  most_of[kind] = tonumber(most)
  if old then
    local before = tonumber(string.match(old, '|(.+)$')) or 0
    value = kind == 'least' and math.min(before, value) or before + value
  else
    is_new = true
  end
  redis.call('HSET', seen, field, string.format('%.0f|%.0f', now, value))
end
if is_new then
  local all, of_kind = redis.call('HGETALL', seen), {}
  for n = 1, #all, 2 do
    local kind = string.match(all[n], '^(%l+):')
    local at, count = string.match(all[n + 1], '^(%d+)|(.+)$')
    local by_minute = kind == 'minute' or kind == 'least'
    if not at or now - tonumber(at) > (by_minute and minutes_kept_ms or kept_ms) then
      redis.call('HDEL', seen, all[n])
    elseif most_of[kind] then
      of_kind[kind] = of_kind[kind] or {}
      table.insert(of_kind[kind], { field = all[n], at = tonumber(at), count = tonumber(count) })
    end
  end
  for kind, list in pairs(of_kind) do
    table.sort(list, function(a, b)
      if a.count ~= b.count then return a.count < b.count end
      if a.at ~= b.at then return a.at < b.at end
      return a.field < b.field
    end)
    for n = 1, #list - most_of[kind] do redis.call('HDEL', seen, list[n].field) end
  end
end
redis.call('PEXPIRE', seen, kept_ms)
return {}
`);

/** Adds what was noticed. A name lasts for thirty days after it was last seen, a minute for an hour. */
export async function noticeSightings(redis: Redis, keys: Keys, noticed: Noticed): Promise<void> {
  const entries: (string | number)[] = [];
  for (const { kind, name, count } of noticed.seen) {
    entries.push(kind, name.slice(0, MAX_SIGHTING_NAME), count, MOST_NAMES[kind]);
  }
  for (const { name, count } of noticed.counts) entries.push("minute", name, count, MOST_MINUTES);
  if (noticed.youngestMs !== undefined) entries.push("least", "age_ms", Math.round(noticed.youngestMs), MOST_MINUTES);
  if (entries.length > 0) await notice.run(redis, [keys.sightings()], [KEPT_MS, MINUTES_KEPT_MS, ...entries]);
}

/** Reads what was noticed, as of `now` (unix ms, by Redis's clock). */
export async function readSightings(redis: Redis, keys: Keys, now: number): Promise<Sightings> {
  const fields = Object.entries(await redis.hgetall(keys.sightings())).flatMap(([field, value]) => {
    const [, kind = "", name = ""] = /^([a-z]+):(.*)$/s.exec(field) ?? [];
    const [lastAt = 0, count = 0] = value.split("|").map(Number);
    return [{ kind, name, lastAt, count }];
  });
  const seenOf = (kind: SightingKind): Sighting[] =>
    fields
      .filter((field) => field.kind === kind && now - field.lastAt <= KEPT_MS)
      .map(({ name, lastAt, count }) => ({ name, lastAt, count }))
      .toSorted((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  return {
    seen: {
      origin: seenOf("origin"),
      app: seenOf("app"),
      environment: seenOf("environment"),
      platform: seenOf("platform"),
      signal: seenOf("signal"),
      seal: seenOf("seal"),
      kind: seenOf("kind"),
      lookup: seenOf("lookup"),
    },
    minutes: minutesOf(fields, now),
  };
}

interface Field extends Sighting {
  readonly kind: string;
}

function minutesOf(fields: readonly Field[], now: number): SeenMinute[] {
  const minutes = new Map<number, { at: number; counts: Partial<Record<MinuteCount, number>>; youngestMs?: number }>();
  for (const { kind, name, count } of fields) {
    const [minute = "", what = ""] = name.split("/");
    const at = Number(minute) * MINUTE_MS;
    if ((kind !== "minute" && kind !== "least") || now - at > MINUTES_KEPT_MS) continue;
    const seen = minutes.get(at) ?? { at, counts: {} };
    minutes.set(at, seen);
    if (kind === "least") seen.youngestMs = count;
    const known = MINUTE_COUNTS.find((one) => one === what);
    if (kind === "minute" && known !== undefined) seen.counts[known] = count;
  }
  return [...minutes.values()].toSorted((a, b) => b.at - a.at);
}

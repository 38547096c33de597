import type { Event } from "@assay/protocol";
import { failure } from "./misbehave.ts";
import { json, type Reply } from "./reply.ts";

const WEEK_MS = 7 * 86_400_000;

/**
 * Answers `GET /v4/events` from these events: `start`, `end`, `limit`, `reverse`, `pagination_key`, `total_hits` and
 * `source`. It knows no other filter.
 */
export function searchEvents(events: Iterable<Event>, query: URLSearchParams, nowMs: number): Reply {
  const limit = wholeOf(query.get("limit") ?? "10", 100);
  const start = timeOf(query.get("start"), nowMs - WEEK_MS);
  const end = timeOf(query.get("end"), nowMs);
  const totalHits = wholeOf(query.get("total_hits") ?? "1000", 1000);
  const reverse = query.get("reverse") ?? "false";
  const pageKey = query.get("pagination_key");
  const after = pageKey === null ? undefined : readPlace(pageKey);
  if (limit === undefined) return unreadable("invalid limit");
  if (totalHits === undefined) return unreadable("invalid total hits");
  if (start === undefined) return unreadable("invalid start time");
  if (end === undefined) return unreadable("invalid end time");
  if (reverse !== "true" && reverse !== "false") return unreadable("invalid reverse param");
  if (pageKey !== null && after === undefined) return unreadable("invalid pagination key");
  const isEdge = query.get("source") === "edge";
  const sign = reverse === "true" ? 1 : -1;
  const found = [...events]
    .filter(({ source, timestamp }) => (source === "edge") === isEdge && timestamp >= start && timestamp <= end)
    .toSorted((one, other) => sign * compare(placeOf(one), placeOf(other)));
  const left = after === undefined ? found : found.filter((event) => sign * compare(placeOf(event), after) > 0);
  const page = left.slice(0, limit);
  const last = page.at(-1);
  return json(200, {
    events: page,
    ...(left.length > page.length && last !== undefined ? { pagination_key: writePlace(placeOf(last)) } : {}),
    ...(query.has("total_hits") ? { total_hits: Math.min(found.length, totalHits) } : {}),
  });
}

/** Where an event stands among all: its time, then its id. */
type Place = readonly [timestamp: number, eventId: string];

function placeOf({ timestamp, event_id: eventId }: Event): Place {
  return [timestamp, eventId];
}

function compare([time, id]: Place, [otherTime, otherId]: Place): number {
  return time - otherTime || (id < otherId ? -1 : id > otherId ? 1 : 0);
}

function writePlace(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

function readPlace(key: string): Place | undefined {
  const [, time, id] = /^\[(\d+),"([^"]*)"\]$/.exec(Buffer.from(key, "base64url").toString()) ?? [];
  return time === undefined || id === undefined ? undefined : [Number(time), id];
}

function wholeOf(text: string, most: number): number | undefined {
  const number = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= most ? number : undefined;
}

/** Unix ms, or a time of RFC 3339. */
function timeOf(text: string | null, otherwise: number): number | undefined {
  if (text === null) return otherwise;
  const time = /^-?\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

function unreadable(message: string): Reply {
  return failure("request_cannot_be_parsed", message);
}

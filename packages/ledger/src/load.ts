import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { type Meta, readMeta } from "./record.ts";
import { createScript, number, text } from "./script.ts";

/** What a worker finds when it loads a submission. */
export type Loaded =
  /** There is no record, or none that can be read: the doorbell is an orphan. */
  | { readonly state: "missing"; readonly id: string }
  | { readonly state: "decided"; readonly id: string }
  /** It was already tried and that try never ended: it must run alone. Not counted as a try. */
  | { readonly state: "suspect"; readonly id: string }
  /** Two children died on it. Its payload is not returned. */
  | { readonly state: "crashed"; readonly id: string; readonly work: Work }
  | { readonly state: "ready"; readonly id: string; readonly work: Work };

/** A submission to decide. */
export interface Work {
  readonly id: string;
  readonly meta: Meta;
  /** Unix ms. */
  readonly receivedAt: number;
  readonly payload?: Uint8Array;
  /** Tries so far, this one included. */
  readonly tries: number;
  /** Retries already spent on waiting for the vendor. */
  readonly retries: number;
  /** Whether somebody waited for its verdict when it was accepted; absent where nobody did. */
  readonly isAwaited?: boolean;
  /** When it was loaded by Redis's clock, unix ms, which may differ from the worker's. */
  readonly loadedAt?: number;
  /** Names the try that it was loaded for. */
  readonly token?: string;
  /** The erasures that had begun when it was loaded, as `readTombstones` counts them; absent while there are none. */
  readonly erasures?: string;
}

// A try is counted before its payload leaves Redis, and once per token: repeating a load whose answer was lost is safe.
const load = createScript(`
local token, alone = ARGV[1], ARGV[2] == '1'
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local generation = redis.call('GET', KEYS[#KEYS]) or ''
local rows = {}
for n = 1, #KEYS - 1 do
  local record = KEYS[n]
  local r = redis.call('HMGET', record, 'm', 's', 't', 'k', 'x', 'r', 'n', 'w')
  local tries, deaths = tonumber(r[3] or '0'), tonumber(r[5] or '0')
  if not r[1] then
    rows[n] = { 'missing' }
  elseif r[2] then
    rows[n] = { 'decided' }
  elseif r[4] ~= token and not alone and tries > 0 then
    rows[n] = { 'suspect' }
  elseif r[4] ~= token and alone and deaths >= 2 then
    rows[n] = { 'crashed', r[1], r[6], tostring(tries), r[7] or '0', r[8] or '0', now, generation, '' }
  else
    if r[4] ~= token then
      tries = redis.call('HINCRBY', record, 't', 1)
      redis.call('HSET', record, 'k', token)
      if alone then redis.call('HINCRBY', record, 'x', 1) end
      redis.call('HDEL', record, 'sw', 'su')
    end
    local payload = redis.call('HGET', record, 'p') or ''
    rows[n] = { 'ready', r[1], r[6], tostring(tries), r[7] or '0', r[8] or '0', now, generation, payload }
  end
end
return rows
`);

/**
 * Counts a try of each submission and returns its work. `token` names this try: a repeat with the same token counts
 * nothing. `alone` is for the process that runs suspects one by one.
 */
export async function loadSubmissions(
  redis: Redis,
  keys: Keys,
  ids: readonly string[],
  options: { token: string; alone: boolean },
): Promise<Loaded[]> {
  const rows = await load.run(
    redis,
    [...ids.map((id) => keys.record(id)), keys.erasures()],
    [options.token, options.alone ? "1" : "0"],
  );
  return ids.map((id, index) => {
    const [state, meta, received, tries, retries, awaited, now, generation, payload] = rows[index] ?? [];
    const name = text(state);
    const readableMeta = readMeta(text(meta));
    switch (name) {
      case "missing":
      case "decided":
      case "suspect":
        return { state: name, id };
      case "crashed":
      case "ready":
        // Nobody can decide it, and it must not keep its neighbours from being decided.
        if (readableMeta === undefined) return { state: "missing", id };
        return {
          state: name,
          id,
          work: {
            id,
            meta: readableMeta,
            receivedAt: number(received),
            tries: number(tries),
            retries: number(retries),
            loadedAt: number(now),
            token: options.token,
            ...(text(generation) === "" ? {} : { erasures: text(generation) }),
            ...(text(awaited) === "1" ? { isAwaited: true } : {}),
            ...(payload === undefined || payload.length === 0 ? {} : { payload }),
          },
        };
      default:
        throw new TypeError(`The load script answered with an unknown state: ${name}`);
    }
  });
}

import type { Redis } from "ioredis";
import { type Cell, createScript } from "./script.ts";

/** How a key is looked into: what of it answers. */
export type PeekKind =
  /** Its value. */
  | "string"
  /** All its elements; for lists that are bounded. */
  | "list"
  /** Meta, outcomes, and its place in the stream. */
  | "record"
  /** Its body. */
  | "delivery"
  /** Its members; undefined alone where there are more than 100. */
  | "counter";

export interface Peek {
  readonly key: string;
  readonly kind: PeekKind;
}

/** So many take Redis half a millisecond, and a few where values are large. */
const KEYS_AT_ONCE = 100;

// One command for many keys: a million of single ones cost whoever asks far more than Redis.
const peek = createScript(`
local rows = {}
for n, key in ipairs(KEYS) do
  local kind = ARGV[n]
  if kind == 'string' then rows[n] = { redis.call('GET', key) }
  elseif kind == 'list' then rows[n] = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'record' then rows[n] = redis.call('HMGET', key, 'm', 'o', 's')
  elseif kind == 'delivery' then rows[n] = redis.call('HMGET', key, 'b')
  elseif redis.call('ZCARD', key) > 100 then rows[n] = { false }
  else rows[n] = redis.call('ZRANGE', key, 0, -1) end
end
return rows
`);

/** What keys hold, in their order; nothing of one that is gone. Changes nothing. Throws what Redis throws. */
export async function peekKeys(redis: Redis, wanted: readonly Peek[]): Promise<Cell[][]> {
  const pages: Promise<Cell[][]>[] = [];
  for (let from = 0; from < wanted.length; from += KEYS_AT_ONCE) {
    const page = wanted.slice(from, from + KEYS_AT_ONCE);
    const [keys, kinds] = [page.map(({ key }) => key), page.map(({ kind }) => kind)];
    pages.push(peek.run(redis, keys, kinds));
  }
  return (await Promise.all(pages)).flat();
}

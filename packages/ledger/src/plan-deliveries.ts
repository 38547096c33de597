import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { LAY_ASIDE, letterKeys } from "./lay-aside.ts";
import { createScript, text } from "./script.ts";
import { type HeldSubmission, IS_ERASED } from "./tombstones.ts";

/** A verdict that an endpoint is to get. */
export interface PlannedDelivery {
  /** See `deliveryId`. */
  readonly id: string;
  readonly endpoint: string;
  /** What is sent, the same at every try. */
  readonly body: string;
  /** Whose verdict it is: once that is erased, nothing is planned. See `heldOf`; absent, it is not asked. */
  readonly of?: HeldSubmission;
}

/** How long a delivery is kept that its endpoint has not taken: longer than it is tried, for endpoints on hold. */
export const DELIVERY_KEPT_MS = 7 * 86_400_000;

/** How many dead letters one call brings back. */
const REPLAY_PAGE = 100;

// The first write is one that a full Redis refuses. A letter goes only after what it holds stands in its place, and one
// that is gone has been dealt with by somebody else. Whoever was stopped with a verdict in hand may come after an erasure.
const plan = createScript(`
${LAY_ASIDE}${IS_ERASED}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local kept, dead, tally, erasures = ARGV[1], KEYS[1], KEYS[2], KEYS[3]
local rows = {}
for n = 1, (#KEYS - 3) / 4 do
  local delivery, undelivered, due, tombstone = unpack(KEYS, n * 4, n * 4 + 3)
  local id, body, letter, received_at = unpack(ARGV, n * 4 - 2, n * 4 + 1)
  if received_at ~= '' and is_erased(erasures, tombstone, received_at) then
    rows[n] = { 'erased' }
  elseif letter ~= '' and #redis.call('XRANGE', dead, letter, letter) == 0 then
    rows[n] = { 'gone' }
  else
    local is_new = redis.call('HSETNX', delivery, 'b', body)
    if is_new == 1 then
      redis.call('HSET', delivery, 'at', now, 'n', 0)
      redis.call('PEXPIRE', delivery, kept)
      for _, zset in ipairs({ undelivered, due }) do
        redis.call('ZADD', zset, now, id)
        redis.call('PEXPIRE', zset, kept)
      end
    end
    if letter ~= '' then take_letter(dead, tally, letter) end
    rows[n] = { is_new }
  end
end
return rows
`);

/**
 * Puts deliveries on their way, to be tried at once. One that is on its way stays as it is, and one of an erased
 * submission is left out. Returns how many are new.
 */
export async function planDeliveries(
  redis: Redis,
  keys: Keys,
  deliveries: readonly PlannedDelivery[],
): Promise<number> {
  const rows = await runPlan(
    redis,
    keys,
    deliveries.map((delivery) => ({ ...delivery, letter: "" })),
  );
  return newIn(rows);
}

/**
 * Puts one dead letter on its way again, under the id that it had, and lets it go. False where it is gone already.
 * Throws what Redis throws.
 */
export async function replayLetter(
  redis: Redis,
  keys: Keys,
  delivery: PlannedDelivery & { readonly letter: string },
): Promise<boolean> {
  return (await runPlan(redis, keys, [delivery])).every((status) => status !== "gone");
}

/**
 * Puts an endpoint's dead letters since a time (unix ms), and until another, on their way again, under the ids that they
 * had: who has taken one meanwhile knows it. Returns how many. May be called again when it fails midway.
 */
export async function replayDeliveries(
  redis: Redis,
  keys: Keys,
  endpoint: string,
  since: number,
  until?: number,
): Promise<number> {
  const end = until === undefined ? "+" : `(${until}`;
  let replayed = 0;
  let after = String(since);
  for (;;) {
    const entries = await redis.xrange(keys.deadLetters("delivery"), after, end, "COUNT", REPLAY_PAGE);
    const letters = entries.flatMap(([letter, fields]) => {
      const at = (name: string) => fields[fields.findIndex((field, index) => index % 2 === 0 && field === name) + 1];
      const [id, body] = [at("delivery"), at("body")];
      if (id === undefined || body === undefined || at("endpoint") !== endpoint) return [];
      return [{ letter, id, endpoint, body }];
    });
    if (letters.length > 0) replayed += newIn(await runPlan(redis, keys, letters));
    const last = entries.at(-1)?.[0];
    if (last === undefined || entries.length < REPLAY_PAGE) return replayed;
    after = `(${last}`;
  }
}

async function runPlan(
  redis: Redis,
  keys: Keys,
  deliveries: readonly (PlannedDelivery & { readonly letter: string })[],
): Promise<string[]> {
  if (deliveries.length === 0) return [];
  const rows = await plan.run(
    redis,
    [
      ...letterKeys(keys, "delivery"),
      keys.erasures(),
      // Every place in KEYS is filled: where no submission is known, the delivery's own key says so.
      ...deliveries.flatMap(({ id, endpoint, of }) => [
        keys.delivery(id),
        keys.undelivered(endpoint),
        keys.deliveriesDue(endpoint),
        of === undefined ? keys.delivery(id) : keys.tombstone(of.id),
      ]),
    ],
    [DELIVERY_KEPT_MS, ...deliveries.flatMap(({ id, body, letter, of }) => [id, body, letter, of?.receivedAt ?? ""])],
  );
  return rows.map((row) => text(row[0]));
}

function newIn(rows: readonly string[]): number {
  return rows.filter((status) => status === "1").length;
}

import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript, number, text } from "./script.ts";
import type { LeasedDelivery } from "./take-deliveries.ts";

const keep = createScript(`
local flying, lease = KEYS[1], ARGV[1]
local t = redis.call('TIME')
local until_ms = t[1] * 1000 + math.floor(t[2] / 1000) + lease
local rows = {}
for n = 2, #ARGV, 2 do
  local id = ARGV[n]
  local score = redis.call('ZSCORE', flying, id)
  if score and tonumber(score) == tonumber(ARGV[n + 1]) then
    redis.call('ZADD', flying, 'XX', until_ms, id)
    rows[#rows + 1] = { id, until_ms }
  end
end
return rows
`);

/** Lengthens leases to `leaseMs` from now. Returns the new end of each that had not gone to another, by delivery id. */
export async function keepDeliveries(
  redis: Redis,
  keys: Keys,
  endpoint: string,
  leases: readonly Pick<LeasedDelivery, "id" | "leaseUntil">[],
  leaseMs: number,
): Promise<ReadonlyMap<string, number>> {
  const args = leases.flatMap(({ id, leaseUntil }) => [id, leaseUntil]);
  const rows = await keep.run(redis, [keys.deliveriesInFlight(endpoint)], [leaseMs, ...args]);
  return new Map(rows.map(([id, until]) => [text(id), number(until)]));
}

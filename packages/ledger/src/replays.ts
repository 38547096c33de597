import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { createScript, number } from "./script.ts";

/** Verdicts that an endpoint is to get once more. Whoever delivers works on it, page by page. */
export interface Replay {
  readonly endpoint: string;
  /** All that was published behind this entry of the stream has yet to be looked at. */
  readonly after: string;
  /** Where it ends: this entry is none of it. */
  readonly before: string;
  /** How many are on their way, or have arrived. */
  readonly planned: number;
}

// Only from where it stands: who was too slow, or was told to end it, changes nothing.
const move = createScript(`
local replays, endpoint, from, to = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
if redis.call('HGET', replays, endpoint) ~= from then return { { 0 } } end
if to == '' then redis.call('HDEL', replays, endpoint) else redis.call('HSET', replays, endpoint, to) end
return { { 1 } }
`);

/** Asks for a replay. Returns false when one of this endpoint's is under way, which stays as it is. */
export async function requestReplay(
  redis: Redis,
  keys: Keys,
  { endpoint, after, before }: Omit<Replay, "planned">,
): Promise<boolean> {
  const asked = valueOf({ endpoint, after, before, planned: 0 });
  return (await redis.hsetnx(keys.replays(), endpoint, asked)) === 1;
}

/** The replays of a tenant that are under way. */
export async function readReplays(redis: Redis, keys: Keys): Promise<Replay[]> {
  return Object.entries(await redis.hgetall(keys.replays())).map(([endpoint, value]) => {
    const [after = "", before = "", planned = "0"] = value.split(" ");
    return { endpoint, after, before, planned: Number(planned) };
  });
}

/** Says how far a replay has come; it ends where `to` is absent. Returns false when it does not stand at `from`. */
export async function moveReplay(redis: Redis, keys: Keys, from: Replay, to?: Replay): Promise<boolean> {
  const args = [from.endpoint, valueOf(from), to === undefined ? "" : valueOf(to)];
  const rows = await move.run(redis, [keys.replays()], args);
  return number(rows[0]?.[0]) === 1;
}

/** Ends a replay. What is on its way already still arrives. Returns false when there was none. */
export async function endReplay(redis: Redis, keys: Keys, endpoint: string): Promise<boolean> {
  return (await redis.hdel(keys.replays(), endpoint)) === 1;
}

function valueOf({ after, before, planned }: Replay): string {
  return `${after} ${before} ${planned}`;
}

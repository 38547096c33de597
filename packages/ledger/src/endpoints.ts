import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";
import { readReplays, type Replay } from "./replays.ts";
import { type PauseReason, readPause } from "./take-deliveries.ts";

/** An endpoint, as those that deliver know it. Nothing secret is in it. */
export interface KnownEndpoint {
  readonly name: string;
  /** Host of its URL. */
  readonly host: string;
  /** Whether those that deliver can read in an archive what left the stream. */
  readonly hasArchive: boolean;
}

/** How an endpoint fares. Times are unix ms, by Redis's clock. */
export interface EndpointReport extends KnownEndpoint {
  /** Why it is on hold, and since when; absent while it is not. */
  readonly hold?: { readonly why: PauseReason; readonly since: number };
  /** Since when it does nothing but fail. */
  readonly failingSince?: number;
  /** When it last took a verdict. */
  readonly lastSuccessAt?: number;
  /** Deliveries that wait for a try. */
  readonly waiting: number;
  readonly inFlight: number;
  /** Deliveries that failed for the last time. */
  readonly dead: number;
  /** Verdicts that are being sent again. */
  readonly replay?: Replay;
}

/** Dead letters that are looked at in one step. */
const PAGE = 200;

/** Says which endpoints a tenant has. Those that were said before and are none any more are forgotten. */
export async function tellEndpoints(redis: Redis, keys: Keys, endpoints: readonly KnownEndpoint[]): Promise<void> {
  const key = keys.endpoints();
  const telling = redis.multi().del(key);
  for (const { name, host, hasArchive } of endpoints) telling.hset(key, name, `${hasArchive ? "+" : "-"}${host}`);
  const replies = await telling.exec();
  const failed = replies?.find(([error]) => error !== null);
  if (failed?.[0]) throw failed[0];
}

/** The endpoints of a tenant, as they were said last, by name. */
export async function readEndpoints(redis: Redis, keys: Keys): Promise<EndpointReport[]> {
  const told = await redis.hgetall(keys.endpoints());
  const names = Object.keys(told).toSorted();
  if (names.length === 0) return [];
  const dead = await countDead(redis, keys);
  const replays = await readReplays(redis, keys);
  return await Promise.all(
    names.map(async (name) => {
      const [why, since, failing, ok] = await redis.hmget(keys.endpoint(name), "p", "pa", "f", "ok");
      const reason = readPause(why ?? "");
      const replay = replays.find(({ endpoint }) => endpoint === name);
      return {
        name,
        host: told[name]?.slice(1) ?? "",
        hasArchive: told[name]?.startsWith("+") === true,
        ...(reason === undefined ? {} : { hold: { why: reason, since: Number(since) } }),
        ...(failing == null ? {} : { failingSince: Number(failing) }),
        ...(ok == null ? {} : { lastSuccessAt: Number(ok) }),
        waiting: await redis.zcard(keys.deliveriesDue(name)),
        inFlight: await redis.zcard(keys.deliveriesInFlight(name)),
        dead: dead.get(name) ?? 0,
        ...(replay === undefined ? {} : { replay }),
      };
    }),
  );
}

/** Puts an endpoint on hold: what comes waits until it is resumed. One that is on hold stays as it is. */
export async function pauseEndpoint(redis: Redis, keys: Keys, endpoint: string): Promise<void> {
  const [seconds, micros] = await redis.time();
  const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  const asked: PauseReason = "asked";
  const key = keys.endpoint(endpoint);
  await redis.multi().hsetnx(key, "p", asked).hsetnx(key, "pa", now).exec();
}

async function countDead(redis: Redis, keys: Keys): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (let after = "-", isMore = true; isMore;) {
    const entries = await redis.xrange(keys.deadLetters("delivery"), after, "+", "COUNT", PAGE);
    for (const [, fields] of entries) {
      const at = fields.findIndex((field, index) => index % 2 === 0 && field === "endpoint");
      const name = at < 0 ? undefined : fields[at + 1];
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    after = `(${entries.at(-1)?.[0]}`;
    isMore = entries.length === PAGE;
  }
  return counts;
}

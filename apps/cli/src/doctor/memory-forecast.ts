import { redisBytes, showBytes, showRate, showShare } from "./amounts.ts";
import type { Finding } from "./finding.ts";

/** What one verdict leaves in Redis, and for how long. */
export interface Kept {
  /** The variable that says how long; absent where none does. */
  readonly variable?: "ASSAY_IDEMPOTENCY_TTL_SECONDS" | "ASSAY_VERDICT_TTL_SECONDS" | "ASSAY_STREAM_TTL_SECONDS";
  readonly bytes: number;
  readonly seconds: number;
}

/** What verdicts of one tenant leave, and how many there are. */
export interface Load {
  readonly perSecond: number;
  readonly kept: readonly Kept[];
}

/** Redis's memory, in bytes. */
export interface Memory {
  readonly used: number;
  /** What an empty server takes. */
  readonly base: number;
  /** 0 where there is none. */
  readonly bound: number;
}

// From here on the ingress refuses work; up to there a forecast may go.
const SHEDS_AT = 0.7;
const AIM = 0.6;
const LEAST_BYTES = 256 * 1024 * 1024;
const SHORTEST_SECONDS = 300;

/** What Redis will hold once as much goes as comes, when everything stays as it is. What counters hold comes on top. */
export function forecastBytes(loads: readonly Load[], base: number): number {
  return base + loads.reduce((sum, load) => sum + load.kept.reduce((all, one) => all + heldBy(one, load), 0), 0);
}

/** Says whether the memory will do, and what to change where it will not. */
export function judgeMemory(memory: Memory, loads: readonly Load[]): Finding {
  const name = "memory";
  const { used, bound, base } = memory;
  const perSecond = loads.reduce((sum, load) => sum + load.perSecond, 0);
  const later = forecastBytes(loads, base);
  const isKnown = perSecond > 0 && later > base;
  const share = bound === 0 ? "" : ` (${showShare(later / bound)})`;
  const forecast = isKnown
    ? `at ${showRate(perSecond)} verdicts will hold ${showBytes(later)}${share}, and counters more`
    : "there is no rate to forecast by yet";
  if (bound === 0) {
    return {
      name,
      status: "warn",
      says: `Redis holds ${showBytes(used)} and has no maxmemory, so it can grow until its machine kills it; ${forecast}`,
      do: `set maxmemory to ${redisBytes(Math.max(LEAST_BYTES, later / AIM, used / AIM))} or more, or ASSAY_REDIS_MAX_BYTES`,
    };
  }
  const says = `Redis holds ${showBytes(used)} of ${showBytes(bound)} (${showShare(used / bound)}); ${forecast}`;
  if (used < SHEDS_AT * bound && later < SHEDS_AT * bound) return { name, status: "ok", says };
  const isRefusing = used >= SHEDS_AT * bound;
  const raise = `raise maxmemory to ${redisBytes(Math.max(later, used) / AIM)}`;
  return {
    name,
    status: isRefusing ? "fail" : "warn",
    says: `${says}. From 70 % on submissions are refused`,
    do: [raise, shorten(loads, later - AIM * bound)].filter(Boolean).join(", or "),
  };
}

/** The one retention to shorten that frees this much, if there is one. */
function shorten(loads: readonly Load[], excess: number): string | undefined {
  const held = new Map<string, { bytes: number; seconds: number }>();
  for (const load of loads) {
    for (const one of load.kept) {
      if (one.variable === undefined) continue;
      const { bytes = 0, seconds = 0 } = held.get(one.variable) ?? {};
      held.set(one.variable, { bytes: bytes + heldBy(one, load), seconds: Math.max(seconds, one.seconds) });
    }
  }
  const [largest] = [...held].toSorted(([, a], [, b]) => b.bytes - a.bytes);
  if (largest === undefined || excess <= 0) return undefined;
  const [variable, { bytes, seconds }] = largest;
  const left = Math.floor((seconds * (1 - excess / bytes)) / SHORTEST_SECONDS) * SHORTEST_SECONDS;
  return left < SHORTEST_SECONDS ? undefined : `lower ${variable} from ${Math.round(seconds)} to ${left}`;
}

function heldBy({ bytes, seconds }: Kept, { perSecond }: Load): number {
  return bytes * seconds * perSecond;
}

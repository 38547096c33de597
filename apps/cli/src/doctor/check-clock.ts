import { showTime } from "./amounts.ts";
import type { Finding } from "./finding.ts";
import type { TenantPatient } from "./patient.ts";
import { rateOf } from "./rate.ts";

const SEEN_MS = 1000;
// A caller's time of arrival is not believed when it is further than this from Redis's.
const WRONG_MS = 5000;
const MOST_AHEAD_MS = 10_000;
const OLD_MS = 60_000;
const ENOUGH_EVENTS = 20;
const NTP = "let NTP or chrony set the clocks of all machines";

/** This machine's clock beside Redis's, both unix ms of the same moment. */
export function checkClock(ownMs: number, redisMs: number): Finding {
  const name = "clock";
  const offsetMs = ownMs - redisMs;
  const distance = `${showTime(offsetMs)} ${offsetMs > 0 ? "ahead of" : "behind"} Redis's`;
  if (Math.abs(offsetMs) <= SEEN_MS) return { name, status: "ok", says: "This machine's clock agrees with Redis's" };
  return {
    name,
    status: Math.abs(offsetMs) > WRONG_MS ? "fail" : "warn",
    says: `This machine's clock is ${distance}`,
    do: NTP,
  };
}

/** Our clocks beside Fingerprint's: the least time between an event and its submission. */
export function checkEventClock({ sightings }: Pick<TenantPatient, "sightings">, now: number): Finding {
  const name = "event_clock";
  const youngestMs = Math.min(...sightings.minutes.flatMap(({ youngestMs: one }) => one ?? []));
  const { count } = rateOf(sightings.minutes, "verdicts", now);
  if (!Number.isFinite(youngestMs)) return { name, status: "skip", says: "No event has come within the hour" };
  if (youngestMs < -MOST_AHEAD_MS) {
    const says = `An event was made ${showTime(youngestMs)} after it came, so the clock of an ingress is behind`;
    return { name, status: "warn", says: `${says}: ages are wrong, and verdicts say clock_skew`, do: NTP };
  }
  if (youngestMs > OLD_MS && count >= ENOUGH_EVENTS) {
    const says = `Even the youngest event was ${showTime(youngestMs)} old when it came: the clocks here are ahead, or callers hold events back`;
    return {
      name,
      status: "warn",
      says: `${says}; such events may be stale`,
      do: `${NTP}; and send events as soon as they are there`,
    };
  }
  return { name, status: "ok", says: `The youngest event of the last hour was ${ageOf(youngestMs)} when it came` };
}

function ageOf(ms: number): string {
  return ms < 0 ? `${showTime(ms)} ahead` : `${showTime(ms)} old`;
}

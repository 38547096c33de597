import { pendingOf } from "@assay/ledger";
import { LANES, leaderKey, queuePrefix, SUSPECTS_QUEUE } from "@assay/protocol";
import { showAgo, showTime } from "./amounts.ts";
import type { Finding } from "./finding.ts";
import type { Patient, TenantPatient } from "./patient.ts";

// A lookup may wait a minute for its event; what waits longer is behind.
const LATE_MS = 90_000;

/** Whether somebody decides: the lease of the reconciler, and what stands alone. */
export async function checkWorkers({ redis, settings: { prefix } }: Patient): Promise<Finding> {
  const name = "workers";
  if ((await redis.exists(leaderKey(prefix))) === 0) {
    const says = `No worker runs under the prefix ${prefix}: none has held the lease of the last 30 s`;
    return { name, status: "fail", says, do: "start apps/worker with this REDIS_URL and ASSAY_PREFIX" };
  }
  // As BullMQ keeps them.
  const suspects = `${queuePrefix(prefix)}:${SUSPECTS_QUEUE}`;
  const waiting = (await redis.llen(`${suspects}:wait`)) + (await redis.zcard(`${suspects}:delayed`));
  if (waiting === 0) return { name, status: "ok", says: "Workers run, and no submission has to be decided alone" };
  return {
    name,
    status: "warn",
    says: `${waiting} submissions wait to be decided alone, as a worker died or hung on them or beside them`,
    do: "look at the logs of the workers, and at their memory limit; after a crash the line empties by itself",
  };
}

/** What waits to be decided. */
export async function checkPending({ keys }: TenantPatient, { redis, now }: Patient): Promise<Finding> {
  const name = "pending";
  const lanes = await Promise.all(LANES.map(async (lane) => ({ lane, ...(await pendingOf(redis, keys, lane)) })));
  const waiting = lanes.filter(({ count }) => count > 0);
  if (waiting.length === 0) return { name, status: "ok", says: "Nothing waits to be decided" };
  const ageOf = ({ oldest = now }: { readonly oldest?: number }) => Math.max(0, now - oldest);
  const says = waiting.map((one) => `${one.lane} ${one.count}, the oldest for ${showTime(ageOf(one))}`).join("; ");
  const late = waiting.filter((one) => ageOf(one) > LATE_MS);
  if (late.length === 0) return { name, status: "ok", says: `Waiting to be decided: ${says}` };
  const todo = late.some(({ lane }) => lane !== "lookups")
    ? "start more workers, and look at their logs"
    : "see lookups below, and the logs of the workers";
  return { name, status: "warn", says: `Behind: ${says}`, do: todo };
}

/** When something came in last. */
export async function checkIngress({ keys, sightings }: TenantPatient, { redis, now }: Patient): Promise<Finding> {
  const name = "ingress";
  const newest = await Promise.all(LANES.map((lane) => redis.zrange(keys.pending(lane), 0, "0", "REV", "WITHSCORES")));
  const { kind: kinds } = sightings.seen;
  const last = Math.max(0, ...newest.map(([, at = 0]) => Number(at)), ...kinds.map(({ lastAt }) => lastAt));
  if (last === 0) {
    const todo = "start apps/ingress and hand one in, as README shows with curl";
    return { name, status: "warn", says: "No submission was ever accepted", do: todo };
  }
  const by = kinds.map(({ name: kind, count }) => `${kind} ${count}`).join(", ");
  const says = `Something was accepted or decided ${showAgo(last, now)}${by === "" ? "" : `; in all: ${by}`}`;
  return { name, status: "ok", says };
}

import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { aBot, anEvent } from "../../support/events.ts";

/** When the first event was made, unix ms. */
export const START_MS = 1_760_000_000_000;
const APART_MS = 400;
const VISITORS = 20_000;
const ACCOUNTS = 5000;

/**
 * Writes rows of logins as an archive would hold them; returns how many bytes they take. `placed` tells which of them
 * stands at a place, all in order when absent.
 */
export async function writeRows(
  file: string,
  count: number,
  placed: (place: number) => number = (place) => place,
): Promise<number> {
  const out = createWriteStream(file);
  for (let place = 0; place < count; place++) {
    if (!out.write(`${JSON.stringify(rowAt(placed(place)))}\n`)) await once(out, "drain");
  }
  out.end();
  await once(out, "finish");
  return out.bytesWritten;
}

/** One of them. */
export function rowAt(index: number) {
  const timestamp = START_MS + index * APART_MS;
  const identification = {
    visitor_id: `visitor${(index * 7919) % VISITORS}`,
    visitor_found: index % 3 > 0,
    confidence: { score: 0.99, version: "1.1" },
  };
  const changes = {
    timestamp,
    identification,
    vpn: index % 7 === 0,
    proxy: index % 10 === 1,
    suspect_score: index % 30,
  };
  const event = index % 20 === 0 ? aBot(changes) : anEvent(changes);
  return {
    event,
    context: { flow: "login", user_id: `user${(index * 31) % ACCOUNTS}`, ip: event.ip_address },
    received_at: timestamp + 300,
    checks: { stale: false, ip_mismatch: index % 50 === 0, reused: false, reused_elsewhere: false },
    ...(index % 25 === 0 ? { label: index % 20 === 0 ? ("fraud" as const) : ("legit" as const) } : {}),
    outcomes:
      index % 5 === 0
        ? [{ outcome: index % 15 === 0 ? "login_failed" : "login_succeeded", occurred_at: timestamp + 900 }]
        : [],
  };
}

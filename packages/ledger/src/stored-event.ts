import { deflateRawSync, inflateRawSync } from "node:zlib";
import { type Keys, MAX_EVENT_BYTES } from "@assay/protocol";
import type { Redis } from "ioredis";

/** How long an event that a webhook or a lookup brought is kept for other submissions of it, in ms. */
const STORED_EVENT_TTL_MS = 600_000;

/** Keeps an event's JSON for whoever asks for it by id within ten minutes. */
export async function storeEvent(redis: Redis, keys: Keys, eventId: string, json: string): Promise<void> {
  await redis.set(keys.storedEvent(eventId), deflateRawSync(json), "PX", STORED_EVENT_TTL_MS);
}

/** The stored JSON of an event, or undefined. */
export async function readStoredEvent(redis: Redis, keys: Keys, eventId: string): Promise<string | undefined> {
  const stored = await redis.getBuffer(keys.storedEvent(eventId));
  // A little above the limit of an event: what is stored has been normalised, and may have grown by a few names.
  return stored === null
    ? undefined
    : inflateRawSync(stored, { maxOutputLength: 2 * MAX_EVENT_BYTES }).toString("utf8");
}

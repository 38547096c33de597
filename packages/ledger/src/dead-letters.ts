import type { Keys } from "@assay/protocol";
import type { Redis } from "ioredis";

/** A submission that could not be opened. */
export interface InputLetter {
  readonly code: string;
  /** When it was decided, unix ms. */
  readonly at: number;
  readonly payload: Uint8Array;
}

/** The latest input dead letters, newest first. Of each at most 128 KiB, so ask for few. */
export async function readInputLetters(redis: Redis, keys: Keys, limit: number): Promise<InputLetter[]> {
  const entries = await redis.xrevrangeBuffer(keys.deadLetters("input"), "+", "-", "COUNT", limit);
  return entries.map(([, fields]) => {
    const valueOf = (name: string) => fields[fields.findIndex((field) => field.toString() === name) + 1];
    return {
      code: valueOf("code")?.toString() ?? "",
      at: Number(valueOf("at")?.toString() ?? 0),
      payload: valueOf("payload") ?? new Uint8Array(),
    };
  });
}

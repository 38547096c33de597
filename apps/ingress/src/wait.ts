import type { Decided, VerdictWaiter } from "@assay/client/waiter";
import type { ServerResponse } from "node:http";
import { z } from "zod";

const MAX_WAIT_SECONDS = 30;
const RANGE = `wait must be seconds from 0 to ${MAX_WAIT_SECONDS}, with decimals if you like: ?wait=0.3`;

/** A query's `wait` as ms: how long the whole request may take. 0 when it is absent: do not wait. */
export const WaitQuery = z.object({
  wait: z
    .string({ error: RANGE })
    .regex(/^\d{1,2}(\.\d{1,9})?$/, RANGE)
    .transform((seconds) => Number(seconds) * 1000)
    .refine((waitMs) => waitMs <= MAX_WAIT_SECONDS * 1000, RANGE)
    .optional()
    .meta({ type: "number", minimum: 0, maximum: MAX_WAIT_SECONDS, pattern: undefined })
    .describe("Seconds that the whole request may take. Absent or 0 does not wait for the verdict."),
});

/** Waits for a verdict until `leftMs` are over or the caller has gone; undefined then. */
export async function waitForVerdict(
  waiter: VerdictWaiter,
  id: string,
  { leftMs, response }: { readonly leftMs: number; readonly response: ServerResponse },
): Promise<Decided | undefined> {
  if (leftMs <= 0) return undefined;
  const gone = new AbortController();
  const onClose = () => gone.abort();
  response.once("close", onClose);
  try {
    return await waiter.waitFor(id, { timeoutMs: leftMs, signal: gone.signal });
  } catch (error) {
    if (gone.signal.aborted) return undefined;
    throw error;
  } finally {
    response.off("close", onClose);
  }
}

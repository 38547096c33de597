import type { Source } from "@assay/worker";

/** An event with this linked id kills the process that touches it. */
export const POISON = "poison-pill";

/** A source that dies of a poisoned event at once, as a crash in native code would. */
export function poisonable(source: Source): Source {
  return async (work, signal) => {
    const sourced = await source(work, signal);
    if (sourced.status === "event" && sourced.event.linked_id === POISON) process.kill(process.pid, "SIGKILL");
    return sourced;
  };
}

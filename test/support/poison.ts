import type { Source } from "@assay/worker";

/** An event with this linked id kills the process that touches it. */
export const POISON = "poison-pill";

/** An event with this linked id makes the process that touches it stand still for ever. */
export const HANGING_POISON = "hanging-pill";

/** An event with this linked id is never sourced: its batch stays in hand while the process goes on. */
export const SLEEPING_PILL = "sleeping-pill";

/** A source that dies of a poisoned event at once, as a crash in native code would. */
export function poisonable(source: Source): Source {
  return async (work, signal, options) => {
    const sourced = await source(work, signal, options);
    const pill = sourced.status === "event" ? sourced.event.linked_id : undefined;
    if (pill === POISON) process.kill(process.pid, "SIGKILL");
    if (pill === HANGING_POISON) for (;;);
    if (pill === SLEEPING_PILL) await new Promise(() => undefined);
    return sourced;
  };
}

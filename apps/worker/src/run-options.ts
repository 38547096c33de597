import type { Logger } from "@assay/host";
import type { ArchiverOptions } from "./archive/archiver.ts";
import type { WorkerConfig } from "./config.ts";
import type { DelivererOptions } from "./deliver/deliverer.ts";
import type { LookupTiming } from "./lookup-timing.ts";
import type { Source } from "./sourced.ts";

/** What a worker process runs with. */
export interface RunOptions {
  readonly config: WorkerConfig;
  readonly logger: Logger;
  /** File of the process in which suspects run alone. */
  readonly suspectFile: URL;
  /** Stands before the real source; for processes that put one around it. */
  readonly aroundSource?: (source: Source) => Source;
  /** Other times than the usual, for lookups. */
  readonly lookupTiming?: Partial<LookupTiming>;
  /** Other names and times than the usual, for deliveries. */
  readonly deliveries?: Pick<DelivererOptions, "resolve" | "timing">;
  /** Other times than the usual, for the archive. */
  readonly archiveTiming?: ArchiverOptions["timing"];
  /** Gives up waiting for Redis. */
  readonly signal?: AbortSignal;
}

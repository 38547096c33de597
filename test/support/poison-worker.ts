import { createLogger, runUntilSignal } from "@assay/host";
import { loadConfig, runWorker } from "@assay/worker";
import { poisonable } from "./poison.ts";

const logger = createLogger({ name: "worker" });
const worker = await runWorker({
  config: loadConfig(),
  logger,
  suspectFile: new URL("./poison-suspect.ts", import.meta.url),
  aroundSource: poisonable,
});
runUntilSignal({ logger, deadlineMs: 20_000, stops: [() => worker.stop()] });

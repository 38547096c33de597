import { configOrExit, createLogger, runUntilSignal } from "@assay/host";
import { loadConfig } from "./config.ts";
import { createIngress } from "./ingress.ts";

// Below the 30 s that Kubernetes grants.
const STOP_DEADLINE_MS = 25_000;

const config = configOrExit(loadConfig);
const logger = createLogger({ name: "ingress", level: config.logLevel });
const ingress = createIngress(config, { logger });
let isStopping = false;

runUntilSignal({
  logger,
  deadlineMs: STOP_DEADLINE_MS,
  stops: [
    () => {
      isStopping = true;
      return ingress.stop();
    },
  ],
});

try {
  await ingress.start();
} catch (error) {
  // A start that a signal ended is no failure.
  if (!isStopping) {
    logger.fatal({ err: error }, "could not start");
    process.exit(1);
  }
}

import { createAssayClient } from "@assay/client";
import { archiveOf } from "./archive-of.ts";

// A consumer that one verdict kills.
const [, , url = "", prefix = "", group = "", fatal = "", rows = "[]"] = process.argv;
createAssayClient({ connection: url, prefix }).consume(
  { group, concurrency: 1, takeoverAfterMs: 300, retryAfterMs: 10, archive: archiveOf(JSON.parse(rows)) },
  ({ id }) => {
    if (id === fatal) process.kill(process.pid, "SIGKILL");
  },
);

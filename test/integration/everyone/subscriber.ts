import { createAssayClient } from "@assay/client";

// A subscriber that writes each verdict down, one a line, before it says that it has it.
const [, , url = "", prefix = ""] = process.argv;
createAssayClient({ connection: url, prefix }).consume(
  { group: "crm", from: "beginning", concurrency: 4, takeoverAfterMs: 1000 },
  (verdict) => void process.stdout.write(`${JSON.stringify(verdict)}\n`),
);

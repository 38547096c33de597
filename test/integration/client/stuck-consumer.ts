import { createAssayClient } from "@assay/client";

// A consumer that takes one verdict, says so, and never finishes with it.
const [, , url = "", prefix = "", group = ""] = process.argv;
createAssayClient({ connection: url, prefix }).consume(
  { group, from: "beginning", concurrency: 1, takeoverAfterMs: 300 },
  (verdict) => {
    process.stdout.write(`${verdict.id}\n`);
    return new Promise(() => undefined);
  },
);

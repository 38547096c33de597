#!/usr/bin/env node
// Committed, because npm links a command only if its file is there at install time, which is before the build.
import { existsSync } from "node:fs";

const bundle = new URL("../dist/assay.js", import.meta.url);
if (existsSync(bundle)) await import(bundle.href);
else {
  process.stderr.write("assay is not built in this checkout. Run: npm run build\n");
  process.exitCode = 3;
}

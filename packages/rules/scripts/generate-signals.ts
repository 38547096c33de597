/** Writes docs/signals.md from the catalogue of conditions. Usage: npm run generate:signals -w @assay/rules */
import { writeFileSync } from "node:fs";
import { signalsDocument } from "./signals-document.ts";

writeFileSync(new URL("../../../docs/signals.md", import.meta.url), signalsDocument());

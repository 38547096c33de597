/** Writes schema/*.schema.json, what editors check rulesets by. Usage: npm run generate:schema -w @assay/rules */
import { writeFileSync } from "node:fs";
import { schemaFiles } from "./schema-files.ts";

for (const [file, schema] of schemaFiles()) {
  writeFileSync(new URL(`../schema/${file}`, import.meta.url), `${JSON.stringify(schema, undefined, 2)}\n`);
}

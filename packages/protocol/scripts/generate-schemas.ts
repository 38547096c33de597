/** Writes schema/*.schema.json, what other languages check the wire by. Usage: npm run generate:schemas -w @assay/protocol */
import { mkdirSync, writeFileSync } from "node:fs";
import { jsonSchemas } from "./json-schemas.ts";

const folder = new URL("../schema/", import.meta.url);
mkdirSync(folder, { recursive: true });
for (const [file, schema] of jsonSchemas()) {
  writeFileSync(new URL(file, folder), `${JSON.stringify(schema, undefined, 2)}\n`);
}

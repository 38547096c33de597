import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { env } from "node:process";
import { fileURLToPath } from "node:url";

/** The folder of the vendor's published vectors, examples and schemas. They are not part of this project. */
const repository = fileURLToPath(new URL("../../../", import.meta.url));
const folder = resolve(repository, env["ASSAY_FINGERPRINT_FACTS"] ?? "../shared/fingerprint");

/** Whether there is such a folder; tests on it are skipped without. */
export const hasVendorFacts = existsSync(folder);

/** What a skipped suite says of itself. */
export const VENDOR_FACTS = "vendor facts (in the folder that ASSAY_FINGERPRINT_FACTS names)";

/** The bytes of one file of the folder. */
export function vendorFile(path: string): Buffer {
  return readFileSync(resolve(folder, path));
}

/** The rows of one JSON file of the folder; none without the folder, as tables are read before a suite is skipped. */
export function vendorRows<T>(path: string, read: (row: unknown) => T): T[] {
  if (!hasVendorFacts) return [];
  const rows: unknown = JSON.parse(vendorFile(path).toString());
  return Array.isArray(rows) ? rows.map(read) : [];
}

/** Paths of all files under a folder of it that end in `.json`; none without the folder. */
export function vendorFiles(under: string): string[] {
  if (!hasVendorFacts) return [];
  return readdirSync(resolve(folder, under), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".json"))
    .map((path) => `${under}/${path}`);
}

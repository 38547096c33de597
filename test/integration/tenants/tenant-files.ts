import { createHash } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Role } from "@assay/protocol";

/** Writes a file of this content; returns its path. */
export function put(name: string, content: object | string): string {
  const file = join(mkdtempSync(join(tmpdir(), "assay-tenants-")), name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
}

/** A file for `ASSAY_TENANTS_FILE`. */
export function tenantsFile(tenants: object): string {
  return put("tenants.json", { tenants });
}

/** A folder whose only ruleset blocks every bot, by a rule of this name. */
export function rulesetsOf(rule: string, more = ""): string {
  const file = put(
    "default.yaml",
    `ruleset: default\nrules:\n  - { id: ${rule}, when: bot == "bad", action: block }\n${more}`,
  );
  return join(file, "..");
}

export interface KeyOfTest {
  readonly tenant: string;
  readonly name: string;
  readonly secret: string;
  readonly roles: readonly Role[];
}

/** A file for `ASSAY_KEYS_FILE`. */
export function keysFile(keys: readonly KeyOfTest[]): string {
  return put("keys.json", {
    keys: keys.map(({ secret, ...key }) => ({ ...key, sha256: createHash("sha256").update(secret).digest("hex") })),
  });
}

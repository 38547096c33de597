import { dirname, resolve } from "node:path";
import { isRecord, isTenantName, TENANT_NAME_RULE } from "@assay/protocol";
import { z } from "zod";
import type { EnvReader, SettingsFile } from "./env.ts";
import { faultsOf, parseSettings, showPath } from "./settings-document.ts";

/*
 * ASSAY_TENANTS_FILE: YAML, of which JSON is a part.
 *
 *   tenants:
 *     shop-eu:
 *       sealed_keys: [base64, …]            or sealed_keys_file
 *       webhook_secrets: […]                or webhook_secrets_file
 *       webhook_basic_auth: user:password   or webhook_basic_auth_file
 *       webhook_verdicts: all | none
 *       fingerprint: { api_keys: […] (or api_keys_file), region, api_url, ruleset_id, rps, burst }
 *       rulesets: ./rulesets-eu
 *
 * Each setting stands for the variable that says the same of the default tenant, so that both are judged by one rule.
 * Paths are relative to the file.
 */

const Text = z.string("must be a text. Write it in quotes.").min(1, "is empty. Remove it, or fill it in.");
// A list of secrets is one text with commas, as in a variable.
const Secret = Text.regex(/^[\x21-\x2b\x2d-\x7e]+$/, "must be visible ASCII characters without a comma.");
const Secrets = z.array(Secret, "must be a list: [one, two].").min(1, "is an empty list. Remove it, or fill it in.");
const Amount = z.number("must be a number.");

const Fingerprint = z.strictObject(
  {
    api_keys: Secrets.optional(),
    api_keys_file: Text.optional(),
    region: Text.optional(),
    api_url: Text.optional(),
    ruleset_id: Text.optional(),
    rps: Amount.optional(),
    burst: Amount.optional(),
  },
  "must hold settings.",
);

const Tenant = z.strictObject(
  {
    sealed_keys: Secrets.optional(),
    sealed_keys_file: Text.optional(),
    webhook_secrets: Secrets.optional(),
    webhook_secrets_file: Text.optional(),
    webhook_basic_auth: Text.optional(),
    webhook_basic_auth_file: Text.optional(),
    webhook_verdicts: Text.optional(),
    fingerprint: Fingerprint.optional(),
    rulesets: Text.optional(),
  },
  "must hold settings.",
);

const KNOWN = [...Object.keys(Tenant.shape), ...Object.keys(Fingerprint.shape)];

/** The path of each setting inside its tenant, by its variable. */
const PATHS = new Map<string, readonly string[]>([
  ["ASSAY_SEALED_KEYS", ["sealed_keys"]],
  ["ASSAY_SEALED_KEYS_FILE", ["sealed_keys_file"]],
  ["ASSAY_WEBHOOK_SECRETS", ["webhook_secrets"]],
  ["ASSAY_WEBHOOK_SECRETS_FILE", ["webhook_secrets_file"]],
  ["ASSAY_WEBHOOK_BASIC_AUTH", ["webhook_basic_auth"]],
  ["ASSAY_WEBHOOK_BASIC_AUTH_FILE", ["webhook_basic_auth_file"]],
  ["ASSAY_WEBHOOK_VERDICTS", ["webhook_verdicts"]],
  ["ASSAY_FINGERPRINT_API_KEYS", ["fingerprint", "api_keys"]],
  ["ASSAY_FINGERPRINT_API_KEYS_FILE", ["fingerprint", "api_keys_file"]],
  ["ASSAY_FINGERPRINT_REGION", ["fingerprint", "region"]],
  ["ASSAY_FINGERPRINT_API_URL", ["fingerprint", "api_url"]],
  ["ASSAY_FINGERPRINT_RULESET_ID", ["fingerprint", "ruleset_id"]],
  ["ASSAY_FINGERPRINT_RPS", ["fingerprint", "rps"]],
  ["ASSAY_FINGERPRINT_BURST", ["fingerprint", "burst"]],
  ["ASSAY_RULESETS", ["rulesets"]],
]);

/** What the file says of one tenant: texts by the variable that says the same of the default tenant. */
export type TenantSettings = ReadonlyMap<string, string>;

/** What a fault calls a setting of the file. */
export function showSetting(tenant: string, variable: string): string {
  return showPath(["tenants", tenant, ...(PATHS.get(variable) ?? [variable])]);
}

/** The tenants of the file, by name. Every fault of its form is the reader's; what it says of secrets is in none. */
export function readTenantsFile(reader: EnvReader, { path, text }: SettingsFile): Map<string, TenantSettings> {
  const document = parseSettings(text);
  const found = new Map<string, TenantSettings>();
  if (!document.ok) {
    for (const { name, message } of document.faults) reader.fault("ASSAY_TENANTS_FILE", `${name} ${message}`);
    return found;
  }
  const { value } = document;
  if (!isRecord(value) || !isRecord(value["tenants"]) || Object.keys(value).length > 1) {
    reader.fault("ASSAY_TENANTS_FILE", "must hold tenants, by their names, and nothing beside them.");
    return found;
  }
  for (const [index, [name, entry]] of Object.entries(value["tenants"]).entries()) {
    if (isTenantName(name)) found.set(name, readTenant(reader, name, entry ?? {}, dirname(path)));
    else reader.fault("tenants", `has a name, its number ${index + 1}, that is not ${TENANT_NAME_RULE}.`);
  }
  return found;
}

function readTenant(reader: EnvReader, name: string, entry: unknown, folder: string): TenantSettings {
  const { error } = Tenant.safeParse(entry);
  const wrong = error === undefined ? [] : error.issues.map((issue) => showPath(issue.path));
  for (const fault of error === undefined ? [] : faultsOf(error, KNOWN)) {
    const within = fault.name === "the document" ? [] : [fault.name];
    reader.fault(showPath(["tenants", name, ...within]), fault.message);
  }
  const settings = new Map<string, string>();
  for (const [variable, path] of PATHS) {
    const shown = showPath(path);
    if (wrong.some((other) => other === shown || other.startsWith(`${shown}[`))) continue;
    const text = textOf(path.reduce<unknown>((at, key) => (isRecord(at) ? at[key] : undefined), entry));
    if (text === undefined) continue;
    const isPath = variable === "ASSAY_RULESETS" || variable.endsWith("_FILE");
    settings.set(variable, isPath ? resolve(folder, text) : text);
  }
  return settings;
}

function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}

import { type EnvReader, readTenants } from "@assay/host";
import {
  type CredentialFile,
  type CredentialParts,
  type CredentialSource,
  joinParts,
  NO_CREDENTIALS,
  takePart,
  withTenant,
} from "./credential-sources.ts";
import { CredentialError, faultsOfCredentials } from "./credentials.ts";
import { readKeysFile } from "./keys-file.ts";

/** Which webhooks get a verdict. */
export type WebhookVerdicts = "all" | "none";

/** What the ingress is told of one tenant, besides its credentials. */
export interface IngressTenant {
  readonly name: string;
  /** `none`: a webhook only brings its event, for submissions that wait for it. */
  readonly webhookVerdicts: WebhookVerdicts;
}

/** The tenants and what they prove themselves with. */
export interface TenantsAndCredentials {
  readonly tenants: readonly IngressTenant[];
  readonly credentials: CredentialParts;
  /** Files that hold credentials: these are followed. */
  readonly credentialFiles: readonly CredentialFile[];
}

const VARIABLES = {
  own: ["ASSAY_INGRESS_KEYS", "ASSAY_WEBHOOK_SECRETS", "ASSAY_WEBHOOK_BASIC_AUTH"],
  shared: ["ASSAY_WEBHOOK_VERDICTS"],
};

/** Reads tenants, keys and webhook credentials. Every fault is the reader's. */
export function readCredentials(reader: EnvReader, areKeysNeeded: boolean): TenantsAndCredentials {
  let parts = NO_CREDENTIALS;
  const files: CredentialFile[] = [];

  function readPart(from: EnvReader, variable: string, source: CredentialSource): void {
    const setting = `${variable}_FILE`;
    const path = from.optional(setting);
    if (path !== undefined) files.push({ source, setting: from.shown(setting), path });
    const text = from.secret(variable);
    if (text === undefined) return;
    try {
      parts = takePart(parts, source, text);
    } catch (error) {
      if (!(error instanceof CredentialError)) throw error;
      from.fault(path === undefined ? variable : setting, error.message);
    }
  }

  function readKeys(): void {
    readPart(reader, "ASSAY_INGRESS_KEYS", { of: "short_keys" });
    const file = reader.file("ASSAY_KEYS_FILE", { describe: "keys" });
    if (file === undefined) return;
    files.push({ source: { of: "keys" }, setting: "ASSAY_KEYS_FILE", path: file.path });
    const read = readKeysFile(file.text);
    if (read.ok) parts = { ...parts, keys: read.keys };
    else for (const { name, message } of read.faults) reader.fault(name, message);
  }

  const tenants = readTenants(reader, VARIABLES, (name, settings): IngressTenant => {
    parts = withTenant(parts, name);
    readPart(settings, "ASSAY_WEBHOOK_SECRETS", { of: "webhook_secrets", tenant: name });
    readPart(settings, "ASSAY_WEBHOOK_BASIC_AUTH", { of: "webhook_basic_auth", tenant: name });
    return { name, webhookVerdicts: settings.choice("ASSAY_WEBHOOK_VERDICTS", ["all", "none"], { default: "all" }) };
  });
  readKeys();
  const isSet = (name: string) => reader.optional(name) !== undefined;
  if (areKeysNeeded && !["ASSAY_INGRESS_KEYS", "ASSAY_INGRESS_KEYS_FILE", "ASSAY_KEYS_FILE"].some(isSet)) {
    reader.fault(
      "ASSAY_INGRESS_KEYS",
      "is not set. Set it to a comma list of name:secret, one for each of your backends, or set ASSAY_KEYS_FILE.",
    );
  }
  for (const { name, message } of faultsOfCredentials(joinParts(parts))) reader.fault(name, message);
  return { tenants, credentials: parts, credentialFiles: files };
}

import {
  CredentialError,
  type CredentialFault,
  type Credentials,
  faultsOfCredentials,
  type IngressKey,
  readBasicAuth,
  readShortKeys,
  readWebhookSecrets,
  type WebhookCredentials,
} from "./credentials.ts";
import { readKeysFile } from "./keys-file.ts";

/** One place that holds a part of the credentials. */
export type CredentialSource =
  | { readonly of: "short_keys" }
  | { readonly of: "keys" }
  | { readonly of: "webhook_secrets"; readonly tenant: string }
  | { readonly of: "webhook_basic_auth"; readonly tenant: string };

/** A source in a file, which is followed. */
export interface CredentialFile {
  readonly source: CredentialSource;
  /** The setting that names the file. */
  readonly setting: string;
  readonly path: string;
}

/** All credentials, each part by itself so that one can be taken anew. */
export interface CredentialParts {
  readonly shortKeys: readonly IngressKey[];
  readonly keys: readonly IngressKey[];
  readonly webhooks: ReadonlyMap<string, WebhookCredentials>;
}

/** Nobody's credentials. */
export const NO_CREDENTIALS: CredentialParts = { shortKeys: [], keys: [], webhooks: new Map() };

/** The parts with a tenant more, which has no webhook credentials yet. */
export function withTenant(parts: CredentialParts, tenant: string): CredentialParts {
  return withWebhooks(parts, tenant, {});
}

/** The parts with one of them taken anew from its text. Throws a CredentialError that tells every fault of the text. */
export function takePart(parts: CredentialParts, source: CredentialSource, text: string): CredentialParts {
  switch (source.of) {
    case "short_keys":
      return { ...parts, shortKeys: readShortKeys(text) };
    case "keys": {
      const read = readKeysFile(text);
      if (!read.ok) throw new CredentialError(showFaults(read.faults));
      return { ...parts, keys: read.keys };
    }
    case "webhook_secrets":
      return withWebhooks(parts, source.tenant, { secrets: readWebhookSecrets(text) });
    case "webhook_basic_auth":
      return withWebhooks(parts, source.tenant, { basicAuth: readBasicAuth(text) });
  }
}

/** The parts together. What does not go together `faultsOfCredentials` tells. */
export function joinParts({ shortKeys, keys, webhooks }: CredentialParts): Credentials {
  return { keys: [...shortKeys, ...keys], webhooks };
}

/** The parts together. Throws a CredentialError that tells what does not go together. */
export function joinChecked(parts: CredentialParts): Credentials {
  const joined = joinParts(parts);
  const faults = faultsOfCredentials(joined);
  if (faults.length > 0) throw new CredentialError(showFaults(faults));
  return joined;
}

function withWebhooks(parts: CredentialParts, tenant: string, change: Partial<WebhookCredentials>): CredentialParts {
  const before = parts.webhooks.get(tenant) ?? { secrets: [] };
  return { ...parts, webhooks: new Map(parts.webhooks).set(tenant, { ...before, ...change }) };
}

function showFaults(faults: readonly CredentialFault[]): string {
  return faults.map(({ name, message }) => `${name} ${message}`).join(" ");
}

import { createHash } from "node:crypto";

/** A named key of a caller. The secret itself is not kept. */
export interface IngressKey {
  /** Part of every submission id, so that secrets may rotate under one name. */
  readonly name: string;
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array;
}

/** What callers and Fingerprint prove themselves with. */
export interface Credentials {
  readonly keys: readonly IngressKey[];
  /** Secrets that sign webhooks; any of them may have signed. */
  readonly webhookSecrets: readonly string[];
  /** `user:password`, asked for only while there is no webhook secret. */
  readonly webhookBasicAuth?: string;
}

/** Variables that hold credentials. */
export const CREDENTIAL_VARIABLES = [
  "ASSAY_INGRESS_KEYS",
  "ASSAY_WEBHOOK_SECRETS",
  "ASSAY_WEBHOOK_BASIC_AUTH",
] as const;

/** A credential's text cannot be used. The message says what to change, and never holds the text. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
  readonly code = "credential_invalid";
}

/** Reads one variable's text into its part of the credentials. Throws a CredentialError. */
export function readCredential(variable: (typeof CREDENTIAL_VARIABLES)[number], text: string): Partial<Credentials> {
  switch (variable) {
    case "ASSAY_INGRESS_KEYS":
      return { keys: readKeys(text) };
    case "ASSAY_WEBHOOK_SECRETS":
      return { webhookSecrets: readWebhookSecrets(text) };
    case "ASSAY_WEBHOOK_BASIC_AUTH":
      return { webhookBasicAuth: readBasicAuth(text) };
  }
}

/** SHA-256 of a text: equal lengths, so that two secrets can be compared in constant time. */
export function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function readKeys(text: string): readonly IngressKey[] {
  const names = new Map<string, string>();
  for (const [index, entry] of splitList(text).entries()) {
    const [, name = "default", secret = ""] = /^(?:([^:]*):)?(.*)$/s.exec(entry) ?? [];
    if (!/^[a-z0-9_-]{1,64}$/.test(name)) {
      throw new CredentialError(
        `Key ${index + 1} has a name that is not 1 to 64 characters of a-z, 0-9, _ and -. Write name:secret, or secret alone without a colon.`,
      );
    }
    if (!/^[\x21-\x7e]+$/.test(secret)) {
      throw new CredentialError(`Key ${index + 1} has no secret of visible ASCII characters. Write name:secret.`);
    }
    const taken = names.get(secret);
    if (taken !== undefined && taken !== name) {
      throw new CredentialError(`Key ${index + 1} has the secret of another name. Give each name its own.`);
    }
    names.set(secret, name);
  }
  if (names.size === 0) throw new CredentialError("There is no key in it. Write a comma list of name:secret.");
  return [...names].map(([secret, name]) => ({ name, hash: sha256(secret) }));
}

function readWebhookSecrets(text: string): readonly string[] {
  const secrets = splitList(text);
  if (secrets.length > 0) return secrets;
  throw new CredentialError("There is no secret in it. Write a comma list of the webhooks' secrets.");
}

function readBasicAuth(text: string): string {
  if (/^[^:]+:.+$/s.test(text)) return text;
  throw new CredentialError("It must be user:password, both as set on the webhook.");
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

import { createHash } from "node:crypto";
import { DEFAULT_TENANT, faultOfRoles, type Role } from "@assay/protocol";

/** Who calls, and what for. */
export interface Caller {
  readonly tenant: string;
  /** Part of every submission id, so that secrets may rotate under one name. */
  readonly name: string;
  readonly roles: readonly Role[];
}

/** A named key of a caller. The secret itself is not kept. */
export interface IngressKey extends Caller {
  /** SHA-256 of the secret. */
  readonly hash: Uint8Array;
  /** Where it was read, for faults: a variable, or a path in `ASSAY_KEYS_FILE`. */
  readonly origin: string;
}

/** What Fingerprint proves itself with to one tenant. */
export interface WebhookCredentials {
  /** Secrets that sign webhooks; any of them may have signed. */
  readonly secrets: readonly string[];
  /** `user:password`, asked for only while there is no secret. */
  readonly basicAuth?: string;
}

/** What callers and Fingerprint prove themselves with. */
export interface Credentials {
  readonly keys: readonly IngressKey[];
  /** By tenant; every tenant has some, maybe empty. */
  readonly webhooks: ReadonlyMap<string, WebhookCredentials>;
}

/** Something is wrong with a credential. */
export interface CredentialFault {
  /** A variable, or a path in a file. */
  readonly name: string;
  readonly message: string;
}

/** A credential's text cannot be used. The message says what to change, and never holds the text. */
export class CredentialError extends Error {
  override readonly name = "CredentialError";
  readonly code = "credential_invalid";
}

/** SHA-256 of a text: equal lengths, so that two secrets can be compared in constant time. */
export function sha256(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

const SHORT_ROLES: readonly Role[] = ["submit", "read"];

/** Reads `ASSAY_INGRESS_KEYS`: keys of the default tenant that submit and read. Throws a CredentialError. */
export function readShortKeys(text: string): readonly IngressKey[] {
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
  return [...names].map(([secret, name]) => ({
    tenant: DEFAULT_TENANT,
    name,
    roles: SHORT_ROLES,
    hash: sha256(secret),
    origin: "ASSAY_INGRESS_KEYS",
  }));
}

/** Reads a comma list of secrets that sign webhooks. Throws a CredentialError. */
export function readWebhookSecrets(text: string): readonly string[] {
  const secrets = splitList(text);
  if (secrets.length > 0) return secrets;
  throw new CredentialError("There is no secret in it. Write a comma list of the webhooks' secrets.");
}

/** Reads `user:password`. Throws a CredentialError. */
export function readBasicAuth(text: string): string {
  if (/^[^:]+:.+$/s.test(text)) return text;
  throw new CredentialError("It must be user:password, both as set on the webhook.");
}

/** The password of `user:password`. */
export function passwordOf(basicAuth: string): string {
  return basicAuth.slice(basicAuth.indexOf(":") + 1);
}

/** What is wrong with credentials beside each other: every key has its tenant, and no secret two owners. */
export function faultsOfCredentials({ keys, webhooks }: Credentials): CredentialFault[] {
  return [...faultsOfKeys(keys, new Set(webhooks.keys())), ...faultsOfWebhooks(webhooks)];
}

function faultsOfKeys(keys: readonly IngressKey[], tenants: ReadonlySet<string>): CredentialFault[] {
  const faults: CredentialFault[] = [];
  const owners = new Map<string, string>();
  const rolesOf = new Map<string, string>();
  for (const { tenant, name, roles, hash, origin } of keys) {
    const fault = (message: string) => void faults.push({ name: origin, message });
    const wrong = faultOfRoles(roles);
    if (wrong !== undefined) fault(wrong);
    if (!tenants.has(tenant)) {
      fault(`is a key of the tenant ${tenant}, which is not there. Name it in ASSAY_TENANTS_FILE.`);
    }
    const owner = `${tenant}/${name}`;
    const secret = Buffer.from(hash).toString("hex");
    if ((owners.get(secret) ?? owner) !== owner) {
      fault(`has the secret of ${owners.get(secret)} too. Give each name of each tenant its own.`);
    }
    owners.set(secret, owner);
    const sorted = [...new Set(roles)].toSorted().join(", ");
    if ((rolesOf.get(owner) ?? sorted) !== sorted) {
      fault(`has other roles than another key of ${owner}. Keys of one name may rotate, so give all the same roles.`);
    }
    rolesOf.set(owner, sorted);
  }
  return faults;
}

// A secret that two tenants share lets each take the other's events. Of Basic authorization the password alone proves it.
function faultsOfWebhooks(webhooks: ReadonlyMap<string, WebhookCredentials>): CredentialFault[] {
  const faults: CredentialFault[] = [];
  const owners = new Map<string, string>();
  for (const [tenant, { secrets, basicAuth }] of webhooks) {
    for (const secret of [...secrets, ...(basicAuth === undefined ? [] : [passwordOf(basicAuth)])]) {
      const owner = owners.get(secret) ?? tenant;
      owners.set(secret, owner);
      if (owner === tenant) continue;
      const message = `has a webhook credential of the tenant ${owner}. Give each tenant its own at Fingerprint.`;
      faults.push({ name: `tenants.${tenant}`, message });
    }
  }
  return faults;
}

function splitList(text: string): string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}

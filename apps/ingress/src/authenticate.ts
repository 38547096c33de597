import { timingSafeEqual } from "node:crypto";
import { verifySignature } from "@assay/fingerprint";
import { mayDo, ProblemError, type Role } from "@assay/protocol";
import { type Caller, type IngressKey, passwordOf, sha256, type WebhookCredentials } from "./credentials.ts";

/**
 * The caller whose key an Authorization header bears. Throws a ProblemError `unauthorized`.
 * Every key is compared, in constant time: how long it takes says nothing about them.
 */
export function authenticate(authorization: string | undefined, keys: readonly IngressKey[]): Caller {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  let caller: Caller | undefined;
  if (token !== undefined) {
    const hash = sha256(token);
    for (const key of keys) if (timingSafeEqual(key.hash, hash)) caller = key;
  }
  if (caller !== undefined) return caller;
  throw new ProblemError(
    "unauthorized",
    "Send the header Authorization: Bearer with a secret of ASSAY_INGRESS_KEYS, or of a key in ASSAY_KEYS_FILE.",
  );
}

/** Refuses a caller who has none of the roles that are needed. Throws a ProblemError `forbidden`. */
export function authorize(roles: readonly Role[], needed: readonly Role[]): void {
  if (needed.some((role) => mayDo(roles, role))) return;
  throw new ProblemError(
    "forbidden",
    `This needs a key with the role ${needed.join(" or ")}. Yours has ${roles.join(", ")}.`,
  );
}

/** What a webhook brings to prove itself. */
export interface WebhookProof {
  /** The `fpjs-event-signature` header. */
  readonly signature: string | undefined;
  readonly authorization: string | undefined;
  /** The query's `token`. */
  readonly token: string | undefined;
}

/**
 * Refuses a webhook before its body is read, where that can be told: nothing is configured, it is not signed, or,
 * where there is no webhook secret, its password is wrong. Throws a ProblemError.
 */
export function admitWebhook(proof: WebhookProof, credentials: WebhookCredentials): void {
  if (credentials.secrets.length > 0) {
    if (proof.signature !== undefined && proof.signature !== "") return;
    throw new ProblemError(
      "webhook_signature_missing",
      "The header fpjs-event-signature is missing. Turn on the signature of this webhook at Fingerprint.",
    );
  }
  const expected = credentials.basicAuth;
  if (expected === undefined) {
    throw new ProblemError(
      "webhook_auth_not_configured",
      "No webhook is taken before it can be told from a forged one. Set ASSAY_WEBHOOK_SECRETS or ASSAY_WEBHOOK_BASIC_AUTH, or the tenant's own in ASSAY_TENANTS_FILE.",
    );
  }
  const basic = /^Basic +(\S+)$/i.exec(proof.authorization ?? "")?.[1];
  const given = basic === undefined ? undefined : Buffer.from(basic, "base64").toString("utf8");
  if (isSame(given, expected) || isSame(proof.token, passwordOf(expected))) return;
  throw new ProblemError(
    "unauthorized",
    "Send the user and password of this webhook by Basic authorization, or the password as ?token=.",
  );
}

/** Refuses a body that none of the webhook secrets signed. Throws a ProblemError `webhook_signature_invalid`. */
export function verifyWebhook(body: Uint8Array, signature: string | undefined, secrets: readonly string[]): void {
  if (secrets.length === 0 || verifySignature(body, signature, secrets)) return;
  throw new ProblemError(
    "webhook_signature_invalid",
    "The signature was not made over this body with a webhook secret that is known here. Compare it with the secret of this webhook at Fingerprint; a proxy must not change the body.",
  );
}

function isSame(given: string | undefined, expected: string): boolean {
  return given !== undefined && timingSafeEqual(sha256(given), sha256(expected));
}

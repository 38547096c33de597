import { timingSafeEqual } from "node:crypto";
import { verifySignature } from "@assay/fingerprint";
import { ProblemError } from "@assay/protocol";
import { type Credentials, type IngressKey, sha256 } from "./credentials.ts";

/**
 * The name of the key that an Authorization header bears. Throws a ProblemError `unauthorized`.
 * Every key is compared, in constant time: how long it takes says nothing about them.
 */
export function authenticate(authorization: string | undefined, keys: readonly IngressKey[]): string {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  let name: string | undefined;
  if (token !== undefined) {
    const hash = sha256(token);
    for (const key of keys) if (timingSafeEqual(key.hash, hash)) name = key.name;
  }
  if (name !== undefined) return name;
  throw new ProblemError("unauthorized", "Send the header Authorization: Bearer with a secret of ASSAY_INGRESS_KEYS.");
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
export function admitWebhook(proof: WebhookProof, credentials: Credentials): void {
  if (credentials.webhookSecrets.length > 0) {
    if (proof.signature !== undefined && proof.signature !== "") return;
    throw new ProblemError(
      "webhook_signature_missing",
      "The header fpjs-event-signature is missing. Turn on the signature of this webhook at Fingerprint.",
    );
  }
  const expected = credentials.webhookBasicAuth;
  if (expected === undefined) {
    throw new ProblemError(
      "webhook_auth_not_configured",
      "No webhook is taken before it can be told from a forged one. Set ASSAY_WEBHOOK_SECRETS, or ASSAY_WEBHOOK_BASIC_AUTH.",
    );
  }
  const basic = /^Basic +(\S+)$/i.exec(proof.authorization ?? "")?.[1];
  const given = basic === undefined ? undefined : Buffer.from(basic, "base64").toString("utf8");
  const password = expected.slice(expected.indexOf(":") + 1);
  if (isSame(given, expected) || isSame(proof.token, password)) return;
  throw new ProblemError(
    "unauthorized",
    "Send the user and password of ASSAY_WEBHOOK_BASIC_AUTH by Basic authorization, or the password as ?token=.",
  );
}

/** Refuses a body that none of the webhook secrets signed. Throws a ProblemError `webhook_signature_invalid`. */
export function verifyWebhook(body: Uint8Array, signature: string | undefined, secrets: readonly string[]): void {
  if (secrets.length === 0 || verifySignature(body, signature, secrets)) return;
  throw new ProblemError(
    "webhook_signature_invalid",
    "The signature was not made over this body with a secret of ASSAY_WEBHOOK_SECRETS. Compare it with the secret of this webhook at Fingerprint; a proxy must not change the body.",
  );
}

function isSame(given: string | undefined, expected: string): boolean {
  return given !== undefined && timingSafeEqual(sha256(given), sha256(expected));
}

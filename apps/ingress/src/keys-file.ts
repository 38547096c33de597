import { faultsOf, parseSettings } from "@assay/host";
import { DEFAULT_TENANT, isTenantName, ROLES, TENANT_NAME_RULE } from "@assay/protocol";
import { z } from "zod";
import type { CredentialFault, IngressKey } from "./credentials.ts";

const NAME_RULE = "must be 1 to 64 characters of a-z, 0-9, _ and -.";

const KeyEntry = z.strictObject(
  {
    name: z.string(NAME_RULE).regex(/^[a-z0-9_-]{1,64}$/, NAME_RULE),
    // YAML reads a bare 0 as a number.
    tenant: z
      .union([z.string(), z.int()], `must be ${TENANT_NAME_RULE}.`)
      .transform(String)
      .refine(isTenantName, `must be ${TENANT_NAME_RULE}.`)
      .default(DEFAULT_TENANT),
    sha256: z
      .string("must be the SHA-256 of the secret: assay keys hash makes it.")
      .regex(/^[0-9a-f]{64}$/i, "must be 64 hex digits, the SHA-256 of the secret: assay keys hash makes it."),
    roles: z.array(z.enum(ROLES, `must be one of ${ROLES.join(", ")}.`), "must be a list of roles."),
  },
  "must hold name, sha256 and roles.",
);

const KeysFile = z.strictObject(
  { keys: z.array(KeyEntry, "must be a list of keys.").min(1, "holds no key: nobody could call.") },
  "must hold keys, and nothing beside them.",
);

/** Keys that were read, or what is wrong with their file. */
export type ReadKeys =
  | { readonly ok: true; readonly keys: readonly IngressKey[] }
  | { readonly ok: false; readonly faults: readonly CredentialFault[] };

/** Reads the text of `ASSAY_KEYS_FILE`: YAML, of which JSON is a part. Nothing but hashes stands in it. */
export function readKeysFile(text: string): ReadKeys {
  const document = parseSettings(text);
  if (!document.ok) return document;
  const { data, error } = KeysFile.safeParse(document.value);
  if (error !== undefined) return { ok: false, faults: faultsOf(error, Object.keys(KeyEntry.shape)) };
  const keys = data.keys.map(({ sha256, ...caller }, index) => ({
    ...caller,
    hash: Buffer.from(sha256, "hex"),
    origin: `keys[${index}]`,
  }));
  return { ok: true, keys };
}

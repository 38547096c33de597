import { createHash } from "node:crypto";
import { DEFAULT_TENANT, faultOfRoles, isRole, isTenantName, ROLES, TENANT_NAME_RULE } from "@assay/protocol";
import { CommandError, EXIT, type Report, type World } from "./report.ts";

const SECRET_BYTES = 32;

export interface MakeKeyOptions {
  readonly name: string;
  readonly tenant: string;
  readonly role?: readonly string[];
}

/** `assay keys new`: makes a secret, and the entry for `ASSAY_KEYS_FILE` that knows it by its hash. */
export function makeKey({ name, tenant, role = ["submit", "read"] }: MakeKeyOptions, world: World): Report {
  if (!/^[a-z0-9_-]{1,64}$/.test(name)) throw wrong("--name must be 1 to 64 characters of a-z, 0-9, _ and -.");
  if (!isTenantName(tenant)) throw wrong(`--tenant must be ${TENANT_NAME_RULE}.`);
  const given = [...new Set(role)];
  const roles = given.filter(isRole);
  if (roles.length < given.length) throw wrong(`--role must be one of ${ROLES.join(", ")}.`);
  const fault = faultOfRoles(roles);
  if (fault !== undefined) throw wrong(`The key ${fault}`);
  const secret = Buffer.from(world.randomBytes(SECRET_BYTES)).toString("base64url");
  const key = { name, tenant, sha256: hashOf(secret), roles };
  // Quoted: to YAML a bare 0 is a number.
  const whose = tenant === DEFAULT_TENANT ? "" : ` tenant: "${tenant}",`;
  return {
    exitCode: EXIT.fine,
    json: { secret, key },
    text: [
      "The secret, which is shown this once and kept nowhere:",
      `  ${secret}`,
      "",
      "Add to keys in ASSAY_KEYS_FILE:",
      `  - { name: ${JSON.stringify(name)},${whose} sha256: "${key.sha256}", roles: [${roles.join(", ")}] }`,
    ].join("\n"),
  };
}

/** `assay keys hash`: the SHA-256 of the secret on standard input, without the line break at its end. */
export async function hashKey(world: World): Promise<Report> {
  const secret = (await world.readInput()).replace(/\r?\n$/, "");
  if (!/^[\x21-\x7e]+$/.test(secret)) {
    throw wrong("Standard input must hold one secret of visible ASCII characters: assay keys hash < secret.txt");
  }
  const sha256 = hashOf(secret);
  return { exitCode: EXIT.fine, json: { sha256 }, text: sha256 };
}

function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function wrong(message: string): CommandError {
  return new CommandError(EXIT.usage, message);
}

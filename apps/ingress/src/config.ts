import { type Env, type EnvReader, LOG_LEVELS, type LogLevel, readEnv, readRedisEnv, type RedisEnv } from "@assay/host";
import { CREDENTIAL_VARIABLES, CredentialError, type Credentials, readCredential } from "./credentials.ts";

/** Which routes are served: `api` for callers, `webhooks` for Fingerprint alone, or both. */
export type Surface = "all" | "api" | "webhooks";

/** All that the environment decides of this process. */
export interface IngressConfig extends RedisEnv {
  /** Bound of Redis's memory where the server itself has none. */
  readonly redisMaxBytes?: number;
  readonly surface: Surface;
  readonly credentials: Credentials;
  /** The `…_FILE` variables of the credentials that are set: these files are followed. */
  readonly credentialFiles: Env;
  /** 0 takes any free port. */
  readonly port: number;
  readonly adminPort: number;
  /** Whether `/openapi.json` is served. */
  readonly openapi: boolean;
  readonly logLevel: LogLevel;
}

const NOT_IN_THIS_VERSION = "not in this version";
const MAX_PORT = 65_535;

/** Reads the environment. Throws one ConfigError with every fault; no secret is in it. */
export function loadConfig(env: Env = process.env): IngressConfig {
  return readEnv(env, (reader) => {
    const surface = reader.choice("ASSAY_SURFACE", ["all", "api", "webhooks"], { default: "all" });
    for (const name of ["DATABASE_URL", "ASSAY_KEYS_FILE"]) {
      if (reader.optional(name) !== undefined) reader.fault(name, `is ${NOT_IN_THIS_VERSION}. Unset it.`);
    }
    const redisMaxBytes = reader.integer("ASSAY_REDIS_MAX_BYTES", { default: 0, min: 0 });
    return {
      ...readRedisEnv(reader),
      ...(redisMaxBytes === 0 ? {} : { redisMaxBytes }),
      surface,
      credentials: readCredentials(reader, surface),
      credentialFiles: Object.fromEntries(
        CREDENTIAL_VARIABLES.map((name) => [`${name}_FILE`, reader.optional(`${name}_FILE`)]),
      ),
      port: reader.integer("PORT", { default: 8080, min: 0, max: MAX_PORT }),
      adminPort: reader.integer("ASSAY_ADMIN_PORT", { default: 9090, min: 0, max: MAX_PORT }),
      openapi: reader.choice("ASSAY_OPENAPI", ["on", "off"], { default: "on" }) === "on",
      logLevel: reader.choice("LOG_LEVEL", LOG_LEVELS, { default: "info" }),
    };
  });
}

function readCredentials(reader: EnvReader, surface: Surface): Credentials {
  let credentials: Credentials = { keys: [], webhookSecrets: [] };
  for (const name of CREDENTIAL_VARIABLES) {
    const text = reader.secret(name);
    const isFromFile = reader.optional(`${name}_FILE`) !== undefined;
    if (text === undefined) {
      const isNeeded = name === "ASSAY_INGRESS_KEYS" && surface !== "webhooks" && !isFromFile;
      if (isNeeded)
        reader.fault(name, "is not set. Set it to a comma list of name:secret, one for each of your backends.");
      continue;
    }
    try {
      credentials = { ...credentials, ...readCredential(name, text) };
    } catch (error) {
      if (!(error instanceof CredentialError)) throw error;
      reader.fault(isFromFile ? `${name}_FILE` : name, error.message);
    }
  }
  return credentials;
}

import { type Env, type EnvReader, LOG_LEVELS, type LogLevel, readEnv } from "@assay/host";
import { type Durability, DURABILITIES, SERVER_ASSERTIONS, type ServerAssertion } from "@assay/ledger";
import { DEFAULT_PREFIX } from "@assay/protocol";
import { CREDENTIAL_VARIABLES, CredentialError, type Credentials, readCredential } from "./credentials.ts";

/** Which routes are served: `api` for callers, `webhooks` for Fingerprint alone, or both. */
export type Surface = "all" | "api" | "webhooks";

/** All that the environment decides of this process. */
export interface IngressConfig {
  readonly redisUrl: string;
  readonly redisAssertions: readonly ServerAssertion[];
  /** Bound of Redis's memory where the server itself has none. */
  readonly redisMaxBytes?: number;
  readonly prefix: string;
  readonly durability: Durability;
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
      redisUrl: readRedisUrl(reader),
      redisAssertions: readAssertions(reader),
      ...(redisMaxBytes === 0 ? {} : { redisMaxBytes }),
      prefix: reader.string("ASSAY_PREFIX", {
        default: DEFAULT_PREFIX,
        pattern: /^[A-Za-z0-9_.-]{1,64}$/,
        describe: "1 to 64 characters of A-Z, a-z, 0-9, _ . and -",
      }),
      durability: readDurability(reader),
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

function readRedisUrl(reader: EnvReader): string {
  const url = reader.secret("REDIS_URL");
  if (url === undefined) reader.fault("REDIS_URL", "is not set. Set it to redis://host:6379, or rediss:// for TLS.");
  else if (/^redis\+(cluster|sentinel):/.test(url)) {
    reader.fault(
      "REDIS_URL",
      `names a cluster or Sentinel, which is ${NOT_IN_THIS_VERSION}. Set it to redis://host:6379.`,
    );
  } else if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    reader.fault("REDIS_URL", "is not a redis:// or rediss:// address. Set it to redis://host:6379.");
  }
  return url ?? "";
}

function readDurability(reader: EnvReader): Durability {
  if (reader.optional("ASSAY_DURABILITY") !== "replica") {
    return reader.choice("ASSAY_DURABILITY", DURABILITIES, { default: "local" });
  }
  reader.fault("ASSAY_DURABILITY", `is replica, which is ${NOT_IN_THIS_VERSION}. Set it to memory or local.`);
  return "local";
}

function readAssertions(reader: EnvReader): readonly ServerAssertion[] {
  return reader.list("ASSAY_REDIS_ASSERT").flatMap((given) => {
    const known = SERVER_ASSERTIONS.find((assertion) => assertion === given);
    if (known !== undefined) return [known];
    reader.fault(
      "ASSAY_REDIS_ASSERT",
      `may only list ${SERVER_ASSERTIONS.join(" and ")}. It lists ${JSON.stringify(given)}.`,
    );
    return [];
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

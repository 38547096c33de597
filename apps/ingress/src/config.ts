import {
  type DatabaseAddress,
  type Env,
  LOG_LEVELS,
  type LogLevel,
  readDatabaseAddress,
  readEnv,
  readRedisEnv,
  type RedisEnv,
} from "@assay/host";
import { readCredentials, type TenantsAndCredentials } from "./read-credentials.ts";

/** Which routes are served: `api` for callers, `webhooks` for Fingerprint alone, or both. */
export type Surface = "all" | "api" | "webhooks";

/** All that the environment decides of this process. */
export interface IngressConfig extends RedisEnv, DatabaseAddress, TenantsAndCredentials {
  /** Bound of Redis's memory where the server itself has none. */
  readonly redisMaxBytes?: number;
  readonly surface: Surface;
  /** 0 takes any free port. */
  readonly port: number;
  readonly adminPort: number;
  /** Whether `/openapi.json` is served. */
  readonly openapi: boolean;
  readonly logLevel: LogLevel;
}

const MAX_PORT = 65_535;

/** Reads the environment. Throws one ConfigError with every fault; no secret is in it. */
export function loadConfig(env: Env = process.env): IngressConfig {
  return readEnv(env, (reader) => {
    const surface = reader.choice("ASSAY_SURFACE", ["all", "api", "webhooks"], { default: "all" });
    const redisMaxBytes = reader.integer("ASSAY_REDIS_MAX_BYTES", { default: 0, min: 0 });
    return {
      ...readRedisEnv(reader),
      ...(redisMaxBytes === 0 ? {} : { redisMaxBytes }),
      ...readDatabaseAddress(reader),
      surface,
      ...readCredentials(reader, surface !== "webhooks"),
      port: reader.integer("PORT", { default: 8080, min: 0, max: MAX_PORT }),
      adminPort: reader.integer("ASSAY_ADMIN_PORT", { default: 9090, min: 0, max: MAX_PORT }),
      openapi: reader.choice("ASSAY_OPENAPI", ["on", "off"], { default: "on" }) === "on",
      logLevel: reader.choice("LOG_LEVEL", LOG_LEVELS, { default: "info" }),
    };
  });
}

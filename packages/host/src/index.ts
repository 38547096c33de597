export {
  type AdminServer,
  AdminServerError,
  type AdminServerOptions,
  createAdminServer,
  type ReadyReport,
} from "./admin-server.ts";
export { configOrExit } from "./config-or-exit.ts";
export { followDatabaseUrl, readDatabaseAddress, readDatabaseUrl, type DatabaseAddress } from "./database-env.ts";
export {
  ConfigError,
  type ConfigFault,
  type Env,
  type EnvReader,
  type IntegerOptions,
  readEnv,
  type SettingsFile,
  type StringOptions,
  type VariableOptions,
} from "./env.ts";
export { createLogger, LOG_LEVELS, type Logger, type LoggerOptions, type LogLevel } from "./logger.ts";
export { ASSAY_VERSION, createMetrics, type Metrics } from "./metrics.ts";
export { createProgress, type Progress, type ProgressOptions } from "./progress.ts";
export { createRateLimitedLog, type RateLimit, type RateLimitedLog } from "./rate-limited-log.ts";
export { safeError, type SafeError } from "./redaction.ts";
export { readRedisEnv, type RedisEnv } from "./redis-env.ts";
export { type PreparedRedis, prepareRedis, RedisUnfitError, type RedisStartup } from "./redis-startup.ts";
export { type Lifecycle, runUntilSignal } from "./run-until-signal.ts";
export { followSecretFiles, type SecretFile, type SecretFiles, type SecretFilesOptions } from "./secret-files.ts";
export { faultsOf, parseSettings, type SettingsDocument, showPath } from "./settings-document.ts";
export { readTenants, type TenantVariables } from "./tenants.ts";

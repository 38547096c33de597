import { ConfigError } from "./env.ts";

/** What `load` returns; where the environment is at fault, prints every fault for people and exits 1. */
export function configOrExit<Config>(load: () => Config): Config {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // The log's level and format are not known yet.
    process.stderr.write(`${error.message}\n`);
    process.exit(1);
  }
}

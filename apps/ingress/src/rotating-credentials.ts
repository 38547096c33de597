import { followSecretFiles, type Logger } from "@assay/host";
import type { IngressConfig } from "./config.ts";
import { CREDENTIAL_VARIABLES, type Credentials, readCredential } from "./credentials.ts";

/** Credentials as they are now. */
export interface RotatingCredentials {
  current(): Credentials;
  stop(): Promise<void>;
}

/** Starts with the configured credentials and takes those of a `…_FILE` anew when it changes; a bad file changes nothing. */
export function rotateCredentials(config: IngressConfig, logger: Logger): RotatingCredentials {
  let { credentials } = config;
  const files = followSecretFiles({
    env: config.credentialFiles,
    names: CREDENTIAL_VARIABLES,
    changed(name, text) {
      const variable = CREDENTIAL_VARIABLES.find((known) => known === name);
      if (variable !== undefined) credentials = { ...credentials, ...readCredential(variable, text) };
    },
    logger,
  });
  return { current: () => credentials, stop: () => files.stop() };
}

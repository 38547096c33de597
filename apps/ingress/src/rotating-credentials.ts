import { followSecretFiles, type Logger } from "@assay/host";
import type { IngressConfig } from "./config.ts";
import { joinChecked, takePart } from "./credential-sources.ts";
import type { Credentials } from "./credentials.ts";

/** Credentials as they are now. */
export interface RotatingCredentials {
  current(): Credentials;
  stop(): Promise<void>;
}

/** Starts with the configured credentials and takes those of a file anew when it changes; a bad file changes nothing. */
export function rotateCredentials(config: IngressConfig, logger: Logger): RotatingCredentials {
  let parts = config.credentials;
  let current = joinChecked(parts);
  const files = followSecretFiles({
    files: config.credentialFiles.map(({ source, setting, path }) => ({
      setting,
      path,
      changed(text) {
        const next = takePart(parts, source, text);
        current = joinChecked(next);
        parts = next;
      },
    })),
    logger,
  });
  return { current: () => current, stop: () => files.stop() };
}

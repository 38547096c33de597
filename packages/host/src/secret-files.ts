import { readFileSync } from "node:fs";
import type { Env } from "./env.ts";
import type { Logger } from "./logger.ts";

/** Follows the files that hold secrets, so that a rotated one is taken without a restart. */
export interface SecretFiles {
  stop(): Promise<void>;
}

export interface SecretFilesOptions {
  readonly env: Env;
  /** Variables whose `…_FILE` is followed; those without one are left alone. */
  readonly names: readonly string[];
  /** Called with the new content, trimmed, each time it differs from the last. May throw to keep the old one. */
  readonly changed: (name: string, secret: string) => void;
  readonly logger: Logger;
  /** Default 2000. Contents are compared, not file times: Kubernetes swaps a symlink. */
  readonly intervalMs?: number;
}

/**
 * Compares the files with what they held when this was called, once per interval. A file that is missing, empty or
 * refused by `changed` changes nothing and is logged once until it changes.
 */
export function followSecretFiles(options: SecretFilesOptions): SecretFiles {
  const followed = options.names.flatMap((name) => {
    const path = options.env[`${name}_FILE`]?.trim() ?? "";
    return path === "" ? [] : [{ name, path, last: contentOf(path) }];
  });
  const timer = setInterval(() => {
    for (const file of followed) {
      const content = contentOf(file.path);
      if (content === file.last) continue;
      file.last = content;
      take(file.name, content, options);
    }
  }, options.intervalMs ?? 2_000);
  if (followed.length === 0) clearInterval(timer);
  return {
    stop() {
      clearInterval(timer);
      return Promise.resolve();
    },
  };
}

function take(name: string, content: string, { changed, logger }: SecretFilesOptions): void {
  const variable = `${name}_FILE`;
  if (content === "") {
    logger.warn({ variable }, "the secret's file is missing or empty: keeping the secret in use");
    return;
  }
  try {
    changed(name, content);
    logger.info({ variable }, "took the changed secret");
  } catch (error) {
    logger.error({ variable, err: error }, "the changed secret is not usable: keeping the one in use");
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

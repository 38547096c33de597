import { readFileSync } from "node:fs";
import type { Logger } from "./logger.ts";

/** Follows the files that hold secrets, so that a rotated one is taken without a restart. */
export interface SecretFiles {
  stop(): Promise<void>;
}

/** One file that is followed. */
export interface SecretFile {
  /** The setting that names it, in the log. */
  readonly setting: string;
  readonly path: string;
  /** Called with the new content, trimmed, each time it differs from the last. May throw to keep the old one. */
  readonly changed: (content: string) => void;
}

export interface SecretFilesOptions {
  readonly files: readonly SecretFile[];
  readonly logger: Logger;
  /** Default 2000. Contents are compared, not file times: Kubernetes swaps a symlink. */
  readonly intervalMs?: number;
}

/**
 * Compares the files with what they held when this was called, once per interval. A file that is missing, empty or
 * refused by `changed` changes nothing and is logged once until it changes.
 */
export function followSecretFiles(options: SecretFilesOptions): SecretFiles {
  const followed = options.files.map((file) => ({ file, last: contentOf(file.path) }));
  const timer = setInterval(() => {
    for (const one of followed) {
      const content = contentOf(one.file.path);
      if (content === one.last) continue;
      one.last = content;
      take(one.file, content, options.logger);
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

function take({ setting, changed }: SecretFile, content: string, logger: Logger): void {
  if (content === "") {
    logger.warn({ setting }, "the file of secrets is missing or empty: keeping what is in use");
    return;
  }
  try {
    changed(content);
    logger.info({ setting }, "took the changed file of secrets");
  } catch (error) {
    logger.error({ setting, err: error }, "the changed file of secrets is not usable: keeping what is in use");
  }
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

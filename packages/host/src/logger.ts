import { pino } from "pino";
import { REDACTED, redactFields, safeError, safeMessage, SENSITIVE_NAMES } from "./redaction.ts";

/** A pino logger whose lines hold no secret and no personal data. Its children keep that. */
export type Logger = pino.Logger;

/** From the most to the least talkative. */
export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LoggerOptions {
  /** The app; stands in every line as `app`. */
  readonly name: string;
  /** Default info. */
  readonly level?: LogLevel;
  /** Takes finished lines. Default stdout, written before the call returns. */
  readonly destination?: pino.DestinationStream;
}

/**
 * Writes one JSON line per call, with an ISO time and the level's name. At every level, fields named like a secret or
 * like personal data are redacted at any depth. Errors show name, code, message, stack and their causes, and nothing else.
 */
export function createLogger(options: LoggerOptions): Logger {
  const redacted = () => REDACTED;
  const settings: pino.LoggerOptions = {
    level: options.level ?? "info",
    base: { app: options.name },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label) => ({ level: label }),
      log: redactFields,
    },
    serializers: {
      // Bindings of a child pass through no formatter, only through these.
      ...Object.fromEntries([...SENSITIVE_NAMES].map((name) => [name, redacted])),
      err: (error: unknown) => (error instanceof Error ? safeError(error) : error),
      msg: (message: unknown) => (typeof message === "string" ? safeMessage(message) : message),
    },
  };
  return pino(settings, options.destination ?? openStdout());
}

/**
 * Stdout as Node has it: written at once, and given up when nobody reads it any more. Pino's own destination would
 * wait for such a reader for ever, also while the process ends.
 */
function openStdout(): NodeJS.WriteStream {
  if (!process.stdout.listeners("error").includes(ignoreError)) process.stdout.on("error", ignoreError);
  return process.stdout;
}

function ignoreError(): void {
  // A log that nobody reads is no reason to stop working.
}

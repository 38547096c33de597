import { isRecord } from "@assay/protocol";

/** How a value of v3 becomes v4's; undefined when it says nothing. */
export type Convert = (value: unknown) => unknown;

/** An ISO time as unix ms. */
export function toMs(value: unknown): number | undefined {
  const ms = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/** `distinctIp` as `distinct_ip`, `publicVPN` as `public_vpn`. */
export function toSnake(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

/** Deeper parts say nothing: no field of v3 is as deep. */
const MAX_DEPTH = 8;

/** The same JSON with v4's names. */
export function snakeKeys(value: unknown): unknown {
  return snakeKeysTo(MAX_DEPTH, value);
}

function snakeKeysTo(depth: number, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (depth === 0) return undefined;
  if (Array.isArray(value)) return value.map((item) => snakeKeysTo(depth - 1, item));
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [toSnake(name), snakeKeysTo(depth - 1, inner)]),
  );
}

/** Where v4 does not simply spell v3's name in snake case. */
const RAW_NAMES: ReadonlyMap<string, string> = new Map([
  ["osCpu", "oscpu"],
  ["webGlBasics", "webgl_basics"],
  ["webGlExtensions", "webgl_extensions"],
]);

/** v3 wraps each raw attribute as `{value}`, or `{error}` when it could not be read: then it is absent. */
export function toRawAttributes(value: unknown): unknown {
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, attribute]) =>
      isRecord(attribute) && attribute["value"] !== undefined
        ? [[RAW_NAMES.get(name) ?? toSnake(name), toRawValue(name, attribute["value"])]]
        : [],
    ),
  );
}

// Plug-ins are the one attribute whose inner names v4 left as they were (`mimeTypes`).
function toRawValue(name: string, value: unknown): unknown {
  return name === "plugins" ? value : snakeKeys(value);
}

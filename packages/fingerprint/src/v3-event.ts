import { isRecord } from "@assay/protocol";
import { pathOf } from "./read-fields.ts";
import { V3_FIELDS } from "./v3-fields.ts";

/** A v3 product that answered with an error in place of data. */
export interface SignalError {
  readonly product: string;
  /** The vendor's code: `Failed`, `TooManyRequests`, `429 Too Many Requests`. `*` when it is no such text. */
  readonly code: string;
}

/** A v3 event in v4 shape. Its values are as they came: their types are still to be checked. */
export interface V3Draft {
  readonly draft: Record<string, unknown>;
  readonly signalErrors: readonly SignalError[];
  /** Products (of a webhook: fields) that the map does not know. They have no v4 name, so they are left out. */
  readonly unknownFields: readonly string[];
}

const MAX_REPORTED = 32;

/** Brings a v3 event or a flat v3 webhook into v4 shape. A product with an error leaves its signals absent. */
export function fromV3(json: Record<string, unknown>, version: "v3" | "v3_webhook"): V3Draft {
  const products = isRecord(json["products"]) ? json["products"] : {};
  const read = version === "v3" ? (name: string) => dataOf(products[name]) : (name: string) => partOf(json, name);
  const draft: Record<string, unknown> = {};
  for (const { to, from, convert } of V3_FIELDS) {
    const [product = "", ...path] = from;
    const value = convert(valueAt(read(product), path));
    if (value !== undefined && value !== null) putOnce(draft, to, value);
  }
  const unknownFields =
    version === "v3"
      ? unknownNames(products, KNOWN_PRODUCTS).map((name) => pathOf("products", name))
      : unknownNames(json, KNOWN_WEBHOOK_FIELDS).map((name) => pathOf("", name));
  return { draft, signalErrors: signalErrorsOf(products), unknownFields };
}

/** The products of a v3 event that answered with an error. At most 32. */
export function signalErrorsOf(products: Record<string, unknown>): SignalError[] {
  return Object.entries(products)
    .flatMap(([name, product]) =>
      isRecord(product) && isRecord(product["error"])
        ? [{ product: pathOf("", name), code: codeOf(product["error"]["code"]) }]
        : [],
    )
    .slice(0, MAX_REPORTED);
}

function codeOf(code: unknown): string {
  return typeof code === "string" && /^[A-Za-z0-9 _]{1,64}$/.test(code) ? code : "*";
}

function dataOf(product: unknown): unknown {
  return isRecord(product) && !isRecord(product["error"]) ? product["data"] : undefined;
}

// A webhook spreads identification and bot detection over the body, and says incognito without a product around it.
function partOf(webhook: Record<string, unknown>, product: string): unknown {
  switch (product) {
    case "identification":
    case "botd":
      return webhook;
    case "incognito":
      return { result: webhook["incognito"] };
    default:
      return webhook[product];
  }
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inside, name) => (isRecord(inside) ? inside[name] : undefined), value);
}

function putOnce(draft: Record<string, unknown>, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) {
    draft[name] ??= value;
    return;
  }
  const inside = draft[name] ?? {};
  draft[name] = inside;
  if (isRecord(inside)) putOnce(inside, rest, value);
}

/** Known to v3, without a v4 name. */
const ONLY_V3 = ["remoteControl", "ipLocation", "components", "time", "userAgent"];
const KNOWN_PRODUCTS = new Set([...V3_FIELDS.map(({ from }) => from[0]), ...ONLY_V3]);
const KNOWN_WEBHOOK_FIELDS = new Set([
  ...KNOWN_PRODUCTS,
  ...V3_FIELDS.flatMap(({ from: [product, name] }) =>
    product === "identification" || product === "botd" ? [name] : [],
  ),
]);

function unknownNames(json: Record<string, unknown>, known: ReadonlySet<string | undefined>): string[] {
  return Object.keys(json)
    .filter((name) => !known.has(name))
    .slice(0, MAX_REPORTED);
}

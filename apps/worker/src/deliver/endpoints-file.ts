import { type ConfigFault, faultsOf, parseSettings, showPath } from "@assay/host";
import { DEFAULT_TENANT } from "@assay/protocol";
import { readVerdictCondition, type VerdictCondition } from "@assay/rules";
import { z } from "zod";
import { DELIVERED_FIELDS } from "./delivery-body.ts";
import type { Endpoint } from "./endpoint.ts";

/*
 * ASSAY_ENDPOINTS_FILE: YAML, of which JSON is a part.
 *
 *   endpoints:
 *     - name: orders
 *       url: https://example.com/assay
 *       secrets: [whsec_…]              newest first
 *       tenant: shop-eu                 default 0
 *       filter: action != "allow"       a condition over the verdict
 *       fields: reasons                 minimal | reasons | full
 *       late: false                     whether late verdicts are wanted
 *       backfilled: false
 *       allow_private: false            may be at a private address, and http:// there
 *       headers: { x-team: fraud }
 *       resumed: 2026-11-27T12:00:00Z   ends a hold from before this time
 */

const NAME_RULE = "must be 1 to 64 characters of a-z, 0-9, _ and -.";
const SECRET_RULE = "must be whsec_ and 24 to 64 random bytes in base64.";
const HEADER_RULE = "must be a header by its name, and neither one of ours nor one of the connection.";
const RESUMED_RULE = "must be a time such as 2026-11-27T12:00:00Z.";
const FLAG_RULE = "must be true or false.";
const MAX_SECRETS = 5;
const NEVER_OURS_TO_SET =
  /^(?:host|connection|content-.*|transfer-encoding|te|trailer|upgrade|expect|keep-alive|proxy-.*|user-agent|webhook-.*)$/i;

const Flag = z.boolean(FLAG_RULE).default(false);

const Entry = z.strictObject(
  {
    name: z.string(NAME_RULE).regex(/^[a-z0-9_-]{1,64}$/, NAME_RULE),
    // YAML reads a bare 0 as a number.
    tenant: z.union([z.string(), z.int()], "must be the name of a tenant.").transform(String).default(DEFAULT_TENANT),
    url: z.string("must be a URL.").max(2048, "is longer than 2048 characters."),
    secrets: z
      .array(z.string(SECRET_RULE).refine(isSecret, SECRET_RULE), "must be a list of secrets, newest first.")
      .min(1, "is an empty list: nothing could be signed.")
      .max(MAX_SECRETS, `holds more than ${MAX_SECRETS}. Remove those that have been replaced.`),
    filter: z.string("must be a condition.").transform(readFilter).optional(),
    fields: z.enum(DELIVERED_FIELDS, `must be one of ${DELIVERED_FIELDS.join(", ")}.`).default("reasons"),
    late: Flag,
    backfilled: Flag,
    allow_private: Flag,
    headers: z
      .record(
        z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,64}$/, HEADER_RULE),
        z.string("must be a text.").regex(/^[\x20-\x7e]{0,1024}$/, "must be up to 1024 visible ASCII characters."),
        "must be headers by their names.",
      )
      .refine((headers) => !Object.keys(headers).some((name) => NEVER_OURS_TO_SET.test(name)), HEADER_RULE)
      .default({}),
    resumed: z.string(RESUMED_RULE).transform(readTime).default(0),
  },
  "must hold name, url and secrets.",
);

const EndpointsFile = z.strictObject(
  { endpoints: z.array(Entry, "must be a list of endpoints.") },
  "must hold endpoints, and nothing beside them.",
);

/** Endpoints that were read, or what is wrong with their file. */
export type ReadEndpoints =
  | { readonly ok: true; readonly endpoints: readonly Endpoint[] }
  | { readonly ok: false; readonly faults: readonly ConfigFault[] };

export interface EndpointsScope {
  /** Names of the tenants that this installation has. */
  readonly tenants: readonly string[];
  /** Whether `ASSAY_ENDPOINTS_ALLOW` names any block: there `http://` may be meant. */
  readonly hasAllowed: boolean;
}

/** Reads the text of `ASSAY_ENDPOINTS_FILE`. No secret, header or URL of it is in a fault. */
export function readEndpointsFile(text: string, scope: EndpointsScope): ReadEndpoints {
  const document = parseSettings(text);
  if (!document.ok) return document;
  const { data, error } = EndpointsFile.safeParse(document.value);
  if (error !== undefined) return { ok: false, faults: faultsOf(error, Object.keys(Entry.shape)) };
  const entries = data.endpoints;
  const names = entries.map(({ name }) => name);
  const faults = entries.flatMap(({ name, tenant, url, allow_private }, index) => {
    const at = (field: string) => showPath(["endpoints", index, field]);
    const urlFault = faultOfUrl(url, allow_private || scope.hasAllowed);
    return [
      ...(names.indexOf(name) < index ? [{ name: at("name"), message: "is that of another endpoint too." }] : []),
      ...(scope.tenants.includes(tenant)
        ? []
        : [{ name: at("tenant"), message: "is no tenant of this installation." }]),
      ...(urlFault === undefined ? [] : [{ name: at("url"), message: urlFault }]),
    ];
  });
  if (faults.length > 0) return { ok: false, faults };
  return { ok: true, endpoints: entries.map(toEndpoint) };
}

function toEndpoint({ allow_private, resumed, filter, ...entry }: z.infer<typeof Entry>): Endpoint {
  return {
    ...entry,
    allowPrivate: allow_private,
    resumedAt: resumed,
    ...(filter === undefined ? {} : { filter }),
  };
}

function faultOfUrl(text: string, mayBePlain: boolean): string | undefined {
  if (!URL.canParse(text)) return "must be a URL.";
  const { protocol, username, password, hash } = new URL(text);
  if (protocol === "http:" && !mayBePlain) return "must be https://. Only a private endpoint may do without.";
  if (protocol !== "https:" && protocol !== "http:") return "must be https://.";
  if (username !== "" || password !== "") return "holds a user or a password. Set an authorization header instead.";
  return hash === "" ? undefined : "has a fragment, which no server sees. Remove it.";
}

function isSecret(text: string): boolean {
  const [, base64] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  if (base64 === undefined || base64.length % 4 !== 0) return false;
  const { length } = Buffer.from(base64, "base64");
  return length >= 24 && length <= 64;
}

function readFilter(text: string, context: z.RefinementCtx): VerdictCondition {
  const read = readVerdictCondition(text);
  if (read.ok) return read.condition;
  context.addIssue({ code: "custom", message: read.faults.join("\n    ") });
  return z.NEVER;
}

function readTime(text: string, context: z.RefinementCtx): number {
  const time = /^\d{4}-\d\d-\d\d(?:T|$)/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  context.addIssue({ code: "custom", message: RESUMED_RULE });
  return z.NEVER;
}

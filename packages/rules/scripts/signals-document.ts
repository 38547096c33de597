import { CHECK_NAMES } from "@assay/protocol";
import { createCatalogue, type Field, type Platform } from "../src/condition/catalogue.ts";
import { SIGNAL_MEANINGS } from "./signal-meanings.ts";

/** A part of the document, and the first keys of the signals it holds. */
interface Group {
  readonly title: string;
  readonly intro?: string;
  readonly roots: readonly string[];
}

const GROUPS: readonly Group[] = [
  {
    title: "Event",
    roots:
      "event_id timestamp source incremental_identification_status replayed environment_id suspect sdk triggered_by rule_action".split(
        " ",
      ),
  },
  { title: "Visitor", roots: ["identification", "supplementary_id_high_recall", "linked_id", "tags"] },
  { title: "Bots", roots: ["bot", "bot_type", "bot_info"] },
  {
    title: "VPN and proxy",
    roots:
      "vpn vpn_confidence vpn_ml_score vpn_methods vpn_origin_timezone vpn_origin_country proxy proxy_confidence proxy_details proxy_ml_score".split(
        " ",
      ),
  },
  { title: "Address and place", roots: ["ip_address", "ip_blocklist", "ip_info", "proximity", "location_spoofing"] },
  {
    title: "Browser and system",
    roots:
      "incognito privacy_settings developer_tools virtual_machine virtual_machine_ml_score tampering tampering_confidence tampering_ml_score tampering_details url client_referrer user_agent browser_details device os os_version".split(
        " ",
      ),
  },
  {
    title: "Apps",
    intro:
      "Events of Fingerprint's API v3 say `false` here for browsers. Assay reads that as absent: a browser has no such signal.",
    roots:
      "bundle_id package_name emulator simulator root_apps jailbroken frida cloned_app mitm_attack active_call factory_reset_timestamp".split(
        " ",
      ),
  },
  {
    title: "Velocity",
    intro: "Fingerprint leaves out the 24 hours of a visitor who made more than 20,000 events in them.",
    roots: ["velocity"],
  },
  {
    title: "Scores and models",
    roots: ["suspect_score", "high_activity_device", "rare_device", "rare_device_percentile_bucket", "labels"],
  },
  { title: "Raw attributes", roots: ["raw_device_attributes"] },
];

const CHECK_MEANINGS: Readonly<Record<string, string>> = {
  stale: "The event was older than `max_event_age` when it was presented. Absent for webhooks.",
  reused: "Another submission used this event in this flow before.",
  reused_elsewhere: "It did, from another address, user agent or user.",
  ip_mismatch: "The event was made from another address than `context.ip`. Absent behind a relay.",
  linked_id_mismatch: "The event has another linked id than `context.linked_id`.",
  visitor_id_mismatch: "The event has another visitor id than `context.visitor_id`.",
  origin_mismatch: "The event was made on another origin than `context.origin`. Browsers only.",
  user_agent_mismatch: "The event was made by another user agent than `context.user_agent`. Browsers only.",
  origin_not_allowed: "The origin is not in `settings.allowed_origins`. Browsers only.",
  app_not_allowed: "The app is not in `settings.allowed_apps`.",
  environment_not_allowed: "The environment is not in `settings.allowed_environments`.",
  event_id_mismatch: "The sealed result holds another event than the one that was named.",
  partial: "The identification was only partially completed, so smart signals are unknown.",
  event_age_seconds: "From the event to when it was presented, in seconds. Below 0 when its clock is ahead.",
  use_count: "How many submissions used this event in this flow, this one included.",
};

const CONTEXT_MEANINGS: Readonly<Record<string, string>> = {
  flow: "The step of your product, as in `login`.",
  user_id: "Your id of the account.",
  reference: "Your id of the order or session.",
  ip: "The address your backend saw.",
  origin: "The `Origin` header your backend saw.",
  user_agent: "The `User-Agent` header your backend saw.",
  linked_id: "The linked id you expect the event to have.",
  visitor_id: "The visitor id you expect the event to have.",
};

const HEAD = `# Signals, and the other names of conditions

Written by \`npm run generate:signals -w @assay/rules\`. Do not edit. [rules.md](rules.md) says how to use the names.

- A signal that your workspace or plan does not have, or that the platform cannot have, is absent. A condition that needs it is *unknown*, never false.
- *time* is a number, unix ms; \`age(x)\` is the seconds from it to when the submission was received.
- *group* and *list* may stand in \`has(x)\`. Lists have macros and \`in\` besides; \`x[].y\` is what their elements hold, and is written \`e.y\` inside of a macro over \`x\`.
- Values in brackets are those that Fingerprint documents. Others may come and are passed on, but a condition may only compare with a documented one, so that a misspelt one is found.
- Signals that say "platforms: all" can be in browsers, Android and iOS apps.
`;

const TAIL = `## Facts

\`facts.<name>\`: what your backend sends in \`context.facts\` and the ruleset declares under \`facts\`, with type \`number\`, \`string\`, \`boolean\`, \`list\` (of texts) or the texts it may be. A value of another type is treated as absent, and counted in the metric \`assay_facts_invalid_total\`.

## Counters

\`counters.<name>\`: a number from 0 to 1,000, declared under \`counters\`. It includes the submission that is judged, if that counts. Absent when a part of the key is.

## Lists

\`x in lists.<name>\`: declared under \`lists\`. Absent when \`x\` is.

## Outcomes

Only in \`where\` of counters with \`on: outcome\`: \`outcome\` (text, as reported) and \`label\` (\`fraud\` or \`legit\`).
`;

/** The text of docs/signals.md. Throws for a signal that no group holds and for a top-level one without a meaning. */
export function signalsDocument(): string {
  const fields = [...createCatalogue({}).fields.values()];
  const signals = fields.filter(({ root }) => root === "event");
  const grouped = new Set(GROUPS.flatMap(({ roots }) => roots));
  const lost = signals.filter(({ keys }) => !grouped.has(keys[0] ?? "")).map(({ path }) => path);
  if (lost.length > 0) throw new Error(`Put these signals into a group: ${lost.join(", ")}`);
  const parts = GROUPS.map(({ title, intro, roots }) => {
    const rows = roots.flatMap((root) => signals.filter(({ keys }) => keys[0] === root)).flatMap(rowsOf);
    return section(title, intro, ["signal", "type", "platforms", "meaning"], rows);
  });
  return [HEAD, ...parts, checks(fields), context(fields), TAIL].join("\n");
}

function checks(fields: readonly Field[]): string {
  const numbers = fields.filter(({ path }) => path.startsWith("checks.") && !isCheck(path));
  const rows = [...fields.filter(({ path }) => isCheck(path)), ...numbers].map((field) => [
    code(field.path),
    typeOf(field),
    meant(CHECK_MEANINGS, field.keys[0]),
  ]);
  const intro =
    "What Assay finds when it compares the event with what your backend saw. True is suspicious; absent could not be judged.";
  return section("Checks", intro, ["check", "type", "true when, or what it counts"], rows);
}

function isCheck(path: string): boolean {
  return CHECK_NAMES.some((name) => path === `checks.${name}`);
}

function context(fields: readonly Field[]): string {
  const rows = fields
    .filter(({ root }) => root === "context")
    .map((field) => [code(field.path), typeOf(field), meant(CONTEXT_MEANINGS, field.keys[0])]);
  return section(
    "Context",
    "What your backend sends in `context`. Absent where it does not.",
    ["name", "type", "meaning"],
    rows,
  );
}

function section(
  title: string,
  intro: string | undefined,
  columns: readonly string[],
  rows: readonly string[][],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const head = [`## ${title}`, "", ...(intro === undefined ? [] : [intro, ""])];
  return [...head, line(columns), line(columns.map(() => "---")), ...rows.map(line), ""].join("\n");
}

function rowsOf(field: Field): string[][] {
  const row = [code(field.path), typeOf(field), platformsOf(field.platforms), meaningOf(field.path)];
  return [row, ...(field.elements ?? []).flatMap(rowsOf)];
}

function typeOf({ type, isTime, values, least, most }: Field): string {
  if (values !== undefined) return `${wordOf(type)} (${values.map((value) => code(String(value))).join(" ")})`;
  if (isTime === true) return "time";
  if (least === undefined && most === undefined) return wordOf(type);
  return `${wordOf(type)} ${most === undefined ? `≥ ${least}` : `${least ?? "…"} to ${most}`}`;
}

function wordOf(type: Field["type"]): string {
  switch (type) {
    case "string":
      return "text";
    case "object":
      return "group";
    case "array":
      return "list";
    case "number":
    case "boolean":
      return type;
  }
}

const PLATFORM_NAMES: Readonly<Record<Platform, string>> = { browser: "browser", android: "Android", ios: "iOS" };

function platformsOf(platforms: readonly Platform[] | undefined): string {
  const names = Object.entries(PLATFORM_NAMES).filter(
    ([key]) => platforms?.some((platform) => platform === key) ?? true,
  );
  return names.length === 3 ? "all" : names.map(([, name]) => name).join(", ");
}

function meaningOf(path: string): string {
  const known = path.replace(/^ip_info\.v6/, "ip_info.v4");
  const window = /^(velocity\.\w+)\.(\d+)_(minutes|hours?)$/.exec(path);
  if (window !== null) return `${meant(SIGNAL_MEANINGS, window[1])} in the last ${window[2]} ${window[3]}.`;
  const own = SIGNAL_MEANINGS[known];
  if (own === undefined && !path.includes(".")) throw new Error(`Write a meaning of ${path}.`);
  return own === undefined || own.endsWith(".") ? (own ?? "") : `${own}.`;
}

function meant(meanings: Readonly<Record<string, string>>, name: string | undefined): string {
  const meaning = meanings[name ?? ""];
  if (meaning === undefined) throw new Error(`Write a meaning of ${name}.`);
  return meaning;
}

function code(text: string): string {
  return `\`${text}\``;
}

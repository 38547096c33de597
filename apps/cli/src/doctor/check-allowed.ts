import type { Sighting } from "@assay/ledger";
import type { Ruleset, RulesetFolder, Settings } from "@assay/rules";
import { showSome } from "./amounts.ts";
import type { Finding } from "./finding.ts";
import type { TenantPatient } from "./patient.ts";

interface Place {
  readonly name: string;
  readonly setting: string;
  readonly listOf: (settings: Settings) => readonly string[];
  readonly seenIn: (patient: TenantPatient) => readonly Sighting[];
}

const PLACES: readonly Place[] = [
  {
    name: "origins",
    setting: "allowed_origins",
    listOf: ({ allowedOrigins }) => allowedOrigins,
    seenIn: ({ sightings }) => sightings.seen.origin,
  },
  {
    name: "apps",
    setting: "allowed_apps",
    listOf: ({ allowedApps }) => allowedApps,
    seenIn: ({ sightings }) => sightings.seen.app,
  },
  {
    name: "environments",
    setting: "allowed_environments",
    listOf: ({ allowedEnvironments }) => allowedEnvironments,
    seenIn: ({ sightings }) => sightings.seen.environment,
  },
];

/** Where events come from beside where the rulesets let them come from. */
export function checkAllowed(patient: TenantPatient, rulesets: RulesetFolder): Finding[] {
  return PLACES.flatMap((place) => {
    const seen = place.seenIn(patient);
    return groupsOf(rulesets.all, place).map((group) => compare(place, group, seen));
  });
}

/** Rulesets that allow the same. */
interface Group {
  readonly allowed: readonly string[];
  readonly rulesets: readonly string[];
}

function groupsOf(rulesets: readonly Ruleset[], { listOf }: Place): Group[] {
  const groups = new Map<string, Group>();
  for (const { name, settings } of rulesets) {
    const allowed = listOf(settings).toSorted();
    const key = JSON.stringify(allowed);
    groups.set(key, { allowed, rulesets: [...(groups.get(key)?.rulesets ?? []), name] });
  }
  return [...groups.values()];
}

function compare({ name, setting }: Place, { allowed, rulesets }: Group, seen: readonly Sighting[]): Finding {
  const of = `of ${showSome(rulesets, 3)}`;
  const named = seen.map((one) => one.name);
  const counted = (sightings: readonly Sighting[]) => showSome(sightings.map((one) => `${one.name} (${one.count})`));
  if (allowed.length === 0) {
    if (seen.length === 0) return { name, status: "ok", says: `None was seen, and ${setting} ${of} is empty` };
    return {
      name,
      status: "ok",
      says: `Seen: ${counted(seen)}. ${setting} ${of} is empty, so all are taken`,
      do: `to take no others, write: settings: { ${setting}: [${named.map(quoted).join(", ")}] }`,
    };
  }
  const strange = seen.filter((one) => !allowed.includes(one.name));
  const unseen = allowed.filter((one) => !named.includes(one));
  const says = [
    strange.length === 0 ? undefined : `Seen and not in ${setting} ${of}: ${counted(strange)}`,
    unseen.length === 0 ? undefined : `In ${setting} ${of} and never seen: ${showSome(unseen)}`,
  ].filter((part) => part !== undefined);
  if (says.length === 0) return { name, status: "ok", says: `All of ${setting} ${of} was seen, and nothing else` };
  const isNothingSeen = seen.length === 0;
  return {
    name,
    status: isNothingSeen ? "ok" : "warn",
    says: says.join(". "),
    do: isNothingSeen
      ? undefined
      : `what is yours belongs into ${setting}, as it is written here; what is not is refused rightly`,
  };
}

// As YAML takes it in a list: a colon or an asterisk would mean something.
function quoted(text: string): string {
  return /^[\w./:-]+$/.test(text) && !text.endsWith(":") ? text : JSON.stringify(text);
}

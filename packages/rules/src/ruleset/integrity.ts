import { type Action, CHECK_NAMES, type CheckName, type Reason } from "@assay/protocol";
import type { FaultList } from "./fault.ts";
import { type Field, fieldIn } from "../condition/catalogue.ts";
import type { Slots } from "../condition/slot-value.ts";
import type { SlotTable } from "../condition/slots.ts";
import { type Entry, readChoice, readEntries, refuseUnknown } from "./yaml-entries.ts";

/** What integrity can be judged by: every check, and Fingerprint's own signal `replayed`. */
type IntegrityKey = CheckName | "replayed";

/** The action each key takes when it is true. Keys that are off are not in it. */
export type Integrity = ReadonlyMap<IntegrityKey, Action>;

export const INTEGRITY_KEYS: readonly IntegrityKey[] = [...CHECK_NAMES, "replayed"];
export const INTEGRITY_ACTIONS = ["challenge", "review", "block", "off"] as const;

/** What every ruleset does unless it says otherwise, entry by entry. */
const DEFAULTS: Integrity = new Map<IntegrityKey, Action>([
  ["reused_elsewhere", "block"],
  ["event_id_mismatch", "block"],
  ["replayed", "block"],
  ["environment_not_allowed", "block"],
  ["reused", "challenge"],
  ["stale", "challenge"],
]);

const MESSAGES: Readonly<Record<IntegrityKey, string>> = {
  stale: "The event was too old when it was presented",
  reused: "The event was used before",
  reused_elsewhere: "The event was used before, from another ip, user agent or user",
  ip_mismatch: "The event was made from another ip than the caller saw",
  linked_id_mismatch: "The event carries another linked id than the caller expects",
  visitor_id_mismatch: "The event carries another visitor id than the caller expects",
  origin_mismatch: "The event was made on another origin than the caller saw",
  user_agent_mismatch: "The event was made by another user agent than the caller saw",
  origin_not_allowed: "The event was made on an origin that is not allowed",
  app_not_allowed: "The event was made in an app that is not allowed",
  environment_not_allowed: "The event belongs to an environment that is not allowed",
  event_id_mismatch: "The claimed event id is not the one of the event",
  partial: "The identification was only partially completed",
  replayed: "Fingerprint saw the same agent payload more than once",
};

const REPLAYED: Field = { path: "replayed", root: "event", keys: ["replayed"], type: "boolean" };

/** Reads `integrity:` over the defaults. */
export function readIntegrity(entry: Entry | undefined, faults: FaultList): Integrity {
  const integrity = new Map(DEFAULTS);
  if (entry === undefined) return integrity;
  const entries = readEntries(entry.value, entry.valueAt, "integrity", faults);
  refuseUnknown(entries, "integrity", INTEGRITY_KEYS, faults);
  for (const key of INTEGRITY_KEYS) {
    const given = entries.find(({ name }) => name === key);
    if (given === undefined) continue;
    const action = readChoice(given, INTEGRITY_ACTIONS, faults);
    if (action === "off") integrity.delete(key);
    else if (action !== undefined) integrity.set(key, action);
  }
  return integrity;
}

/** Adds a reason for each integrity key that is true of the values of an input, and returns the actions they take. */
export type IntegrityJudge = (values: Slots, reasons: Reason[]) => Action[];

/** Compiles integrity over the slots of what it is judged by. */
export function compileIntegrity(integrity: Integrity, slots: SlotTable): IntegrityJudge {
  const entries = [...integrity].map(([key, action]) => {
    const field = key === "replayed" ? REPLAYED : fieldIn("checks", key, "boolean");
    return { place: slots.indexOf(field), path: field.path, rule: `integrity.${key}`, action, message: MESSAGES[key] };
  });
  return (values, reasons) => {
    const actions: Action[] = [];
    for (const { place, path, rule, action, message } of entries) {
      if (values[place] !== true) continue;
      actions.push(action);
      reasons.push({ rule, action, message, evidence: { [path]: true } });
    }
    return actions;
  };
}

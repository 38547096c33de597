import { type Event, isRecord, isTestEventId, parseAddress } from "@assay/protocol";
import type { Meta } from "./record.ts";

/** What a person may be known by. */
export const SUBJECT_KINDS = ["user", "visitor", "linked_id", "ip", "reference"] as const;

export type SubjectKind = (typeof SUBJECT_KINDS)[number];

/** Somebody to erase, or to tell what is known of. */
export interface Subject {
  readonly kind: SubjectKind;
  /** As callers or Fingerprint say it; an address in any spelling. */
  readonly value: string;
}

/** One thing that a submission or an event says of somebody, and when it happened. */
export interface Trace {
  readonly kind: SubjectKind | "event";
  readonly value: string;
  /** Unix ms. Of an event's own id 0: it is erased whenever it comes. */
  readonly at: number;
}

// As our own documents name it, and as Server API v3 does.
const NAMES: Readonly<Record<Exclude<SubjectKind, "ip">, readonly string[]>> = {
  user: ["user_id"],
  visitor: ["visitor_id", "visitorId"],
  linked_id: ["linked_id", "linkedId"],
  reference: ["reference"],
};

/** One spelling for each subject. */
export function canonical({ kind, value }: Subject): string {
  return kind === "ip" ? (parseAddress(value)?.text ?? value) : value;
}

/**
 * Whether a JSON document names the subject, at any depth: by a field of its kind, or a path that ends in one, as
 * evidence has it. An address is found in any text that is one; of IPv6 the whole address, not its network.
 */
export function concerns(subject: Subject, document: unknown): boolean {
  const wanted = canonical(subject);
  const names = subject.kind === "ip" ? undefined : NAMES[subject.kind];
  // Not by recursion: a visitor's browser says how deep it is.
  const open: unknown[] = [document];
  while (open.length > 0) {
    const one = open.pop();
    if (Array.isArray(one)) for (const item of one) open.push(item);
    else if (isRecord(one)) {
      for (const [name, value] of Object.entries(one)) {
        if (typeof value !== "string") open.push(value);
        else if (names === undefined) open.push(value);
        else if (value === wanted && names.includes(name.slice(name.lastIndexOf(".") + 1))) return true;
      }
    } else if (names === undefined && typeof one === "string" && parseAddress(one)?.text === wanted) return true;
  }
  return false;
}

/** What an event says of somebody. */
export function tracesOfEvent(event: Event): Trace[] {
  const { event_id: eventId, timestamp: at, identification, supplementary_id_high_recall: recall } = event;
  const addresses = [event.ip_address, event.ip_info?.v4?.address, event.ip_info?.v6?.address];
  return [
    { kind: "event", value: eventId, at: 0 },
    ...traces("visitor", [identification?.visitor_id, recall?.visitor_id], at),
    ...traces("linked_id", [event.linked_id], at),
    ...traces("ip", addresses, at),
  ];
}

/**
 * What a submission says of somebody, with its event where there is one. It happened when its event was made, or else
 * when it was received: who presents an old event again is no new customer.
 */
export function tracesOf(work: { readonly meta: Meta; readonly receivedAt: number; readonly event?: Event }): Trace[] {
  const { meta, receivedAt, event } = work;
  const { event_id: claimed, context = {} } = meta;
  const at = Math.min(receivedAt, event?.timestamp ?? receivedAt);
  const named = claimed === undefined || isTestEventId(claimed) ? [] : traces("event", [claimed], 0);
  return [
    ...(event === undefined ? named : tracesOfEvent(event)),
    ...traces("user", [context.user_id], at),
    ...traces("reference", [context.reference], at),
    ...traces("linked_id", [context.linked_id], at),
    ...traces("visitor", [context.visitor_id], at),
    ...traces("ip", [context.ip], at),
  ];
}

/** All that is kept of a submission whose subject was erased: what says by which rules its verdict is made. */
export function strippedMeta({ kind, ruleset, context, test }: Meta): Meta {
  return {
    kind,
    erased: true,
    ...(ruleset === undefined ? {} : { ruleset }),
    ...(context?.flow === undefined ? {} : { context: { flow: context.flow } }),
    ...(test === undefined ? {} : { test }),
  };
}

function traces(kind: Trace["kind"], values: readonly unknown[], at: number): Trace[] {
  const texts = new Set(values.filter((value) => typeof value === "string"));
  return [...texts].map((value) => ({ kind, value, at }));
}

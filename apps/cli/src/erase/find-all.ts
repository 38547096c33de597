import { findSubjectRows, type SubjectColumn, type SubjectRow } from "@assay/archive";
import {
  canonical,
  concerns,
  type Findings,
  findSubject,
  type Subject,
  type SubjectIds,
  type SubjectKind,
} from "@assay/ledger";
import { count } from "../faults.ts";
import type { Ground } from "./ground.ts";

/** All that is known of a subject, in Redis and in the archive. */
export interface Found {
  readonly findings: Findings;
  readonly rows: readonly SubjectRow[];
}

const COLUMNS: Readonly<Record<SubjectKind, SubjectColumn | undefined>> = {
  user: "user_id",
  visitor: "visitor_id",
  linked_id: "linked_id",
  reference: "reference",
  ip: undefined,
};

/** Looks into both stores until neither leads to more in the other. Adds what it finds to `ids`. */
export async function findAll(
  { redis, keys, hashKey, subject, tenant, archive, show }: Ground,
  ids: SubjectIds,
): Promise<Found> {
  const name = COLUMNS[subject.kind];
  for (;;) {
    const findings = await findSubject(redis, keys, {
      subject,
      hashKey,
      ids,
      onStep: (looked) => show(`looked at ${count(looked, "thing")} in Redis`),
    });
    if (archive === undefined) {
      show("");
      return { findings, rows: [] };
    }
    const before = ids.submissions.size + ids.events.size;
    const rows = await findSubjectRows(archive, {
      tenant,
      spellings: spellingsOf(subject),
      concerns: (document) => concerns(subject, document),
      // Neither a user nor a reference is in an event, and a linked id is in its verdict, too.
      opensEvents: subject.kind === "ip" || subject.kind === "visitor",
      submissionIds: ids.submissions,
      eventIds: ids.events,
      onPage: (opened) => show(`opened ${count(opened, "row")} of the archive`),
      ...(name === undefined ? {} : { column: name }),
    });
    for (const { id, eventId } of rows) {
      ids.submissions.add(id);
      if (eventId !== undefined) ids.events.add(eventId);
    }
    if (ids.submissions.size + ids.events.size > before) continue;
    show("");
    return { findings, rows };
  }
}

/** A subject's value as it may stand in a JSON text. */
export function spellingsOf(subject: Subject): string[] {
  const whole = canonical(subject);
  const isV6 = subject.kind === "ip" && whole.includes(":");
  const values = [subject.value, whole, ...(isV6 ? [new URL(`http://[${whole}]`).hostname.slice(1, -1)] : [])];
  return [...new Set(values.flatMap((value) => [value, JSON.stringify(value).slice(1, -1)]))];
}

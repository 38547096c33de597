import type { Action } from "@assay/protocol";
import { readCursor } from "./cursor.ts";
import { column } from "./verdict-columns.ts";

/** Which verdicts are asked for: those of which all of this is true. */
export interface VerdictFilter {
  readonly tenant: string;
  readonly userId?: string | undefined;
  readonly reference?: string | undefined;
  readonly visitorId?: string | undefined;
  readonly linkedId?: string | undefined;
  readonly eventId?: string | undefined;
  readonly action?: Action | undefined;
  /** Id of a rule, or name of an integrity entry, that fired. */
  readonly rule?: string | undefined;
  /** Received at this time or later, unix ms. */
  readonly since?: number | undefined;
  /** Received before this time, unix ms. */
  readonly until?: number | undefined;
  /** At most 100, which is the default. */
  readonly limit?: number | undefined;
  /** From the page before. */
  readonly cursor?: string | undefined;
}

/** The part of the answer that lies in [from, to), unix ms. */
export interface Window {
  readonly from: number;
  readonly to: number;
}

/** A statement and its values. */
export interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

const MAX_LIMIT = 100;

/** How many verdicts a page of this filter holds. */
export function pageSize({ limit = MAX_LIMIT }: VerdictFilter): number {
  return Math.min(Math.max(1, Math.trunc(limit)), MAX_LIMIT);
}

/** All the time that a filter may find something in. Throws an ArchiveError for a cursor that is none of ours. */
export function windowOf({ since = 0, until = Number.MAX_SAFE_INTEGER, cursor }: VerdictFilter): Window {
  return { from: since, to: cursor === undefined ? until : Math.min(until, readCursor(cursor).receivedAt + 1) };
}

/** Asks for the newest verdicts of a window. */
export function verdictStatement(filter: VerdictFilter, window: Window, limit: number): Statement {
  const values: unknown[] = [];
  const value = (one: unknown) => `$${values.push(one)}`;
  const equal = (name: string, one: string | undefined) =>
    one === undefined ? [] : [`${name} = ${value(column(one))}`];
  const conditions = [
    ...equal("tenant", filter.tenant),
    `received_at >= ${value(new Date(window.from))}`,
    `received_at < ${value(new Date(window.to))}`,
    ...equal("user_id", filter.userId),
    ...equal("reference", filter.reference),
    ...equal("visitor_id", filter.visitorId),
    ...equal("linked_id", filter.linkedId),
    ...equal("event_id", filter.eventId),
    ...equal("action", filter.action),
    ...(filter.rule === undefined ? [] : [`rules @> ARRAY[${value(column(filter.rule))}::text]`]),
    ...(filter.cursor === undefined ? [] : [after(filter.cursor, value)]),
  ];
  const sql = `SELECT received_at, id, pinned, body FROM assay.verdicts WHERE ${conditions.join(" AND ")}
    ORDER BY received_at DESC, id DESC LIMIT ${value(limit)}`;
  return { sql, values };
}

function after(cursor: string, value: (one: unknown) => string): string {
  const { receivedAt, id } = readCursor(cursor);
  return `(received_at, id) < (${value(new Date(receivedAt))}, ${value(id)})`;
}

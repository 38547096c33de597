import { createHash } from "node:crypto";
import type { Submission } from "./submission.ts";

/** The groups of content that make two submissions the same, in the order they stand in a digest. */
const CONTENT_GROUPS = ["kind", "event_id", "sealed_result", "ruleset", "context"] as const;

export type ContentGroup = (typeof CONTENT_GROUPS)[number];

const VERSION = "1";

/**
 * The digest of a submission's content: a version, then a short hash of each group. `observed_at` is left out (a retry
 * may observe later), and so are unknown fields. Equal digests are the same submission.
 */
export function contentDigest(submission: Submission): string {
  const { observed_at: _, ...context } = submission.context ?? {};
  const parts: Record<ContentGroup, string | Uint8Array> = {
    kind: submission.kind,
    event_id: submission.event_id ?? "",
    sealed_result: submission.payload ?? "",
    ruleset: submission.ruleset ?? "",
    context: canonicalJson(context),
  };
  return [VERSION, ...CONTENT_GROUPS.map((group) => hash(parts[group]))].join(".");
}

/** Which groups of two digests differ; empty when a version differs, as then nothing can be said. */
export function differingGroups(a: string, b: string): ContentGroup[] {
  const [versionA, ...hashesA] = a.split(".");
  const [versionB, ...hashesB] = b.split(".");
  if (versionA !== versionB) return [];
  return CONTENT_GROUPS.filter((_, index) => hashesA[index] !== hashesB[index]);
}

/** JSON with the keys of every object sorted: equal values, equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

function hash(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("base64url").slice(0, 16);
}

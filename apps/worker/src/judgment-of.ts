import { createHash } from "node:crypto";
import { type MadeFrom, type Work, writeMadeFrom } from "@assay/ledger";
import { INPUT_FAULT_CODES, laneOf } from "@assay/protocol";
import { type Answers, type BroughtEvent, verdictDigest, verdictOf, type VerdictParts } from "@assay/rules/verdict";
import type { Judgment } from "./report.ts";

/** What is published of a submission, and what is told of it. */
export function judgmentOf(parts: VerdictParts & { readonly work: Work }, answers: Answers | undefined): Judgment {
  const { work, sourced, undecided, ruleset, candidate, decision } = parts;
  const verdict = verdictOf(parts);
  return {
    decision,
    ...(sourced === undefined ? {} : { event: sourced.event }),
    publication: {
      id: work.id,
      lane: laneOf(work.meta.kind, work.id),
      verdict,
      digest: verdictDigest(verdict),
      pinned: writeMadeFrom({
        ruleset: ruleset.digest,
        ...(answers === undefined ? {} : { inputs: answers.inputs }),
        ...(candidate === undefined ? {} : { candidate: candidate.ruleset.digest }),
        ...(sourced === undefined ? {} : sourceOf(sourced)),
      }),
      deadLetter: work.meta.test !== true && undecided !== undefined && INPUT_FAULT_CODES.has(undecided),
      ...(work.erasures === undefined ? {} : { erasures: work.erasures }),
      ...(work.meta.erased === true ? { erased: work.meta } : {}),
    },
  };
}

/** What an event hangs on besides its submission: a lookup may answer otherwise the next time. */
function sourceOf({ event, source }: BroughtEvent): Pick<MadeFrom, "source" | "eventDigest"> {
  const mayDiffer = source === "lookup" || source === "stored";
  if (!mayDiffer) return { source };
  return { source, eventDigest: createHash("sha256").update(JSON.stringify(event)).digest("base64url").slice(0, 16) };
}

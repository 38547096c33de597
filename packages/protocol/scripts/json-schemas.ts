import { z } from "zod";
import {
  Accepted,
  OutcomeAccepted,
  OutcomeBody,
  ProblemDocument,
  SubmissionBody,
  SubmissionStatus,
  Verdict,
} from "../src/schemas.ts";

const SCHEMAS = {
  submission: SubmissionBody,
  accepted: Accepted,
  verdict: Verdict,
  problem: ProblemDocument,
  "submission-status": SubmissionStatus,
  outcome: OutcomeBody,
  "outcome-accepted": OutcomeAccepted,
};

/** The JSON Schema of everything on the wire, by the name of its file. Unknown fields are allowed: readers accept more. */
export function jsonSchemas(): ReadonlyMap<string, object> {
  return new Map(Object.entries(SCHEMAS).map(([name, schema]) => [`${name}.schema.json`, jsonSchemaOf(name, schema)]));
}

function jsonSchemaOf(name: string, schema: z.ZodType): object {
  const { $schema, $ref, $defs, ...inline } = z.toJSONSchema(schema, { io: "input" });
  // A schema with an id of its own comes as a reference to its only definition.
  const root = $ref === undefined ? inline : $defs?.[$ref.replace("#/$defs/", "")];
  return { $schema, $id: `urn:assay:schema:${name}`, ...root };
}

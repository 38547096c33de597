import { factsSchema, partSchema, routesSchema, rulesetSchema } from "@assay/rules";
import { folderOf, readFolder } from "./read-folder.ts";
import { CommandError, EXIT, type Report, type World } from "./report.ts";

const SCHEMAS = new Map([
  ["ruleset", rulesetSchema],
  ["part", partSchema],
  ["routes", routesSchema],
]);

/** `assay rules schema`: prints the JSON Schema of a kind of file, for editors. */
export function printRulesetSchema(kind: string): Report {
  const schema = SCHEMAS.get(kind);
  if (schema !== undefined) return reportOf(schema());
  throw new CommandError(EXIT.usage, `There is no schema of ${kind}. There are: ${[...SCHEMAS.keys()].join(", ")}.`);
}

/** `assay facts schema`: prints the JSON Schema of the facts that the rulesets of a folder declare, for backends. */
export async function printFactsSchema(options: { readonly rulesets?: string }, world: World): Promise<Report> {
  const { all } = await readFolder(folderOf(options, world), world);
  return reportOf(factsSchema(all));
}

function reportOf(schema: unknown): Report {
  return { exitCode: EXIT.fine, json: schema, text: JSON.stringify(schema, null, 2) };
}

import type { RuleSummary } from "@assay/rules";
import { count } from "./faults.ts";
import type { Paint } from "./paint.ts";
import { folderOf, readFolder } from "./read-folder.ts";
import { EXIT, type Report, type World } from "./report.ts";
import { showColumns } from "./columns.ts";

/** `assay rules list`: names what a folder holds. */
export async function listRulesets(options: { readonly rulesets?: string }, world: World): Promise<Report> {
  const { paint } = world;
  const folder = await readFolder(folderOf(options, world), world);
  const text = folder.all.map(({ name, digest, mode, origin, candidate, facts, rules }) =>
    [
      `${paint("bold", name)} ${digest} ${paint("dim", origin)}`,
      `  mode ${mode}${candidate === undefined ? "" : `, candidate ${candidate}`}, ${count(rules.length, "rule")}`,
      ...(facts.length === 0
        ? []
        : [`  facts ${facts.map((fact) => `${fact.name}: ${fact.values?.join(" | ") ?? fact.type}`).join(", ")}`]),
      ...showColumns(rules.map((rule) => columnsOf(rule, paint))).map((line) => `  ${line}`),
    ].join("\n"),
  );
  return {
    exitCode: EXIT.fine,
    json: {
      digest: folder.digest,
      rulesets: folder.all.map(({ name, digest, mode, origin, candidate, flows, facts, rules }) => ({
        name,
        digest,
        mode,
        file: origin,
        candidate,
        flows,
        facts,
        rules: rules.map(ruleJson),
      })),
      flows: Object.fromEntries(folder.flows.map((flow) => [flow, folder.forFlow(flow).name])),
    },
    text: text.join("\n\n"),
  };
}

function columnsOf(rule: RuleSummary, paint: Paint): string[] {
  const { id, mode, rolloutPercent, message, owner, reviewBy, tags } = rule;
  return [
    id,
    effectOf(rule),
    mode === "live" ? (rolloutPercent === undefined ? "live" : `live ${rolloutPercent}%`) : paint("yellow", mode),
    [
      message ?? "",
      ...[owner, reviewBy === undefined ? undefined : `review by ${reviewBy}`, ...tags.map((tag) => `#${tag}`)]
        .filter((note) => note !== undefined)
        .map((note) => paint("dim", note)),
    ]
      .filter(Boolean)
      .join("  "),
  ];
}

/** What a rule does when it hits: `block`, `+40`, `review +10`. */
export function effectOf({
  action,
  score,
}: {
  readonly action?: string | undefined;
  readonly score?: number | undefined;
}): string {
  const points = score === undefined ? undefined : `${score < 0 ? "" : "+"}${score}`;
  return [action, points].filter((part) => part !== undefined).join(" ");
}

function ruleJson({ whenUnknown, rolloutPercent, reviewBy, ...rule }: RuleSummary) {
  return { ...rule, when_unknown: whenUnknown, rollout_percent: rolloutPercent, review_by: reviewBy };
}

import { type CompiledRule, compileRules } from "../src/judge/compiled-rule.ts";
import { SlotTable } from "../src/condition/slots.ts";
import type { Input } from "../src/index.ts";
import { FolderFiles } from "../src/ruleset/folder-files.ts";
import { readDraft } from "../src/ruleset.ts";
import { finishSteps } from "../src/steps.ts";

/** What the rules of a ruleset say, and nothing more: no evidence, no unknown rules, no integrity, no action. */
export function judgeConditions(text: string): (input: Input) => { score: number; hits: string[] } {
  const files = new FolderFiles("", new Map());
  const { content, faults } = finishSteps(readDraft(text, { file: "bench.yaml", files, nowMs: undefined }));
  faults.throwIfAny();
  const slots = new SlotTable();
  const rules: readonly CompiledRule[] = compileRules(content?.rules ?? [], slots);
  return (input) => {
    const values = slots.read(input);
    const hits: string[] = [];
    let sum = 0;
    for (const { id, score, evaluate, falsePlace, falseValue } of rules) {
      if (values[falsePlace] === falseValue || evaluate(values) !== true) continue;
      hits.push(id);
      sum += score ?? 0;
    }
    return { score: Math.max(0, sum), hits };
  };
}

import { isRecord, type Verdict } from "@assay/protocol";

/** A place where two verdicts differ. */
export interface Difference {
  /** With dots, as in `checks.stale` and `reasons.0.rule`. */
  readonly path: string;
  /** Undefined where there is nothing. */
  readonly was: unknown;
  readonly is: unknown;
}

/** Where two verdicts differ, in their order; empty when they hold the same. */
export function differencesOf(was: Verdict, is: Verdict): Difference[] {
  return differ("", was, is);
}

function differ(path: string, was: unknown, is: unknown): Difference[] {
  const [before, after] = [fieldsOf(was), fieldsOf(is)];
  if (before === undefined || after === undefined || Array.isArray(was) !== Array.isArray(is)) {
    return Object.is(was, is) ? [] : [{ path, was, is }];
  }
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differ(path === "" ? name : `${path}.${name}`, before[name], after[name]));
}

function fieldsOf(value: unknown): Record<string, unknown> | undefined {
  if (Array.isArray(value)) return Object.fromEntries(value.entries());
  return isRecord(value) ? value : undefined;
}

import { besideTexts } from "./text-literal.ts";

/**
 * Fingerprint's window keys begin with a digit (`velocity.distinct_ip.5_minutes`), which CEL does not allow. Before the
 * parse such a key is replaced by an identifier of equal length, so that every position stays true.
 */

const TEXT_OR_WINDOW_KEY = besideTexts(/(?<=[A-Za-z_]\w*\s*\.\s*)\d\w*/);

/** A condition with its window keys replaced; texts and comments are left alone. */
export function replaceWindowKeys(condition: string): string {
  return condition.replaceAll(TEXT_OR_WINDOW_KEY, celKey);
}

/** One key of a path as CEL may read it: `5_minutes` becomes `f_minutes`. */
export function celKey(key: string): string {
  return key.replace(/^\d/, (digit) => "abcdefghij".charAt(Number(digit)));
}

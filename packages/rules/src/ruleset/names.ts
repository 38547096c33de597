import type { FaultList } from "./fault.ts";
import type { Entry } from "./yaml-entries.ts";

export const NAME = /^[a-z][a-z0-9_]{0,63}$/;

// Words that CEL reads as something else after a dot, and what every JavaScript object has.
const UNUSABLE = new Set(["true", "false", "null", "in", "constructor"]);

/** Whether something in a condition, such as a fact, can be called so. */
export function isName(name: string): boolean {
  return NAME.test(name) && !UNUSABLE.has(name);
}

/** The same for an entry's key, with a fault when it cannot. */
export function checkName({ name, nameAt }: Entry, what: string, faults: FaultList): boolean {
  if (isName(name)) return true;
  faults.add(nameAt, `${name} cannot name a ${what}: use snake_case, at most 64 characters, no CEL word.`);
  return false;
}

/** The names of one kind in all parts of a ruleset. */
export class Names {
  readonly #what: string;
  readonly #places = new Map<string, string>();

  constructor(what: string) {
    this.#what = what;
  }

  /** Whether a name is new; a fault that names both places otherwise. */
  take(name: string, at: number, faults: FaultList): boolean {
    const place = this.#places.get(name);
    if (place !== undefined) {
      faults.add(at, `The ${this.#what} ${name} is defined twice: here and at ${place}.`);
      return false;
    }
    this.#places.set(name, faults.placeOf(at));
    return true;
  }
}

import type { Catalogue, Field } from "./catalogue.ts";

/** What reading one condition needs. `text` is the condition as it was written, with its own window keys. */
export interface ConditionScope {
  readonly text: string;
  readonly catalogue: Catalogue;
  /** Inside a macro: the name that an element of the list goes by. */
  readonly element?: { readonly name: string; readonly list: Field };
  /** Records a fault at an offset of the text. */
  fault(at: number, message: string): void;
}

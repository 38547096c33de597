import type { Signal } from "@assay/protocol";

/** A value that conditions work on. A present object is just `true`, a list is itself. */
export type SlotValue = Signal;

/**
 * The values one input has for the fields a ruleset uses; undefined is absent, or not of the field's type. Terms keep
 * what they worked out in places of their own.
 */
export type Slots = (SlotValue | undefined)[];

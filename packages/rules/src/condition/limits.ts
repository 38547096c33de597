/** Longest text, in UTF-16 units, that functions look at; a longer one is unknown to them. */
export const MAX_TEXT = 4096;

/** Longest list that macros look into; a longer one is unknown to them. */
export const MAX_ELEMENTS = 64;

/** Longest text of an element that functions inside a macro look at. */
export const MAX_ELEMENT_TEXT = 64;

/** Longest text that may be looked for: a search for a longer one can take its length times that of the text. */
export const MAX_SOUGHT = 250;

/** Longest time, in ns, that a condition may take by its estimate, evidence and missing names included. */
export const MAX_COST_NS = 1_000_000;

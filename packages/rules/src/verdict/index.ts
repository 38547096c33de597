export { isBound, isPresented, isRelayed, judgeChecks, type Presented } from "./checks.ts";
export type { BroughtEvent, PinnedInputs, Submitted } from "./submitted.ts";
export { verdictDigest, verdictOf, type VerdictParts } from "./verdict-of.ts";
export { type Answers, countersOf, onlyReading, see, type Seen, type View, viewOf, withClaim } from "./view.ts";
export { type Difference, differencesOf } from "./differences.ts";
export { judgeAgain, type KeptVerdict } from "./judge-again.ts";

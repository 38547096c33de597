export {
  createLookups,
  type LookupOutcome,
  type Lookups,
  type RefusalCode,
  type RefusedSetting,
  type UnavailableReason,
} from "./lookups.ts";
export type { Findings, UnknownValue } from "./read-fields.ts";
export { seal } from "./seal.ts";
export { parseSealedKeys, type SealedKey, SealedKeyError } from "./sealed-key.ts";
export { type RefusalReason, toEvent, type ToEvent } from "./to-event.ts";
export { unseal, type UnsealCode, type Unsealed, UnsealError } from "./unseal.ts";
export { createUnsealer, type Unsealer } from "./unsealer.ts";
export type { SignalError } from "./v3-event.ts";
export { signWebhook, verifySignature } from "./webhook-signature.ts";

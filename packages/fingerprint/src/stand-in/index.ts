export type { CommandOptions } from "./commands.ts";
export { aBot, aToken, anAddress, anEvent, anEventId, type EventChanges } from "./event.ts";
export type { ForbiddenCode, Misbehaviour } from "./misbehaviour.ts";
export { sealEvent } from "./seal-event.ts";
export { type Call, type StandInApi, type StandInOptions, startStandInApi } from "./stand-in-api.ts";
export type { RateLimit } from "./token-bucket.ts";
export { signWebhook } from "../webhook-signature.ts";

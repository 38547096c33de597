export type { VerdictArchive } from "@assay/ledger";
export {
  type Action,
  type Context,
  type Label,
  type OutcomeInput,
  type Problem,
  type ProblemCode,
  ProblemError,
  type SubmissionInput,
  type Verdict,
} from "@assay/protocol";
export {
  type Answer,
  type AssayClient,
  type CallOptions,
  createAssayClient,
  type DecideOptions,
  type SubmitManyOptions,
  type SubmitOptions,
} from "./client.ts";
export { contextFrom, type ContextFromOptions, type RequestLike } from "./context-from.ts";
export { NotOverHttpError, PeersMissingError } from "./errors.ts";
export type { HttpOptions } from "./http-transport.ts";
export type { RedisOptions } from "./redis-options.ts";
export type { Each } from "./submit-each.ts";
export { toPublic } from "./to-public.ts";
export type { Trimmed } from "./trimmed.ts";
export type { OutcomeReceipt, Receipt } from "./transport.ts";
export type { VerdictFilter } from "./verdict-filter.ts";
export type {
  Consumer,
  ConsumeOptions,
  ReceivedVerdict,
  SubscribeOptions,
  TailedVerdict,
  TailOptions,
  VerdictHandler,
} from "./verdict-stream.ts";

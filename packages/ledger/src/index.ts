export { type Abilities, type Ability, readAbilities, tellAbility } from "./abilities.ts";
export { type Acceptance, acceptSubmissions, type Arrival } from "./accept.ts";
export {
  ARCHIVE_GROUP,
  type ArchiveBacklog,
  type ArchiveEntry,
  type ArchiveStream,
  type ArchiveStreamOptions,
  createArchiveStream,
  readArchiveBacklog,
  type RejectedEntry,
} from "./archive-stream.ts";
export { connectForCommands, connectForWork, type ConnectionTarget, disconnect, whenReady } from "./connection.ts";
export type { PlannedCounter } from "./counting.ts";
export { awaitEvent, inquireEvent, type Inquirer, type Inquiry, noteNotFound, stopAsking } from "./event-inquiry.ts";
export { createGatherer, type Gatherer, type GathererOptions } from "./gatherer.ts";
export {
  type Claim,
  type CounterRequest,
  type CounterValue,
  type Inputs,
  pinInputs,
  type PinRequest,
  type Use,
} from "./inputs.ts";
export { keyedHash, referenceHash } from "./keyed-hash.ts";
export { holdLease, releaseLease } from "./lease.ts";
export { letGoSubmissions, type Release } from "./let-go.ts";
export { type Loaded, loadSubmissions, type Work } from "./load.ts";
export {
  holdBucket,
  type KeyStanding,
  leaveLine,
  type LookupRate,
  takeTurn,
  type Turn,
  type TurnRequest,
} from "./lookup-line.ts";
export { type InstallationMeta, openInstallation, SchemaMismatchError } from "./meta.ts";
export { findOverdue, type Overdue, pendingOf } from "./overdue.ts";
export { type Publication, type Published, type PublishOptions, publishVerdicts } from "./publish.ts";
export {
  readEventVerdicts,
  readSubmissionState,
  readVerdict,
  type SubmissionState,
  type VerdictState,
} from "./read.ts";
export type { Meta, ToldOutcome } from "./record.ts";
export { isPassing, redisErrorKind } from "./redis-error.ts";
export {
  checkServer,
  type Durability,
  DURABILITIES,
  readMemoryRatio,
  SERVER_ASSERTIONS,
  type ServerAssertion,
  type ServerReport,
} from "./server.ts";
export { type Report, type Reported, reportOutcome } from "./report.ts";
export { readStreamLag, type StreamLag } from "./stream-lag.ts";
export { bringEvent, forgetWaiters, isAwaitedEvent, readStoredEvent } from "./stored-event.ts";

export { type Abilities, type Ability, readAbilities, tellAbility, tellArchive } from "./abilities.ts";
export { type Acceptance, acceptSubmissions, type Arrival } from "./accept.ts";
export type { ArchiveEntry } from "./archive-entry.ts";
export { ARCHIVE_GROUP } from "./archive-keep.ts";
export {
  type ArchiveBacklog,
  type ArchiveStream,
  type ArchiveStreamOptions,
  createArchiveStream,
  readArchiveBacklog,
  type RejectedEntry,
} from "./archive-stream.ts";
export {
  connectForCommands,
  connectForReads,
  connectForWork,
  type ConnectionTarget,
  disconnect,
  whenReady,
} from "./connection.ts";
export type { PlannedCounter } from "./counting.ts";
export {
  type DeadLetter,
  dropLetters,
  type InputLetter,
  readInputLetters,
  readLetter,
  walkLetters,
} from "./dead-letters.ts";
export {
  awaitEvent,
  inquireEvent,
  type Inquirer,
  type Inquiry,
  noteNotFound,
  startAsking,
  stopAsking,
} from "./event-inquiry.ts";
export { type EndpointReport, type KnownEndpoint, pauseEndpoint, readEndpoints, tellEndpoints } from "./endpoints.ts";
export {
  followStream,
  type FollowOptions,
  type PlacedEntry,
  readOn,
  readStreamEdge,
  type StreamBatch,
  streamEnd,
} from "./follow-stream.ts";
export { tellRuleset, type ToldRuleset } from "./tell-ruleset.ts";
export { createGatherer, type Gatherer, type GathererOptions } from "./gatherer.ts";
export {
  closeGap,
  countGone,
  deliverGone,
  forgetGone,
  type GoneEntry,
  isArchiveKnown,
  readGone,
  shortenGap,
  tellGroupArchive,
} from "./gone-entries.ts";
export {
  type GroupMember,
  type GroupRead,
  type NotedGap,
  type OnGap,
  readGroup,
  readGroupOrGap,
} from "./group-reads.ts";
export {
  type Claim,
  type CounterRequest,
  type CounterValue,
  type Inputs,
  pinInputs,
  unpinInputs,
  type PinRequest,
  readInputs,
  type Use,
} from "./inputs.ts";
export { keepDeliveries } from "./keep-deliveries.ts";
export { keyedHash, networkHash, referenceHash } from "./keyed-hash.ts";
export { type GivenUpVerdict, layAsideVerdict, type LetterTally, readLetterTally } from "./lay-aside.ts";
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
export { type MadeFrom, readMadeFrom, writeMadeFrom } from "./made-from.ts";
export { type InstallationMeta, openInstallation, readInstallation, SchemaMismatchError } from "./meta.ts";
export { findOverdue, type Overdue, pendingOf } from "./overdue.ts";
export { planDeliveries, type PlannedDelivery, replayDeliveries } from "./plan-deliveries.ts";
export { type Publication, type Published, type PublishOptions, publishVerdicts } from "./publish.ts";
export { type PublishedPage, readPublished, type StreamSpan } from "./published.ts";
export {
  readEventVerdicts,
  readSubmissionState,
  readVerdict,
  type SubmissionState,
  type VerdictState,
} from "./read.ts";
export { type Meta, readMeta, type ToldOutcome } from "./record.ts";
export { countFindings, eraseFindings, type StoreCounts } from "./erase-subject.ts";
export { type Holding, type Store, STORES } from "./holding.ts";
export { type Findings, findSubject, readFindings, type SubjectIds } from "./subject-search.ts";
export {
  canonical,
  concerns,
  strippedMeta,
  type Subject,
  SUBJECT_KINDS,
  type SubjectKind,
  type Trace,
  tracesOf,
  tracesOfEvent,
} from "./subject.ts";
export {
  type Gravestone,
  gravestonesOf,
  erasedEvents,
  heldOf,
  type HeldSubmission,
  readTombstones,
  type Standing,
  tombstoneHash,
  writeTombstones,
} from "./tombstones.ts";
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
export { redriveLetter, type Redriven } from "./redrive.ts";
export { endReplay, moveReplay, readReplays, type Replay, requestReplay } from "./replays.ts";
export { type Report, type Reported, reportOutcome } from "./report.ts";
export {
  MAX_SIGHTING_NAME,
  MINUTE_COUNTS,
  type MinuteCount,
  type Noticed,
  noticeSightings,
  readSightings,
  type SeenMinute,
  type Sighting,
  type SightingKind,
  type Sightings,
} from "./sightings.ts";
export {
  BEGINNING,
  compareStreamIds,
  decodePlace,
  encodePlace,
  type Gap,
  idBefore,
  idBehind,
  type StreamEdge,
  type StreamPlace,
} from "./stream-place.ts";
export { type PendingEntry, readPending, type StreamEntry } from "./stream-replies.ts";
export { readLeftGroups, readStreamLag, type StreamLag } from "./stream-lag.ts";
export {
  type Brought,
  bringEvent,
  forgetWaiters,
  isAwaitedEvent,
  readStoredEvent,
  type Waiter,
} from "./stored-event.ts";
export { resumeEndpoint, type Settled, settleDelivery, type Settlement } from "./settle-delivery.ts";
export {
  type EndpointStanding,
  type LeasedDelivery,
  type PauseReason,
  takeDeliveries,
  type TakeRequest,
} from "./take-deliveries.ts";
export { gapOfEntries, keepEntries, leaveGroup, type OnGone, takeOverEntries } from "./take-over.ts";
export {
  fillGap,
  type GapNotice,
  type GapPart,
  isArchiveBehind,
  readArchived,
  type VerdictArchive,
} from "./verdict-archive.ts";
export { eventsUnderWay } from "./under-way.ts";

export { ACTIONS, type Action, moreSevere } from "./actions.ts";
export { type Address, parseAddress, stripPort } from "./address.ts";
export { CHECK_NAMES, type CheckName, type Checks } from "./checks.ts";
export { closestName, closestNames } from "./closest-name.ts";
export { type Context, type Fact, isRecord, readContext, unknownField } from "./context.ts";
export { canonicalJson, contentDigest, type ContentGroup, differingGroups } from "./digest.ts";
export { envelopeOf, envelopeText, readEnvelope, redeliveryOf, type VerdictEnvelope } from "./envelope.ts";
export { EVENT_SOURCES, type Event, type EventSource, MAX_EVENT_BYTES } from "./event.ts";
export { EVENT_FIELDS, type EventField } from "./event-fields.generated.ts";
export { EVENT_READERS, type EventSignals, type Signal } from "./event-readers.generated.ts";
export {
  backfillId,
  deliveryId,
  isSubmissionId,
  outcomeId,
  redriveId,
  redriveOf,
  submissionId,
  webhookId,
} from "./ids.ts";
export {
  createKeys,
  decidedChannel,
  DEFAULT_PREFIX,
  type Keys,
  leaderKey,
  LETTER_KINDS,
  type LetterKind,
  metaKey,
  queuePrefix,
  secretFingerprint,
} from "./keys.ts";
export { type JobData, type Kind, KINDS, type Lane, laneOf, LANES, queueName, SUSPECTS_QUEUE } from "./lanes.ts";
export {
  type Label,
  LABELS,
  MAX_OUTCOME_BYTES,
  type Outcome,
  outcomeDigest,
  type OutcomeInput,
  readOutcome,
} from "./outcome.ts";
export { type Problem, type ProblemCode, PROBLEM_CODES, isProblemCode, ProblemError } from "./problem.ts";
export { checkObservedAt } from "./observed-at.ts";
export { parseOrigin } from "./origin.ts";
export { faultOfRoles, isRole, mayDo, type Role, ROLES } from "./roles.ts";
export { SHARD_COUNT, shardOf } from "./shard.ts";
export {
  isEventId,
  MAX_BODY_BYTES,
  MAX_SEALED_BYTES,
  readIdempotencyKey,
  readSubmission,
  type ReadSubmission,
  type Submission,
  type SubmissionInput,
} from "./submission.ts";
export { checkTestEvent, isTestEventId, readTestEvent, TEST_EVENT_IDS, type TestEvent } from "./test-event.ts";
export { DEFAULT_TENANT, isTenantName, TENANT_NAME_RULE } from "./tenant.ts";
export { readTime } from "./time.ts";
export { INPUT_FAULT_CODES, UNDECIDED_CODES, type UndecidedCode } from "./undecided.ts";
export type { Reason, Verdict } from "./verdict.ts";

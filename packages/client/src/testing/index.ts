export { aBot, anEvent, anEventId, type EventChanges, sealEvent, signWebhook } from "@assay/fingerprint/stand-in";
export type { TestFailure } from "./memory-transport.ts";
export { createTestClient, type Submitted, type TestClient, type TestClientOptions } from "./test-client.ts";
export type { TestDecision } from "./verdict-on.ts";

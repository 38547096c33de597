import { createUnsealer, parseSealedKeys, toEvent } from "@assay/fingerprint";
import type { Ruleset } from "@assay/rules";
import { DecryptionAlgorithm, unsealEventsResponse } from "@fingerprint/node-sdk";
import { createPeerJudge } from "./peer-rules.ts";
import type { Work } from "./workload.ts";

/** Opens and judges one sealed result in this process and returns the action. */
export type Decide = (work: Work) => string | Promise<string>;

/** Assay's own parts, without Redis, claims and checks. */
export function assayInProcess(sealedKey: string, ruleset: Ruleset): Decide {
  const unsealer = createUnsealer(parseSealedKeys(sealedKey));
  return ({ sealed, context }) => {
    const found = toEvent(unsealer.unseal(sealed).json);
    if (!found.ok) throw new Error("The workload holds something that is no event.");
    const checks = { ip_mismatch: context.ip !== found.event.ip_address };
    return ruleset.decide({ event: found.event, checks, context, receivedAt: Date.now(), kind: "sealed" }).action;
  };
}

/** The peer's parts, without Redis. */
export function peerInProcess(sealedKey: string): Decide {
  const keys = [{ key: Buffer.from(sealedKey, "base64"), algorithm: DecryptionAlgorithm.Aes256Gcm }];
  const judge = createPeerJudge();
  return async ({ sealed, context }) => {
    const decision = await judge(await unsealEventsResponse(Buffer.from(sealed), keys), context);
    return decision.action;
  };
}

/** Throws unless both take the same action on all work: otherwise their speeds say nothing. */
export async function expectSameActions(work: readonly Work[], a: Decide, b: Decide): Promise<void> {
  for (const one of work) {
    const [left, right] = [await a(one), await b(one)];
    if (left !== right) throw new Error(`Assay and the peer differ on ${one.eventId}: ${left} and ${right}.`);
  }
}

/** Decisions per second of one loop, one after the other. */
export async function measureLimit(work: readonly Work[], decide: Decide): Promise<number> {
  const startMs = performance.now();
  for (const one of work) {
    const action = decide(one);
    // Awaiting what is already there would cost the loop a turn.
    if (action instanceof Promise) await action;
  }
  return (work.length * 1000) / (performance.now() - startMs);
}

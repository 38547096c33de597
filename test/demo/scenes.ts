import { randomBytes } from "node:crypto";
import { parseSealedKeys, seal, type SealedKey } from "@assay/fingerprint";
import type { Action, Context, Event, SubmissionInput } from "@assay/protocol";
import { aBot, anAddress, anEvent, anEventId } from "../support/events.ts";

/** One thing that happens at a door, and the verdict it must end in. */
export interface Step {
  readonly door: "sealed result" | "event id" | "webhook";
  readonly who: string;
  readonly input: SubmissionInput;
  /** The event the vendor knows, for lookups, or sends, for webhooks. */
  readonly event?: Event;
  readonly expect: { readonly action: Action; readonly rule?: string; readonly undecided?: string };
}

/** A short story; its steps happen one after the other. */
export type Scene = (key: SealedKey) => readonly Step[];

/** What visitors of a shop do, good and bad. Every scene invents new people. */
export const SCENES: readonly Scene[] = [
  (key) => [sealedStep("a customer logs in", anEvent(), key, { expect: { action: "allow" } })],
  () => [lookupStep("a customer checks out", anEvent(), { expect: { action: "allow" } })],
  () => [webhookStep("Fingerprint reports a visit", anEvent(), { expect: { action: "allow" } })],
  (key) => [
    sealedStep("a customer with a VPN", anEvent({ vpn: true }), key, { expect: { action: "allow", rule: "vpn" } }),
  ],
  (key) => [sealedStep("a bot tries passwords", aBot(), key, { expect: { action: "block", rule: "bad_bot" } })],
  () => [lookupStep("a bot checks out", aBot(), { expect: { action: "block", rule: "bad_bot" } })],
  () => [webhookStep("Fingerprint reports a bot", aBot(), { expect: { action: "block", rule: "bad_bot" } })],
  (key) => [
    sealedStep(
      "a hidden network in a virtual machine",
      anEvent({ proxy: true, virtual_machine: true, ip_blocklist: { tor_node: true } }),
      key,
      {
        expect: { action: "review", rule: "tor" },
      },
    ),
  ],
  (key) => {
    const event = anEvent();
    return [
      sealedStep("a customer presses the button", event, key, { expect: { action: "allow" } }),
      sealedStep("and the same event comes again", event, key, {
        expect: { action: "challenge", rule: "integrity.reused" },
      }),
    ];
  },
  (key) => {
    const event = anEvent();
    const elsewhere: Context = { flow: "login", ip: "198.51.100.66", user_agent: "curl/8.5" };
    return [
      sealedStep("a thief presents a stolen event first", event, key, {
        context: elsewhere,
        expect: { action: "challenge", rule: "other_browser" },
      }),
      sealedStep("its owner is unharmed", event, key, { expect: { action: "allow" } }),
      sealedStep("and the thief comes again", event, key, {
        context: elsewhere,
        expect: { action: "block", rule: "integrity.reused_elsewhere" },
      }),
    ];
  },
  () => {
    const [forged] = parseSealedKeys(randomBytes(32).toString("base64"));
    if (forged === undefined) throw new Error("A fresh key must be usable.");
    return [sealedStep("a forged seal", anEvent(), forged, { expect: { action: "block", undecided: "no_key_opens" } })];
  },
  () => {
    const invented = anEventId(Date.now() - 60_000);
    return [
      {
        door: "event id",
        who: "an invented event id",
        input: { event_id: invented, context: { flow: "login", ip: anAddress() } },
        expect: { action: "block", undecided: "event_not_found" },
      },
    ];
  },
  (key) => [
    sealedStep("an event of ten minutes ago", anEvent({ timestamp: Date.now() - 600_000 }), key, {
      expect: { action: "challenge", rule: "integrity.stale" },
    }),
  ],
];

interface StepOptions {
  readonly context?: Context;
  readonly expect: Step["expect"];
}

function sealedStep(who: string, event: Event, key: SealedKey, { context, expect }: StepOptions): Step {
  const sealedResult = Buffer.from(seal(event, key)).toString("base64");
  return {
    door: "sealed result",
    who,
    input: { sealed_result: sealedResult, context: context ?? contextOf(event, "login") },
    expect,
  };
}

function lookupStep(who: string, event: Event, { context, expect }: StepOptions): Step {
  return {
    door: "event id",
    who,
    event,
    input: { event_id: event.event_id, context: context ?? contextOf(event, "checkout") },
    expect,
  };
}

function webhookStep(who: string, event: Event, { expect }: StepOptions): Step {
  return { door: "webhook", who, event, input: {}, expect };
}

/** What the shop's backend observes of an honest visitor: the same as Fingerprint did. */
function contextOf(event: Event, flow: string): Context {
  return {
    flow,
    ...(event.ip_address === undefined ? {} : { ip: event.ip_address }),
    ...(event.user_agent === undefined ? {} : { user_agent: event.user_agent }),
  };
}

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type Authority, type Certificate, createAuthority, withoutOpenssl } from "../../support/certificates.ts";
import { eventually } from "../../support/eventually.ts";
import { openWebhookReceiver } from "../../support/webhook-receiver.ts";
import { anEntry, openDeliverStage } from "./stage.ts";

const title = withoutOpenssl === undefined ? "" : ` (skipped: ${withoutOpenssl})`;

describe.skipIf(withoutOpenssl !== undefined)(`an endpoint by https${title}`, () => {
  let known: Authority;
  let stranger: Authority;
  beforeAll(async () => {
    [known, stranger] = await Promise.all([createAuthority(), createAuthority()]);
  });
  afterAll(async () => {
    await Promise.all([known.stop(), stranger.stop()]);
  });

  /** A worker, in a process of its own, that knows one authority; and a receiver with a certificate. */
  async function deliverTo(certificate: Certificate, env: Record<string, string> = {}) {
    const receiver = await openWebhookReceiver(certificate);
    onTestFinished(() => receiver.stop());
    const stage = await openDeliverStage();
    await stage.endpoints([anEntry(receiver, "orders")]);
    const worker = await stage.start({ NODE_EXTRA_CA_CERTS: known.file, ...env });
    await stage.publish({});
    return { receiver, worker };
  }

  test("is delivered to where an authority of one's own has signed it", async () => {
    const { receiver } = await deliverTo(await known.issue("localhost"));
    await eventually(() => expect(receiver.received("/orders")).toHaveLength(1));
  });

  test.each<[string, () => Promise<Certificate>, Record<string, string>?]>([
    ["has expired", () => known.issue("localhost", { expired: true })],
    ["is for another host", () => known.issue("elsewhere.example")],
    ["was signed by a stranger", () => stranger.issue("localhost")],
    [
      "was signed by a stranger, though Node.js is told not to mind",
      () => stranger.issue("localhost"),
      { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
    ],
  ])("is sent nothing when its certificate %s", async (_, issue, env = {}) => {
    const { receiver, worker } = await deliverTo(await issue(), env);
    expect(await worker.line(({ msg }) => msg === "a delivery failed")).toMatchObject({ reason: "tls" });
    expect(receiver.received("/orders")).toEqual([]);
  });
});

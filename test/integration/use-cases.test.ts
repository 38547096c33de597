import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AssayClient, createAssayClient } from "@assay/client";
import { seal } from "@assay/fingerprint";
import type { Context, Event } from "@assay/protocol";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { anEvent } from "../support/events.ts";
import { ROOT } from "../support/snippets.ts";
import { openWorkerStack, type WorkerStack } from "../support/worker-stack.ts";
import { type OpenIngress, startIngress } from "./ingress/open-ingress.ts";

let folder: string;
let stack: WorkerStack;
let door: OpenIngress;
let client: AssayClient;

// The rulesets as they are shipped, with every route switched on.
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "assay-use-cases-"));
  cpSync(join(ROOT, "rulesets"), folder, { recursive: true });
  const routes = readFileSync(join(folder, "_routes.yaml"), "utf8");
  writeFileSync(join(folder, "_routes.yaml"), routes.replaceAll(/^# (?=['a-z_*]+: [a-z_]+$)/gm, ""));
  stack = await openWorkerStack({ env: { ASSAY_RULESETS: folder } });
  door = await startIngress(inject("redisUrl"), { ASSAY_PREFIX: stack.prefix, ASSAY_INGRESS_KEYS: "secret" });
  client = createAssayClient({ url: door.baseUrl, key: "secret" });
  await stack.runWorker();
});
afterAll(async () => {
  await client.close();
  await door.close();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A visitor on a device of its own, who makes a new event each time. */
function aVisitor() {
  const { identification, ip_address = "" } = anEvent();
  return async (context: Context, outcome?: string): Promise<string> => {
    const event: Event = anEvent({ ip_address, ...(identification === undefined ? {} : { identification }) });
    const { id } = await client.submit({
      sealed_result: Buffer.from(seal(event, stack.sealedKey)).toString("base64"),
      context,
    });
    const { ruleset, action, reasons } = await stack.verdict(id);
    if (outcome !== undefined) await client.report({ submission_id: id, outcome });
    return [ruleset.name, action, ...reasons.map(({ rule }) => rule)].join(" ");
  };
}

describe("the shipped rulesets, routed", () => {
  test("ask a new device for more, and block one that tries account after account", async () => {
    const [anna, thief] = [aVisitor(), aVisitor()];
    const login = (user_id: string) => ({ flow: "login", user_id });
    const user = randomUUID();
    expect(await anna(login(user), "login_succeeded")).toBe("account_takeover allow");
    expect(await anna(login(user), "login_succeeded")).toBe("account_takeover allow");
    expect(await thief(login(user), "login_failed")).toBe("account_takeover challenge new_device");
    await thief(login(randomUUID()), "login_failed");
    await thief(login(randomUUID()), "login_failed");
    expect(await thief(login(user))).toBe("account_takeover block credential_stuffing failed_logins new_device");
    expect(await anna(login(user))).toBe("account_takeover allow");
  });

  test("make a visitor wait for the next message", async () => {
    const visitor = aVisitor();
    expect(await visitor({ flow: "sms" }, "sms_sent")).toBe("sms_pumping allow");
    expect(await visitor({ flow: "sms" })).toBe("sms_pumping challenge wait_30_seconds");
  });

  test("show the wall at the third article, and not for one that is read again", async () => {
    const reader = aVisitor();
    const read = (article: string) => reader({ flow: "article", facts: { article, subscriber: false } });
    expect([await read("a"), await read("b"), await read("a")]).toEqual(
      Array.from({ length: 3 }, () => "paywall allow"),
    );
    expect(await read("c")).toBe("paywall challenge free_articles_read");
  });

  test("redeem a coupon once for each visitor", async () => {
    const [visitor, other] = [aVisitor(), aVisitor()];
    const coupon = { flow: "coupon", facts: { coupon: randomUUID() } };
    expect(await visitor(coupon, "coupon_redeemed")).toBe("coupon_abuse allow");
    expect(await visitor(coupon)).toBe("coupon_abuse block same_coupon another_coupon_too_soon");
    expect(await other(coupon)).toBe("coupon_abuse allow");
  });

  test("ask at the second account of a device, and block the fourth", async () => {
    const visitor = aVisitor();
    const signUp = () => visitor({ flow: "signup" }, "signed_up");
    const answers = [await signUp(), await signUp(), await signUp(), await signUp()];
    expect(answers.map((answer) => answer.split(" ")[1])).toEqual(["allow", "challenge", "challenge", "block"]);
  });

  test("look at a device with three cards", async () => {
    const visitor = aVisitor();
    const pay = (card: string) => visitor({ flow: "checkout", facts: { card } }, "payment_failed");
    expect(await pay("c_1")).toBe("payment_fraud allow");
    await pay("c_2");
    expect(await pay("c_3")).toBe("payment_fraud challenge many_cards");
    expect(await pay("c_3")).toBe("payment_fraud review failed_payments many_cards");
  });
});

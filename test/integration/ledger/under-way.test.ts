import { acceptSubmissions, eventsUnderWay, inquireEvent, publishVerdicts } from "@assay/ledger";
import { backfillId, webhookId } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { accepted, anArrival, aPublication, keeping } from "./builders.ts";
import { openLedger } from "./open-ledger.ts";

describe("eventsUnderWay", () => {
  test("knows what a webhook or a backfill brought, what a lookup asks for, and what was decided", async () => {
    const ledger = await openLedger();
    const { redis, keys } = ledger;
    await acceptSubmissions(redis, keys, [
      anArrival({ kind: "webhook", event_id: "hook" }, webhookId("0", "hook")),
      anArrival({ kind: "backfill", event_id: "fill" }, backfillId("0", "fill")),
    ]);
    await inquireEvent(redis, keys, { eventId: "asked", id: await accepted(ledger), isAwaited: false });
    const id = await accepted(ledger);
    await publishVerdicts(redis, keys, [aPublication(id, {}, { event_id: "decided" })], keeping(ledger));
    for (const kind of ["lookup", "sealed"] as const) {
      const undecided = { code: "lookup_unavailable" } as const;
      const failed = aPublication(await accepted(ledger, { kind }), {}, { kind, undecided, event_id: "never" });
      await publishVerdicts(redis, keys, [failed], keeping(ledger));
    }
    const events = ["hook", "fill", "asked", "decided", "never"];
    expect(await eventsUnderWay(redis, keys, events)).toEqual(new Set(events.slice(0, 4)));
  });
});

import type { AssayClient, TailedVerdict, Verdict } from "@assay/client";
import type { Action } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { eventually } from "../../support/eventually.ts";

/** A client under test, and a hand that decides in the worker's place. */
interface StreamSubject {
  readonly client: AssayClient;
  decideAll(action?: Action): Promise<string[]>;
}

/** What every transport promises of verdicts as they come. */
export function streamConformance(subject: () => StreamSubject): void {
  async function decided(action?: Action): Promise<string> {
    const { id } = await subject().client.submit({ event_id: "event-1" });
    await subject().decideAll(action);
    return id;
  }

  describe("tail", () => {
    test("brings verdicts from now on, each with a place to go on behind", async () => {
      const before = await decided();
      const all: TailedVerdict[] = [];
      const controller = new AbortController();
      const tailing = (async () => {
        for await (const each of subject().client.tail({ signal: controller.signal })) all.push(each);
      })();
      // Until it has begun, it is given nothing.
      await eventually(async () => {
        const id = await decided();
        await eventually(() => expect(all.at(-1)?.verdict.id).toBe(id), { timeoutMs: 500 });
      });
      const ids = [await decided("block"), await decided("review")];
      await eventually(() => expect(all.slice(-2).map(({ verdict }) => verdict.id)).toEqual(ids));
      controller.abort();
      await tailing;
      expect(all.map(({ verdict }) => verdict.id)).not.toContain(before);
      const missed = await decided();
      const from = all.at(-2)?.id ?? "";
      expect(await firstOf(2, subject().client.tail({ from }))).toEqual([ids[1], missed]);
      expect(await firstOf(1, subject().client.tail({ from, filter: { action: "review" } }))).toEqual([ids[1]]);
      expect(
        await firstOf(1, subject().client.tail({ from, filter: { action: ["allow", "block"], kind: "lookup" } })),
      ).toEqual([missed]);
    });

    test.each(["1700000000000-0", "*", "s_1"])("knows no place %s", async (from) => {
      await expect(firstOf(1, subject().client.tail({ from }))).rejects.toMatchObject({ code: "invalid_field" });
    });

    test("ends when the client is closed", async () => {
      const ended = firstOf(1, subject().client.tail());
      await subject().client.close();
      expect(await ended).toEqual([]);
    });
  });

  describe("subscribe", () => {
    test("brings what is left from the beginning on, to be acknowledged", async () => {
      const ids = [await decided("allow"), await decided("block")];
      const seen: [string, number][] = [];
      for await (const { verdict, deliveries, ack } of subject().client.subscribe({
        group: "crm",
        from: "beginning",
      })) {
        seen.push([verdict.id, deliveries]);
        await ack();
        if (seen.length === 2) break;
      }
      expect(seen).toEqual(ids.map((id) => [id, 1]));
    });
  });
}

async function firstOf(count: number, verdicts: AsyncIterable<{ readonly verdict: Verdict }>): Promise<string[]> {
  const ids: string[] = [];
  for await (const { verdict } of verdicts) {
    ids.push(verdict.id);
    if (ids.length === count) break;
  }
  return ids;
}

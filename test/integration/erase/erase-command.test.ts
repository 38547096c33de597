import { tombstoneHash } from "@assay/ledger";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { assay } from "../../support/assay-command.ts";
import { startPostgres, withoutPostgres } from "../../support/postgres-server.ts";
import type { PrivatePostgres } from "../../support/private-postgres.ts";
import { everyKey, everyRow, type Held, placesWith } from "./everything.ts";
import { aPerson, namesOf, type Person } from "./person.ts";
import { type EraseStage, openEraseStage } from "./stage.ts";

describe.skipIf(withoutPostgres)("assay erase", () => {
  let server: PrivatePostgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const everything = async ({ stack, archive }: EraseStage): Promise<Held[]> => [
    ...(await everyKey(stack.redis, stack.prefix)),
    ...(await everyRow(archive.pool)),
  ];
  /** How often each store holds a person, by the part of a key's name that says what it is. */
  const shareOf = (held: readonly Held[], person: Person): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const name of namesOf(person)) {
      for (const place of placesWith(held, name)) {
        const store = place.startsWith("table") ? place.replace(/_\d{8}$/, "") : (place.split(":")[3] ?? "");
        counts[store] = (counts[store] ?? 0) + 1;
      }
    }
    return counts;
  };
  const run = (stage: EraseStage, ...args: string[]) => assay(args, { env: stage.env });

  test.each([
    ["user", "--user"],
    ["visitor", "--visitor"],
    ["linkedId", "--linked-id"],
    ["ip", "--ip"],
    ["reference", "--reference"],
  ] as const)(
    "leaves nothing of somebody known by %s in any key and any table, and all of everybody else",
    async (name, flag) => {
      const stage = await openEraseStage(server);
      const [anna, bert] = [aPerson("198.51.100.77"), aPerson("198.51.100.88")];
      const worker = await stage.startWorker();
      await Promise.all([anna, bert].map((person) => stage.know(person)));
      await worker.stop();
      const before = await everything(stage);
      expect(Object.keys(shareOf(before, anna))).toEqual(
        expect.arrayContaining([
          "a",
          "v",
          "e",
          "c",
          "ev",
          "n",
          "wh",
          "verdicts",
          "archive",
          "dead",
          "table verdicts",
          "table events",
        ]),
      );
      const dry = await run(stage, "erase", flag, anna[name], "--dry-run", "--json");
      expect(dry).toMatchObject({ exitCode: 0 });
      expect(shareOf(await everything(stage), anna)).toEqual(shareOf(before, anna));

      const { exitCode, stdout, stderr } = await run(stage, "erase", flag, anna[name], "--yes", "--json");
      expect(stderr).toBe("");
      expect({ exitCode, receipt: JSON.parse(stdout) }).toMatchObject({
        exitCode: 0,
        receipt: { remaining: 0, dry_run: false },
      });
      const after = await everything(stage);
      expect(Object.fromEntries(namesOf(anna).map((one) => [one, placesWith(after, one)]))).toEqual(
        Object.fromEntries(namesOf(anna).map((one) => [one, []])),
      );
      expect(namesOf(anna).filter((one) => stdout.includes(one))).toEqual([]);
      expect(shareOf(after, bert)).toEqual(shareOf(before, bert));
      expect(
        placesWith(after, tombstoneHash(stage.hashKey, { kind: "event", value: anna.eventIds[0] ?? "" })),
      ).toHaveLength(2);

      const again = await run(stage, "erase", flag, anna[name], "--yes", "--json");
      expect(JSON.parse(again.stdout)).toMatchObject({
        redis: {},
        archive: { verdicts: 0, events: 0, labels: 0 },
        remaining: 0,
      });
    },
  );
});

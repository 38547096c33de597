import { describe, expect, test } from "vitest";
import { type ArchiveState, judgeArchive } from "./check-archive.ts";

const NOW = 1_795_000_000_000;
const MIB = 1024 * 1024;
const EMPTY = { entries: 0, bytes: 0, dropped: 0, droppedBytes: 0 };
const WAITING = { ...EMPTY, entries: 40, bytes: 10 * MIB, since: NOW - 3000 };
const THERE = { pending: [] };

describe("judgeArchive", () => {
  test.each<[string, ArchiveState, string, string, string]>([
    ["none", { backlog: EMPTY }, "ok", "There is none", ""],
    ["one that is well", { backlog: EMPTY, maxBytes: 128 * MIB, postgres: THERE }, "ok", "All that was decided", ""],
    [
      "what waits",
      { backlog: WAITING, maxBytes: 128 * MIB },
      "ok",
      "40 entries wait for it, 10 MiB of 128 MiB, the oldest since 3 s ago",
      "",
    ],
    [
      "that much waits",
      { backlog: WAITING, maxBytes: 16 * MIB, postgres: THERE },
      "warn",
      "63 % of what may wait is reached",
      "/readyz",
    ],
    [
      "what was dropped",
      { backlog: { ...WAITING, dropped: 7 }, maxBytes: 128 * MIB },
      "warn",
      "7 entries were dropped",
      "raise ASSAY_ARCHIVE_BACKLOG_MAX_BYTES",
    ],
    [
      "what groups cannot read",
      { backlog: WAITING, maxBytes: 128 * MIB, left: ["crm", "assay-deliver"] },
      "warn",
      "before these groups were given them: crm, assay-deliver",
      "give a worker that delivers DATABASE_URL",
    ],
    [
      "workers without one",
      { backlog: EMPTY, postgres: THERE },
      "warn",
      "the workers said that they have none",
      "set it",
    ],
    [
      "old tables",
      { backlog: EMPTY, maxBytes: MIB, postgres: { pending: ["0002_stream-id"] } },
      "fail",
      "0002_stream-id to come",
      "run assay migrate",
    ],
    [
      "a Postgres that is away",
      { backlog: WAITING, maxBytes: MIB, postgres: { trouble: "It cannot be used.", pending: [] } },
      "fail",
      "It cannot be used.",
      "DATABASE_URL",
    ],
  ])("tells %s", (_, state, status, says, todo) => {
    const finding = judgeArchive(state, NOW);
    expect(finding).toMatchObject({ name: "archive", status });
    expect(finding.says).toContain(says);
    expect(finding.do ?? "").toContain(todo);
  });
});

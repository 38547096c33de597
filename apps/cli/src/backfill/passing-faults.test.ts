import { ArchiveError } from "@assay/archive";
import { ProblemError } from "@assay/protocol";
import { describe, expect, test } from "vitest";
import { CommandError, EXIT } from "../report.ts";
import { mayPass } from "./passing-faults.ts";

describe("mayPass", () => {
  test.each([
    [true, new ArchiveError("archive_unavailable", "Postgres is away.")],
    [false, new ArchiveError("archive_rejected", "Postgres refuses.")],
    [true, new ProblemError("unavailable", "Redis did not answer.")],
    [false, new ProblemError("invalid_field", "It is wrong.")],
    [true, new Error("Command timed out")],
    [true, new Error("OOM command not allowed when used memory > 'maxmemory'.")],
    [false, new CommandError(EXIT.unavailable, "Another backfill is under way.")],
    [false, new TypeError("A fault of ours.")],
    [false, "no error"],
  ])("says %s of %s", (passes, error) => {
    expect(mayPass(error)).toBe(passes);
  });
});

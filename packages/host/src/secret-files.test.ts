import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createLogger } from "./logger.ts";
import { followSecretFiles, type SecretFiles } from "./secret-files.ts";

let path: string;
let lines: string[];
let files: SecretFiles | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  path = join(mkdtempSync(join(tmpdir(), "assay-secret-")), "key");
  writeFileSync(path, "first\n");
  lines = [];
});
afterEach(async () => {
  await files?.stop();
  vi.useRealTimers();
});

function follow(changed: (content: string) => void): void {
  const logger = createLogger({ name: "test", destination: { write: (line: string) => void lines.push(line) } });
  files = followSecretFiles({
    files: [{ setting: "KEY_FILE", path, changed }],
    logger,
    intervalMs: 10,
  });
}

describe("followSecretFiles", () => {
  test("passes on new content, once, and prints none of it", () => {
    const seen: string[] = [];
    follow((content) => seen.push(content));
    vi.advanceTimersByTime(50);
    writeFileSync(path, " second \n");
    vi.advanceTimersByTime(50);
    expect(seen).toEqual(["second"]);
    expect(lines.join("")).toContain("KEY_FILE");
    expect(lines.join("")).not.toContain("second");
  });

  test("keeps the secret in use while the file is missing, and says so once", () => {
    const seen: string[] = [];
    follow((secret) => seen.push(secret));
    rmSync(path);
    vi.advanceTimersByTime(50);
    expect(seen).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  test("goes on after content that is refused", () => {
    const seen: string[] = [];
    follow((secret) => {
      if (secret === "bad") throw new Error("not 32 bytes");
      seen.push(secret);
    });
    writeFileSync(path, "bad");
    vi.advanceTimersByTime(50);
    writeFileSync(path, "good");
    vi.advanceTimersByTime(50);
    expect(seen).toEqual(["good"]);
  });

  test("reads no more once stopped", async () => {
    const seen: string[] = [];
    follow((secret) => seen.push(secret));
    await files?.stop();
    await files?.stop();
    writeFileSync(path, "second");
    vi.advanceTimersByTime(50);
    expect(seen).toEqual([]);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { followDatabaseUrl, readDatabaseAddress } from "./database-env.ts";
import { readEnv } from "./env.ts";

const [FIRST, SECOND] = ["postgres://assay:first@db/assay", "postgres://assay:second@db/assay"];

describe("followDatabaseUrl", () => {
  test("tells what the file holds by now, and the last address while it holds none", () => {
    const folder = mkdtempSync(join(tmpdir(), "assay-database-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "url");
    writeFileSync(file, `${FIRST}\n`);
    const address = readEnv({ DATABASE_URL_FILE: file }, readDatabaseAddress);
    const addressOfNow = followDatabaseUrl(address.databaseUrl ?? "", address);
    const told = [addressOfNow()];
    for (const content of ["", "mysql://db/assay", `${SECOND}\n`, "second"]) {
      writeFileSync(file, content);
      told.push(addressOfNow());
    }
    rmSync(file);
    expect([...told, addressOfNow()]).toEqual([FIRST, FIRST, FIRST, SECOND, SECOND, SECOND]);
  });

  test("tells the variable's address where no file is named", () => {
    const address = readEnv({ DATABASE_URL: FIRST }, readDatabaseAddress);
    expect(followDatabaseUrl(address.databaseUrl ?? "", address)()).toBe(FIRST);
  });
});

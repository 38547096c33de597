import type { LookupAddress } from "node:dns";
import { describe, expect, test } from "vitest";
import { guardLookup } from "./guarded-lookup.ts";

const faultOf = (address: string) => (address.startsWith("10.") ? "is private" : undefined);

function look(addresses: readonly string[], all: boolean): Promise<string | readonly LookupAddress[]> {
  const lookup = guardLookup(async () => addresses.map((address) => ({ address, family: 4 })), faultOf);
  return new Promise((resolve, reject) => {
    lookup("name.test", { all }, (error, found) => (error === null ? resolve(found) : reject(error)));
  });
}

describe("guardLookup", () => {
  test("gives the addresses that it judged", async () => {
    expect(await look(["1.1.1.1", "1.0.0.1"], false)).toBe("1.1.1.1");
    expect(await look(["1.1.1.1", "1.0.0.1"], true)).toEqual([
      { address: "1.1.1.1", family: 4 },
      { address: "1.0.0.1", family: 4 },
    ]);
  });

  test.each([[["10.0.0.1"]], [["1.1.1.1", "10.0.0.1"]]])(
    "refuses a name with one bad address: %j",
    async (addresses) => {
      await expect(look(addresses, true)).rejects.toMatchObject({ code: "refused_address" });
      await expect(look(addresses, false)).rejects.toMatchObject({ code: "refused_address" });
    },
  );

  test("finds no name that has no address", async () => {
    await expect(look([], false)).rejects.toMatchObject({ code: "ENOTFOUND" });
  });
});

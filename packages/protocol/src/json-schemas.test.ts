import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { jsonSchemas } from "../scripts/json-schemas.ts";

const folder = new URL("../schema/", import.meta.url);

describe("jsonSchemas", () => {
  test("has a file for each schema, and no other", () => {
    expect(readdirSync(folder).toSorted()).toEqual([...jsonSchemas().keys()].toSorted());
  });

  test.each([...jsonSchemas()])("%s is what `npm run generate:schemas` writes", (file, schema) => {
    const written: unknown = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    expect(written).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  test.each([...jsonSchemas()])("%s stands alone and lets readers accept more", (_, schema) => {
    expect(schema).toMatchObject({ type: "object", $id: expect.stringMatching(/^urn:assay:schema:/) });
    expect(JSON.stringify(schema)).not.toMatch(/"\$ref"|"additionalProperties":false/);
  });
});

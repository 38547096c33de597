import { describe, expect, test } from "vitest";
import { faultOfRoles, isRole, mayDo, type Role, ROLES } from "./roles.ts";

describe("isRole", () => {
  test("knows the closed list and nothing else", () => {
    expect([...ROLES, "root", "", "Submit", "toString"].filter(isRole)).toEqual([...ROLES]);
  });
});

describe("mayDo", () => {
  test.each(ROLES)("%s may do its own", (role) => {
    expect(mayDo([role], role)).toBe(true);
  });

  test("each role but admin may do nothing else", () => {
    const others = ROLES.filter((role) => role !== "admin");
    const extra = others.flatMap((role) =>
      ROLES.filter((needed) => needed !== role && mayDo([role], needed)).map((needed) => `${role} → ${needed}`),
    );
    expect(extra).toEqual([]);
  });

  test("admin may do everything but submit test events", () => {
    expect(ROLES.filter((needed) => !mayDo(["admin"], needed))).toEqual(["test"]);
  });
});

describe("faultOfRoles", () => {
  test.each<readonly Role[][]>([[["submit", "read"]], [["test"]], [["test", "read"]], [["admin"]]])(
    "takes %j",
    (roles) => {
      expect(faultOfRoles(roles)).toBeUndefined();
    },
  );

  test.each(ROLES.filter((role) => role !== "test" && role !== "read"))("refuses test beside %s", (role) => {
    expect(faultOfRoles(["test", role])).toContain(`test beside ${role}`);
  });

  test("refuses none", () => {
    expect(faultOfRoles([])).toContain("no role");
  });
});

/** What the keys of callers may be for. */
export const ROLES = ["submit", "read", "read_personal", "analyst", "operate", "admin", "test"] as const;

export type Role = (typeof ROLES)[number];

/** Whether text is a role. */
export function isRole(text: string): text is Role {
  return ROLES.some((role) => role === text);
}

/**
 * Whether a key of these roles may do what takes the role `needed`. `admin` may do everything but submit test events:
 * no key that submits real ones can.
 */
export function mayDo(roles: readonly Role[], needed: Role): boolean {
  return roles.includes(needed) || (needed !== "test" && roles.includes("admin"));
}

/**
 * What is wrong with the roles of one key, undefined when nothing is. A key for test events can have no role beside it
 * but `read`: one that also submits real events would let an attacker's test event through.
 */
export function faultOfRoles(roles: readonly Role[]): string | undefined {
  if (roles.length === 0) return `has no role. Give it some of ${ROLES.join(", ")}.`;
  const beside = roles.filter((role) => role !== "test" && role !== "read");
  if (!roles.includes("test") || beside.length === 0) return undefined;
  return `has test beside ${beside.join(", ")}. Test events need a key of their own: leave test alone, or with read.`;
}

/** What the entries of a list are, and so how a value is compared with them. */
export const LIST_TYPES = ["string", "cidr", "asn", "country", "email_domain"] as const;

export type ListType = (typeof LIST_TYPES)[number];

/** A `traceparent` header that is a valid W3C trace context; anything else counts as none. */
export function readTraceparent(header: unknown): string | undefined {
  if (typeof header !== "string") return undefined;
  const [, version, trace, span] = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(header) ?? [];
  if (version === undefined || version === "ff") return undefined;
  return /[^0]/.test(trace ?? "") && /[^0]/.test(span ?? "") ? header : undefined;
}

/** An entry of the stream `verdicts`: its place, and the envelope's JSON, which is absent when it has been trimmed. */
export interface StreamEntry {
  readonly entryId: string;
  readonly json: string | undefined;
}

/** An entry that was delivered and is not acknowledged. */
export interface PendingEntry {
  readonly entryId: string;
  readonly consumer: string;
  /** Since it was last delivered, in ms. */
  readonly idleMs: number;
  readonly deliveries: number;
}

/** Reads a list of entries, as XCLAIM answers. */
export function readEntries(reply: unknown): StreamEntry[] {
  return list(reply).flatMap((entry) => {
    const [entryId, fields] = list(entry);
    if (typeof entryId !== "string") return [];
    const values = list(fields);
    const json = values.find((_, at) => at % 2 === 1 && values[at - 1] === "e");
    return [{ entryId, json: typeof json === "string" ? json : undefined }];
  });
}

/** Reads what the long form of XPENDING answers. */
export function readPending(reply: unknown): PendingEntry[] {
  return list(reply).map((row) => {
    const [entryId, consumer, idleMs, deliveries] = list(row);
    return {
      entryId: String(entryId),
      consumer: String(consumer),
      idleMs: Number(idleMs),
      deliveries: Number(deliveries),
    };
  });
}

/** Reads names and values that follow each other, as XINFO answers. */
export function fieldsOf(reply: unknown): ReadonlyMap<unknown, unknown> {
  const values = list(reply);
  return new Map(values.flatMap((name, at) => (at % 2 === 0 ? [[name, values[at + 1]] as const] : [])));
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

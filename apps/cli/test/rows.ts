import { anEvent } from "@assay/fingerprint/stand-in";

/** When the first row was received, unix ms. */
export const RECEIVED_AT = 1_760_000_000_000;

export type Fields = Record<string, unknown>;

/** Rows a second apart; each is what is said of its event, and of the row. */
export function rows(...all: (readonly [event: Fields, row?: Fields])[]): string {
  const lines = all.map(([said, row = {}], index) => {
    const timestamp = RECEIVED_AT + 1000 * index;
    const event = anEvent({ event_id: `${timestamp}.row${index}`, timestamp, ...said });
    return JSON.stringify({ event, received_at: timestamp, checks: { stale: false }, ...row });
  });
  return `${lines.join("\n")}\n`;
}

/** A block of server-sent events: one event, or only a new place. */
export interface EventFrame {
  /** `message` where the server names none. */
  readonly event: string;
  /** Absent in a block that brings no event. */
  readonly data?: string;
  /** The place behind it, where it names one. */
  readonly id?: string;
  /** How long to wait before connecting again, in ms. */
  readonly retryMs?: number;
}

/** Longest block: an envelope takes 600 KiB at most. */
const MAX_FRAME_CHARACTERS = 4 * 1024 * 1024;

/** Takes text as it arrives, and gives the blocks that are whole. Throws a RangeError on one without end. */
export function createFrameReader(): (text: string) => EventFrame[] {
  let rest = "";
  return (text) => {
    rest += text;
    const frames: EventFrame[] = [];
    for (let end = endOf(rest); end !== undefined; end = endOf(rest)) {
      frames.push(readFrame(rest.slice(0, end.at)));
      rest = rest.slice(end.next);
    }
    if (rest.length > MAX_FRAME_CHARACTERS) throw new RangeError("The event stream brings a block without end.");
    return frames;
  };
}

// A CR at the end of what has arrived may be half of a CRLF.
function endOf(text: string): { readonly at: number; readonly next: number } | undefined {
  const found = /(?:\r\n|\n|\r(?!$|\n))(?:\r\n|\n|\r(?!$|\n))/.exec(text);
  return found === null ? undefined : { at: found.index, next: found.index + found[0].length };
}

function readFrame(block: string): EventFrame {
  let event = "message";
  let id: string | undefined;
  let retryMs: number | undefined;
  const data: string[] = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (name === "event") event = value;
    else if (name === "data") data.push(value);
    else if (name === "id" && !value.includes("\0")) id = value;
    else if (name === "retry" && /^\d{1,9}$/.test(value)) retryMs = Number(value);
  }
  return {
    event,
    ...(data.length === 0 ? {} : { data: data.join("\n") }),
    ...(id === undefined ? {} : { id }),
    ...(retryMs === undefined ? {} : { retryMs }),
  };
}

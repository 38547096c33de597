/** How far somebody has come in a stream: where to go on after a lost connection. */
export interface StreamCursor {
  /** Behind the last entry before which all are done with; undefined while nothing is known. */
  place(): string | undefined;
  /** Something lies behind that needs no acknowledgement. */
  pass(id: string): void;
  /**
   * A verdict came, by whatever connection: how often it has, or undefined when it was acknowledged before. Its place may
   * have another id the next time, when it comes from an archive.
   */
  receive(verdictId: string, id: string): number | undefined;
  acknowledge(verdictId: string): void;
}

interface Received {
  readonly id: string;
  deliveries: number;
  isDone: boolean;
}

/** Begins behind a place. Acknowledgements may come in any order. */
export function createStreamCursor(start: string | undefined): StreamCursor {
  const open = new Map<string, Received>();
  let reached = start;

  function moveOn(): void {
    for (const [key, { id, isDone }] of open) {
      if (!isDone) return;
      open.delete(key);
      reached = id;
    }
  }

  return {
    place: () => reached,
    pass(id) {
      if (!open.has(id)) open.set(id, { id, deliveries: 0, isDone: true });
      moveOn();
    },
    receive(verdictId, id) {
      const received = open.get(verdictId) ?? { id, deliveries: 0, isDone: false };
      if (received.isDone) return undefined;
      open.set(verdictId, received);
      return ++received.deliveries;
    },
    acknowledge(verdictId) {
      const received = open.get(verdictId);
      if (received !== undefined) received.isDone = true;
      moveOn();
    },
  };
}

/** How far somebody has come in a stream: where to go on after a lost connection. */
export interface StreamCursor {
  /** Behind the last entry before which all are done with; undefined while nothing is known. */
  place(): string | undefined;
  /** Something lies behind that needs no acknowledgement. */
  pass(id: string): void;
  /** An entry came, by whatever connection: how often it has, or undefined when it was acknowledged before. */
  receive(id: string): number | undefined;
  acknowledge(id: string): void;
}

interface Received {
  deliveries: number;
  isDone: boolean;
}

/** Begins behind a place. Acknowledgements may come in any order. */
export function createStreamCursor(start: string | undefined): StreamCursor {
  const open = new Map<string, Received>();
  let reached = start;

  function moveOn(): void {
    for (const [id, { isDone }] of open) {
      if (!isDone) return;
      open.delete(id);
      reached = id;
    }
  }

  return {
    place: () => reached,
    pass(id) {
      if (!open.has(id)) open.set(id, { deliveries: 0, isDone: true });
      moveOn();
    },
    receive(id) {
      const received = open.get(id) ?? { deliveries: 0, isDone: false };
      if (received.isDone) return undefined;
      open.set(id, received);
      return ++received.deliveries;
    },
    acknowledge(id) {
      const received = open.get(id);
      if (received !== undefined) received.isDone = true;
      moveOn();
    },
  };
}

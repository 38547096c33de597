import type { Misbehaviour } from "./misbehaviour.ts";

/** At which requests the stand-in misbehaves. */
export interface CommandOptions {
  /** The event asked for; every event when absent. */
  readonly eventId?: string;
  /** For how many requests: a whole number, or Infinity for until it is told otherwise. Default 1. */
  readonly times?: number;
}

/** A misbehaviour for one request, and how often this command was obeyed for the same event before. */
export interface Ordered {
  readonly misbehaviour: Misbehaviour;
  readonly round: number;
}

/** Commands that wait to be obeyed, in the order in which they were given. */
export interface Commands {
  /** Adds a command, and ends one without an end that was given before it. Throws a RangeError for a bad `times`. */
  give(misbehaviour: Misbehaviour, options?: CommandOptions): void;
  /** The command for a request: those for its event come before those for all. */
  next(eventId: string): Ordered | undefined;
  /** Forgets the commands for an event, or every one. */
  forget(eventId?: string): void;
}

interface Command {
  readonly misbehaviour: Misbehaviour;
  left: number;
  readonly rounds: Map<string, number>;
}

/** No event id is empty, so this names the commands for all. */
const ALL = "";

export function createCommands(): Commands {
  const queues = new Map<string, Command[]>();

  function obey(queue: Command[] | undefined, eventId: string): Ordered | undefined {
    const command = queue?.[0];
    if (command === undefined) return undefined;
    if (--command.left === 0) queue?.shift();
    const round = command.rounds.get(eventId) ?? 0;
    command.rounds.set(eventId, round + 1);
    return { misbehaviour: command.misbehaviour, round };
  }

  return {
    give(misbehaviour, { eventId = ALL, times = 1 } = {}) {
      if (times !== Infinity && (!Number.isSafeInteger(times) || times < 1))
        throw new RangeError("times must be a whole number from 1, or Infinity.");
      const lasting = (queues.get(eventId) ?? []).filter(({ left }) => left !== Infinity);
      queues.set(eventId, [...lasting, { misbehaviour, left: times, rounds: new Map() }]);
    },
    next: (eventId) => obey(queues.get(eventId), eventId) ?? obey(queues.get(ALL), eventId),
    forget(eventId) {
      if (eventId === undefined) queues.clear();
      else queues.delete(eventId);
    },
  };
}

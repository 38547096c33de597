import type { Lane } from "@assay/protocol";

/** Which lanes are let in. */
export type Gate = "open" | "clients_only" | "closed";

const CLOSE_AT = 0.7;
const OPEN_BELOW = 0.65;

/**
 * The gate after a reading of Redis's memory: used bytes over its bound, undefined where there is no bound.
 * From 70 % the background is shed; if the next reading is no better, clients too. Below 65 % all are let in again.
 * Between the two nothing changes. At its bound Redis would refuse the writes that finish work, and so stay full.
 */
export function nextGate(gate: Gate, ratio: number | undefined): Gate {
  if (ratio === undefined || ratio < OPEN_BELOW) return "open";
  if (ratio < CLOSE_AT) return gate;
  return gate === "open" ? "clients_only" : "closed";
}

/** Watches Redis's memory and says who may come in. */
export interface Admission {
  admits(lane: Lane): boolean;
  start(): void;
  /** Resolves when no reading is under way. Safe to call twice. */
  stop(): Promise<void>;
}

export interface AdmissionOptions {
  /** Reads the ratio. A rejection leaves the gate as it was. */
  readonly readRatio: () => Promise<number | undefined>;
  /** Called when the gate moves. */
  readonly onGate: (gate: Gate) => void;
  /** Time between two readings; default 1000. */
  readonly intervalMs?: number;
}

/** Lets everything in until the first reading. */
export function createAdmission({ readRatio, onGate, intervalMs = 1000 }: AdmissionOptions): Admission {
  let gate: Gate = "open";
  let timer: NodeJS.Timeout | undefined;
  let reading = Promise.resolve();
  let stopped = false;

  async function read(): Promise<void> {
    try {
      const next = nextGate(gate, await readRatio());
      if (next !== gate) onGate(next);
      gate = next;
    } catch {
      // Redis is away, and every door says so by itself.
    }
    schedule(intervalMs);
  }

  function schedule(delayMs: number): void {
    if (stopped) return;
    timer = setTimeout(() => {
      reading = read();
    }, delayMs);
  }

  return {
    admits(lane) {
      switch (gate) {
        case "open":
          return true;
        case "clients_only":
          return lane !== "background";
        case "closed":
          return false;
      }
    },
    start: () => schedule(0),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await reading;
    },
  };
}

import { type MessagePort, Worker } from "node:worker_threads";
import type { Answers, Tally } from "@assay/rules/backtest";
import { createBatchJudge, type JudgeOptions, type PreparedBatch } from "./batch-judge.ts";
import { type PackedAsks, packAsks, unpackAsks } from "./packed-asks.ts";

/** What a thread is asked. Its answers come in the same order. */
type Question =
  | { readonly ask: "prepare"; readonly batch: Uint8Array<ArrayBuffer> }
  | { readonly ask: "judge"; readonly answers: Answers; readonly firstRow: number }
  | { readonly ask: "finish" };

type Answer =
  | { readonly to: "prepare"; readonly prepared: Omit<PreparedBatch, "asks">; readonly packed: PackedAsks }
  | { readonly to: "finish"; readonly tally: Tally };

/** Answers questions on a thread, until its port is closed. Throws what `loadSide` throws. */
export function serveBatchJudge(port: MessagePort, options: JudgeOptions): void {
  const judge = createBatchJudge(options);
  const answer = (given: Answer) =>
    port.postMessage(given, given.to === "prepare" ? [given.packed.numbers.buffer] : []);
  port.on("message", (question: Question) => {
    switch (question.ask) {
      case "prepare": {
        const { asks, ...prepared } = judge.prepare(question.batch);
        answer({ to: "prepare", prepared, packed: packAsks(asks) });
        break;
      }
      case "judge":
        judge.judge(question.answers, question.firstRow);
        break;
      case "finish":
        answer({ to: "finish", tally: judge.finish() });
    }
  });
}

interface Asked {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** A `BatchJudge` on a thread of its own. What it promises rejects when the thread cannot start, or has died. */
export interface JudgeThread {
  /** Batches that it was given and has not prepared yet. */
  readonly unprepared: number;
  /** Gives the batch away. */
  prepare(batch: Uint8Array<ArrayBuffer>): Promise<PreparedBatch>;
  /** Gives the answers away. */
  judge(answers: Answers, firstRow: number): void;
  finish(): Promise<Tally>;
  /** Resolves when the thread is gone. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a thread. `file` must call `serveBatchJudge` when it is run as one. */
export function startJudgeThread(file: URL, options: JudgeOptions): JudgeThread {
  const thread = new Worker(file, { workerData: options });
  const asked: Asked[] = [];
  let broken: Error | undefined;
  let unprepared = 0;
  thread.on("message", (answer: Answer) => asked.shift()?.resolve(answer));
  thread.on("error", (error) => {
    broken = error;
    for (const one of asked.splice(0)) one.reject(error);
  });
  const ask = <To extends Answer["to"]>(
    question: Question & { ask: To },
    given: readonly ArrayBuffer[],
  ): Promise<Extract<Answer, { to: To }>> => {
    if (broken !== undefined) return Promise.reject(broken);
    thread.postMessage(question, given);
    const { ask: to } = question;
    return new Promise((resolve, reject) =>
      asked.push({
        resolve: (answer) =>
          isTo(answer, to) ? resolve(answer) : reject(new TypeError("Another question was answered.")),
        reject,
      }),
    );
  };
  return {
    get unprepared() {
      return unprepared;
    },
    async prepare(batch) {
      unprepared += 1;
      const { prepared, packed } = await ask({ ask: "prepare", batch }, [batch.buffer]);
      unprepared -= 1;
      return { ...prepared, asks: unpackAsks(packed) };
    },
    judge(answers, firstRow) {
      thread.postMessage({ ask: "judge", answers, firstRow } satisfies Question, [answers.buffer]);
    },
    finish: async () => (await ask({ ask: "finish" }, [])).tally,
    async stop() {
      await thread.terminate();
    },
  };
}

function isTo<To extends Answer["to"]>(answer: Answer, to: To): answer is Extract<Answer, { to: To }> {
  return answer.to === to;
}

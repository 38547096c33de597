import { type MessagePort, Worker } from "node:worker_threads";
import { RulesetError, type RulesetFault } from "@assay/rules";
import type { Answers, Tally } from "@assay/rules/backtest";
import { CommandError } from "../report.ts";
import { type BatchJudge, createBatchJudge, type JudgeOptions, type PreparedBatch, type Sides } from "./batch-judge.ts";

/** What a thread is asked. Its answers come in the same order. */
type Question =
  | { readonly ask: "prepare"; readonly batch: Uint8Array<ArrayBuffer> }
  | { readonly ask: "judge"; readonly answers: Answers; readonly firstRow: number }
  | { readonly ask: "finish" };

type Answer =
  | { readonly to: "start"; readonly sides: Sides }
  | { readonly to: "prepare"; readonly prepared: PreparedBatch }
  | { readonly to: "finish"; readonly tally: Tally }
  /** Instead of the first: the rulesets do not load. Errors lose their class between threads. */
  | { readonly to: "faults"; readonly faults: readonly RulesetFault[] }
  | { readonly to: "refusal"; readonly exitCode: CommandError["exitCode"]; readonly message: string };

/** Answers questions on a thread, until its port is closed. */
export function serveBatchJudge(port: MessagePort, options: JudgeOptions): void {
  const answer = (given: Answer) =>
    port.postMessage(given, given.to === "prepare" ? [given.prepared.asks.numbers.buffer] : []);
  const judge = loadJudge(options, answer);
  if (judge === undefined) return;
  answer({ to: "start", sides: judge.sides });
  port.on("message", (question: Question) => {
    switch (question.ask) {
      case "prepare":
        answer({ to: "prepare", prepared: judge.prepare(question.batch) });
        break;
      case "judge":
        judge.judge(question.answers, question.firstRow);
        break;
      case "finish":
        answer({ to: "finish", tally: judge.finish() });
    }
  });
}

function loadJudge(options: JudgeOptions, answer: (given: Answer) => void): BatchJudge | undefined {
  try {
    return createBatchJudge(options);
  } catch (error) {
    if (error instanceof RulesetError) answer({ to: "faults", faults: error.faults });
    else if (error instanceof CommandError) answer({ to: "refusal", exitCode: error.exitCode, message: error.message });
    else throw error;
    return undefined;
  }
}

interface Asked {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** A `BatchJudge` on a thread of its own. What it promises rejects when the thread cannot start, or has died. */
export interface JudgeThread {
  /** Rejects with what `loadSide` throws. */
  readonly sides: Promise<Sides>;
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
  const fail = (error: Error) => {
    broken = error;
    for (const one of asked.splice(0)) one.reject(error);
  };
  thread.on("message", (answer: Answer) => {
    switch (answer.to) {
      case "faults":
        return fail(new RulesetError(answer.faults));
      case "refusal":
        return fail(new CommandError(answer.exitCode, answer.message));
      case "start":
      case "prepare":
      case "finish":
        asked.shift()?.resolve(answer);
    }
  });
  thread.on("error", fail);
  const answerTo = <To extends Answer["to"]>(to: To): Promise<Extract<Answer, { to: To }>> => {
    if (broken !== undefined) return Promise.reject(broken);
    return new Promise((resolve, reject) =>
      asked.push({
        resolve: (answer) =>
          isTo(answer, to) ? resolve(answer) : reject(new TypeError("Another question was answered.")),
        reject,
      }),
    );
  };
  const sides = answerTo("start").then((answer) => answer.sides);
  // Heard by whoever asks for it, which may be later.
  sides.catch(() => undefined);
  return {
    sides,
    async prepare(batch) {
      thread.postMessage({ ask: "prepare", batch } satisfies Question, [batch.buffer]);
      return (await answerTo("prepare")).prepared;
    },
    judge(answers, firstRow) {
      thread.postMessage({ ask: "judge", answers, firstRow } satisfies Question, [answers.buffer]);
    },
    async finish() {
      thread.postMessage({ ask: "finish" } satisfies Question, []);
      return (await answerTo("finish")).tally;
    },
    async stop() {
      await thread.terminate();
    },
  };
}

function isTo<To extends Answer["to"]>(answer: Answer, to: To): answer is Extract<Answer, { to: To }> {
  return answer.to === to;
}

/** Work that is done in steps: between two of them a process may do something else. */
export type Steps<Result> = Generator<undefined, Result>;

/** Does all steps at once. */
export function finishSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

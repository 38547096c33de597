const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;

/**
 * Repeats `check` until it neither throws nor answers false, and resolves with its answer. At the timeout it rejects
 * with what the last try threw. The only timer in tests: everything else waits for an event.
 */
export async function eventually<Answer>(
  check: () => Answer | Promise<Answer>,
  { timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {},
): Promise<Exclude<Answer, false>> {
  const deadline = performance.now() + timeoutMs;
  let pauseMs = FIRST_PAUSE_MS;
  for (;;) {
    const tried = await attempt(check);
    if (tried.succeeded) return tried.answer;
    if (performance.now() >= deadline) {
      throw new Error(`Did not come true within ${timeoutMs} ms`, { cause: tried.reason });
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

type Attempt<Answer> =
  | { readonly succeeded: true; readonly answer: Exclude<Answer, false> }
  | { readonly succeeded: false; readonly reason: unknown };

async function attempt<Answer>(check: () => Answer | Promise<Answer>): Promise<Attempt<Answer>> {
  try {
    const answer: Answer = await check();
    return holds(answer) ? { succeeded: true, answer } : { succeeded: false, reason: "it answered false" };
  } catch (reason) {
    return { succeeded: false, reason };
  }
}

function holds<Answer>(answer: Answer): answer is Exclude<Answer, false> {
  return answer !== false;
}

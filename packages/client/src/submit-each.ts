import { ProblemError } from "@assay/protocol";

/** What became of one of many: its receipt, or the problem that it alone has. */
export type Each<Result> = (Result & { readonly ok: true }) | { readonly ok: false; readonly problem: ProblemError };

const MAX_UNDER_WAY = 64;

/**
 * Calls `submit` for each input, at most 64 at once; results stand in the order of the inputs. A ProblemError is the
 * one input's own; whatever else is thrown ends it all.
 */
export async function submitEach<Input, Result extends object>(
  inputs: readonly Input[],
  submit: (input: Input, index: number) => Promise<Result>,
): Promise<Each<Result>[]> {
  const results: Each<Result>[] = [];
  const waiting = inputs.entries();
  // All take from the one iterator, so each input is taken once.
  const workers = Array.from({ length: Math.min(MAX_UNDER_WAY, inputs.length) }, async () => {
    for (const [index, input] of waiting) results[index] = await settle(submit(input, index));
  });
  await Promise.all(workers);
  return results;
}

async function settle<Result extends object>(submitting: Promise<Result>): Promise<Each<Result>> {
  try {
    return { ok: true, ...(await submitting) };
  } catch (problem) {
    if (problem instanceof ProblemError) return { ok: false, problem };
    throw problem;
  }
}

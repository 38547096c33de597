import type { Transport } from "./transport.ts";
import type { Budget } from "./within-budget.ts";

/** A transport whose code is still being loaded. The time that takes counts in each call's budget. */
export function createLazyTransport(opening: Promise<Transport>): Transport {
  // Each call learns of it; nobody need call.
  opening.catch(() => undefined);

  async function within<Result>(budget: Budget, call: (transport: Transport, budget: Budget) => Promise<Result>) {
    const startedAt = performance.now();
    const transport = await opening;
    return call(transport, { ...budget, timeoutMs: budget.timeoutMs - (performance.now() - startedAt) });
  }

  return {
    submit: (input, key, budget) => within(budget, (transport, left) => transport.submit(input, key, left)),
    submitAndWait: (input, key, budget) =>
      within(budget, (transport, left) => transport.submitAndWait(input, key, left)),
    report: (input, key, budget) => within(budget, (transport, left) => transport.report(input, key, left)),
    waitForVerdict: (id, budget) => within(budget, (transport, left) => transport.waitForVerdict(id, left)),
    getVerdict: (id, budget) => within(budget, (transport, left) => transport.getVerdict(id, left)),
    consume(options, handler) {
      const consuming = opening.then((transport) => transport.consume(options, handler));
      // Without a listener it stays unhandled, and ends the process: nothing would ever be consumed.
      if (options.onError !== undefined) consuming.catch(options.onError);
      return { stop: async () => (await consuming).stop() };
    },
    async *subscribe(options) {
      yield* (await opening).subscribe(options);
    },
    async *tail(options) {
      yield* (await opening).tail(options);
    },
    // What never opened needs no closing.
    close: () =>
      opening.then(
        (transport) => transport.close(),
        () => undefined,
      ),
  };
}

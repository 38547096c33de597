import { ProblemError } from "@assay/protocol";
import type { App } from "./route.ts";

/**
 * Collects the routes that are added from now on. What it returns is called when all are there: it answers every other
 * method on their paths with 405 and `Allow`.
 */
export function collectRoutes(app: App): () => void {
  const methods = new Map<string, Set<string>>();
  app.addHook("onRoute", ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    for (const each of [method].flat()) known.add(each);
    methods.set(url, known);
  });
  return () => {
    for (const [url, known] of methods) {
      const others = app.supportedMethods.filter((method) => !known.has(method));
      if (others.length === 0) continue;
      const allow = [...known].toSorted().join(", ");
      app.route({
        url,
        method: others,
        schema: { hide: true },
        // Before the body is read: whatever it is, it is not wanted.
        onRequest: (_request, reply, next) => {
          void reply.header("allow", allow);
          next(new ProblemError("method_not_allowed", `This path takes ${allow}.`));
        },
        handler: () => undefined,
      });
    }
  };
}

import { ASSAY_VERSION } from "@assay/host";
import { ProblemDocument } from "@assay/protocol/schemas";
import { fastifySwagger } from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import type { z } from "zod";
import { PROBLEM_TYPE } from "./problems.ts";
import type { App } from "./route.ts";

/** What a route answers: a schema for each success, and the statuses of its problems. For `schema.response`. */
export function responses(
  successes: Readonly<Record<number, z.ZodType>>,
  problems: readonly number[],
): Record<number, unknown> {
  const problem = { description: "Problem", content: { [PROBLEM_TYPE]: { schema: ProblemDocument } } };
  return { ...successes, ...Object.fromEntries(problems.map((status) => [status, problem])) };
}

/** Serves `/openapi.json`. Register it before the routes: it describes those that come after. */
export async function addOpenapi(app: App): Promise<void> {
  await app.register(fastifySwagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Assay",
        description: "Turns Fingerprint device intelligence into fraud verdicts.",
        version: ASSAY_VERSION,
      },
      components: {
        securitySchemes: { key: { type: "http", scheme: "bearer", description: "A secret of ASSAY_INGRESS_KEYS." } },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
}

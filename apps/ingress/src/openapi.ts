import { ASSAY_VERSION } from "@assay/host";
import { ProblemDocument } from "@assay/protocol/schemas";
import { fastifySwagger } from "@fastify/swagger";
import { jsonSchemaTransform, jsonSchemaTransformObject } from "fastify-type-provider-zod";
import { STATUS_CODES } from "node:http";
import type { z } from "zod";
import { PROBLEM_TYPE } from "./problems.ts";
import type { App } from "./route.ts";

/** What a route answers: a schema for each success, and the statuses of its problems. For `schema.response`. */
export function responses(
  successes: Readonly<Record<number, z.ZodType>>,
  problems: readonly number[],
): Record<number, unknown> {
  const answer = (status: number, type: string, schema: z.ZodType) => ({
    [status]: { description: STATUS_CODES[status] ?? "", content: { [type]: { schema } } },
  });
  return Object.assign(
    {},
    ...Object.entries(successes).map(([status, schema]) => answer(Number(status), "application/json", schema)),
    ...problems.map((status) => answer(status, PROBLEM_TYPE, ProblemDocument)),
  );
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
        securitySchemes: {
          key: { type: "http", scheme: "bearer", description: "The secret of a key. It says whose request this is." },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: openAnswers,
  });
  app.get("/openapi.json", { schema: { hide: true } }, () => app.swagger());
}

// The transform writes every schema twice, as it is read and as it is sent; those here are only sent. It also closes
// them, and whoever checks by a closed schema would refuse the first field that a later version adds.
const openAnswers: typeof jsonSchemaTransformObject = (document) => {
  const full = jsonSchemaTransformObject(document);
  const schemas: Record<string, unknown> = ("components" in full ? full.components?.schemas : undefined) ?? {};
  for (const name of Object.keys(schemas)) if (name.endsWith("Input")) delete schemas[name];
  for (const schema of Object.values(schemas)) open(schema);
  return full;
};

function open(schema: unknown): void {
  if (typeof schema !== "object" || schema === null) return;
  if ("additionalProperties" in schema && schema.additionalProperties === false) delete schema.additionalProperties;
  for (const inner of Object.values(schema)) open(inner);
}

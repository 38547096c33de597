import { z } from "zod";

/** The headers of a route that needs an Idempotency-Key. */
export const IdempotencyHeaders = z
  .looseObject({
    "idempotency-key": z.string().optional().describe("Names your operation: 1 to 255 visible ASCII characters."),
  })
  // Said here and refused in the handler, which knows the better answer.
  .meta({ required: ["idempotency-key"] });

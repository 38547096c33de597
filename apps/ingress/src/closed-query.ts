import { unknownField } from "@assay/protocol";
import { z } from "zod";

/** A query of these parameters and no others: one that is not known is refused, as a filter that is ignored is worse than none. */
export function closedQuery<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.looseObject(shape).superRefine((query, context) => {
    const name = Object.keys(query).find((given) => !known.includes(given));
    if (name === undefined) return;
    const { code, message, field = "" } = unknownField("", name, known);
    context.addIssue({ code: "custom", message, path: [field], params: { code } });
  });
}

import { styleText } from "node:util";

/** Styles a text for a terminal, or leaves it as it is. */
export type Paint = (style: Style, text: string) => string;

type Style = "red" | "yellow" | "green" | "cyan" | "bold" | "dim";

/** `isColoured` false leaves every text as it is. */
export function createPaint(isColoured: boolean): Paint {
  // Newer versions of Node would ask stdout again.
  return isColoured ? (style, text) => styleText(style, text, { validateStream: false }) : (_, text) => text;
}

/**
 * A text literal, in whatever quotes, or a comment, as CEL's parser ends them. A raw text's prefix stands before it.
 * Names, brackets and words in these are none of the condition's.
 */
const TEXT_OR_COMMENT =
  /\/\/[^\n]*|"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\r\n])*"|'(?:\\.|[^'\\\r\n])*'/;

/** What matches a text literal, a comment, or else this. */
export function besideTexts(other: RegExp): RegExp {
  return new RegExp(`${TEXT_OR_COMMENT.source}|${other.source}`, "g");
}

/** The condition, equally long, with nothing in its texts and no comments. */
export function withoutTexts(condition: string): string {
  return condition.replaceAll(new RegExp(TEXT_OR_COMMENT, "g"), (token) => {
    if (token.startsWith("//")) return " ".repeat(token.length);
    return token.charAt(0) + "_".repeat(token.length - 2) + token.charAt(0);
  });
}

/**
 * One way in which other languages say something. `cel` is how conditions say it, with `$1` for the first part of the
 * pattern; `advice` is for what they cannot say.
 */
export type DialectRow = { readonly pattern: RegExp } & (
  | { readonly cel: string | ((...parts: string[]) => string) }
  | { readonly advice: string }
);

/** What stands for what in the patterns below. `(?<at>…)` is the word that a fault points to. */
const FRAGMENTS = {
  name: "((?<![\\w.])[A-Za-z_][\\w.]*)",
  value: "((?<![\\w.])[A-Za-z_][\\w.]*(?:\\([^()]*\\))?|\"_*\"|'_*'|(?<![\\w.])-?\\d+(?:\\.\\d+)?)",
  text: "(\"_*\"|'_*')",
  number: "((?<![\\w.])-?\\d+(?:\\.\\d+)?)",
  null: "(?:nil|none|null|undefined)(?![\\w.(])",
  body: "([^()]*(?:\\([^()]*\\)[^()]*)*)",
  group: "(\\((?!\\s*\\[)[^()]*\\)|\\{[^{}]*\\})",
  bracket: "(\\[[^\\]]*\\])",
} as const;

const LOOK = "Look into a list with $1.exists(e, …), $1.all(e, …) or $1.exists_one(e, …).";
const COUNT =
  "Conditions cannot count what $1 holds. Ask what is in it: a list with $1.exists(e, …), a text with $1.contains(…).";
const NULL = "Nothing is ever null here. Ask whether a name is present: has(bot), !has(bot).";

/** The first row that fits a place is what is said of it. */
export const DIALECT_ROWS: readonly DialectRow[] = [
  // Nothing, in expr-lang, JavaScript, Python and SQL.
  row("typeof\\s+<name>\\s*(?<at>!==?)\\s*<text>", { cel: "has($1)" }),
  row("typeof\\s+<name>\\s*(?<at>===?)\\s*<text>", { cel: "!has($1)" }),
  row("<name>\\s+is\\s+not\\s+(?<at><null>)", { cel: "has($1)" }),
  row("<name>\\s*(?:!==?|<>)\\s*(?<at><null>)", { cel: "has($1)" }),
  row("<name>\\s*(?:\\bis\\b|={1,3})\\s*(?<at><null>)", { cel: "!has($1)" }),
  row("(?<at>(?<![\\w.])<null>)\\s*!==?\\s*<name>", { cel: "has($1)" }),
  row("(?<at>(?<![\\w.])<null>)\\s*={2,3}\\s*<name>", { cel: "!has($1)" }),
  row("<value>\\s*(?<at>\\?\\?)\\s*<value>", { cel: "has($1) ? $1 : $2" }),
  row("(?<![\\w.])(?<at>exists|defined|isset|is_defined|present)\\(\\s*<name>\\s*\\)", { cel: "has($1)" }),
  row("(?<![\\w.])<null>", { advice: NULL }),
  row("<name>(?<at>\\?\\.)([A-Za-z_][\\w.?]*)", { cel: (a, b) => `${a}.${b.replaceAll("?", "")}` }),

  // Lists, ranges and sets.
  row("<value>\\s+(?<at>not\\s+in)\\s+<group>", { cel: (item, group) => `!(${item} in ${listOf(group)})` }),
  row("<value>\\s+(?<at>not\\s+in)\\s+(\\[[^\\]]*\\]|[\\w.]+)", { cel: "!($1 in $2)" }),
  row("<value>\\s+(?<at>in)\\s+(-?\\d+)\\.\\.(-?\\d+)", { cel: "$1 >= $2 && $1 <= $3" }),
  row("<value>\\s+(?<at>not\\s+between)\\s+<number>\\s+and\\s+<number>", { cel: "($1 < $2 || $1 > $3)" }),
  row("<value>\\s+(?<at>between)\\s+<number>\\s+and\\s+<number>", { cel: "$1 >= $2 && $1 <= $3" }),
  row("<value>\\s+(?<at>in)\\s+[@$]([\\w.]+)", { cel: "$1 in lists.$2" }),
  row("<value>\\s+(?<at>in)\\s+<group>", { cel: (item, group) => `${item} in ${listOf(group)}` }),
  row("<value>\\s+(?<at>IN)\\s+<bracket>", { cel: "$1 in $2" }, "dg"),
  row("<bracket>\\.(?<at>includes|contains)\\(\\s*<value>\\s*\\)", { cel: "$2 in $1" }),

  // A condition on what a list holds.
  row("(?<![\\w.])(any|all|one|none)\\(\\s*<name>\\s*,\\s*\\{?<body>\\s*\\)", { cel: overElements }),
  row("(?<![\\w.])(?<at>any)\\(\\s*<body>\\s+for\\s+(\\w+)\\s+in\\s+<name>\\s*\\)", { cel: "$3.exists($2, $1)" }),
  row("(?<![\\w.])(?<at>all)\\(\\s*<body>\\s+for\\s+(\\w+)\\s+in\\s+<name>\\s*\\)", { cel: "$3.all($2, $1)" }),
  row("<name>\\.(?<at>some|any)\\(\\s*\\(?(\\w+)\\)?\\s*=>\\s*<body>\\)", { cel: "$1.exists($2, $3)" }),
  row("<name>\\.(?<at>every|all)\\(\\s*\\(?(\\w+)\\)?\\s*=>\\s*<body>\\)", { cel: "$1.all($2, $3)" }),
  row("(?<![\\w.])(?:count|filter|map|find\\w*|sum|reduce)\\(\\s*<name>\\s*,<body>\\)", { advice: LOOK }),
  row("<name>\\.(?<at>filter|map|find\\w*|reduce)\\(", { advice: LOOK }),
  row("(?<![\\w.])(?:len|size|length|count)\\(\\s*<name>\\s*\\)", { advice: COUNT }),
  row("<name>\\.(?<at>length|size|count)(?!\\w)", { advice: COUNT }),

  // Tests of a text.
  row("<value>\\s*\\|\\s*(?<at>lower|toLower)\\(\\s*\\)", { cel: "lower($1)" }),
  row("<value>\\s*\\|\\s*(?<at>\\w+)\\(([^()]*)\\)", {
    advice: "Values are not piped here. Write lower($1) or a test such as $1.contains(…).",
  }),
  row("<name>\\.(?<at>toLowerCase|toLower|lowerAscii|lower|casefold|downcase)\\(\\)", { cel: "lower($1)" }),
  row("<name>\\.(?:toUpperCase|toUpper|upper)\\(\\)|(?:upper|ucase)\\(<name>\\)", {
    advice: "There are no capitals to compare with. Compare lower(…) with a text in small letters.",
  }),
  row("(?<at>/)((?:[^/\\\\\\n]|\\\\.)+)/[a-z]*\\.test\\(\\s*<name>\\s*\\)", { cel: (re, name) => matching(name, re) }),
  row("<name>(?:\\.(?:match|search)\\(\\s*|\\s*(?<at>=~)\\s*)/((?:[^/\\\\\\n]|\\\\.)+)/[a-z]*\\)?", {
    cel: (name, re) => matching(name, re),
  }),
  row("<name>\\.indexOf\\(\\s*<text>\\s*\\)\\s*(?:>=\\s*0|>\\s*-1|!==?\\s*-1)", { cel: "$1.contains($2)" }),
  row("<name>\\.(?<at>includes)\\(\\s*<text>\\s*\\)", { cel: "$1.contains($2)" }),
  row("<name>\\.(?<at>startswith|starts_with|hasPrefix)\\(\\s*<text>\\s*\\)", { cel: "$1.startsWith($2)" }, "dg"),
  row("<name>\\.(?<at>endswith|ends_with|hasSuffix)\\(\\s*<text>\\s*\\)", { cel: "$1.endsWith($2)" }, "dg"),
  row("(?<![\\w.])(?:starts_with|startsWith|hasPrefix)\\(\\s*<value>\\s*,\\s*<text>\\s*\\)", {
    cel: "$1.startsWith($2)",
  }),
  row("(?<![\\w.])(?:ends_with|endsWith|hasSuffix)\\(\\s*<value>\\s*,\\s*<text>\\s*\\)", { cel: "$1.endsWith($2)" }),
  row("(?<![\\w.])(?:contains|includes)\\(\\s*<value>\\s*,\\s*<text>\\s*\\)", { cel: "$1.contains($2)" }),
  row("(?<![\\w.])(?:matches|regex_match\\w*)\\(\\s*<value>\\s*,\\s*<text>\\s*\\)", { cel: "$1.matches($2)" }),
  ...(
    [
      ["starts_?with", "startsWith"],
      ["ends_?with", "endsWith"],
      ["contains|includes", "contains"],
      ["matches|=~|~|rlike|regexp", "matches"],
    ] as const
  ).flatMap(([words, name]) => [
    row(`<value>\\s+(?<at>not\\s+(?:${words}))\\s+<text>`, { cel: `!$1.${name}($2)` }),
    row(`<value>\\s+(?<at>${words})\\s*<text>`, { cel: `$1.${name}($2)` }),
  ]),
  row("<value>\\s+(?<at>not\\s+i?like)\\s+<text>", { cel: (value, text) => liked(value, text, true) }),
  row("<value>\\s+(?<at>i?like)\\s+<text>", { cel: (value, text) => liked(value, text, false) }),

  // Names in other clothes: Stripe Radar, Jinja, shells, JSONPath.
  row("(?<![\\w:]):{1,2}(\\w+):{1,2}(?![\\w:])", { cel: "$1" }),
  row("\\{\\{\\s*([^{}]*?)\\s*\\}\\}", { cel: "$1" }),
  row("\\$\\{\\s*([^{}]*?)\\s*\\}", { cel: "$1" }),
  row("[$@]\\.?([A-Za-z_][\\w.]*)", { cel: "$1" }),
  row("^\\s*(?<at>block|allow|review|challenge|when|if)\\s+(?:if\\s+)?(?=[\\w!(:])", {
    advice: "A condition begins with the condition. What a hit does is said by action or score.",
  }),

  // Ages are in seconds.
  row("(?<![\\w.])(\\d+)(s|m|h|d)(?!\\w)", { cel: (count, unit) => String(Number(count) * secondsOf(unit)) }, "dg"),

  // Operators.
  row("<value>\\s*(<=?)\\s*<name>\\s*(<=?)\\s*<value>", { cel: "$1 $2 $3 && $3 $4 $5" }),
  row("<value>\\s*(>=?)\\s*<name>\\s*(>=?)\\s*<value>", { cel: "$1 $2 $3 && $3 $4 $5" }),
  row("===", { cel: "==" }),
  row("!==|<>|≠|\\^\\^|(?<![\\w.])(?:ne|xor)(?![\\w.])", { cel: "!=" }),
  row("=<|≤|(?<![\\w.])le(?![\\w.])", { cel: "<=" }),
  row("=>|≥|(?<![\\w.])ge(?![\\w.])", { cel: ">=" }),
  row("(?<![\\w.])lt(?![\\w.])", { cel: "<" }),
  row("(?<![\\w.])gt(?![\\w.])", { cel: ">" }),
  row("(?<![\\w.])(?:eq|is)(?![\\w.])", { cel: "==" }),
  row("(?<![\\w.])and(?![\\w.])", { cel: "&&" }),
  row("(?<![\\w.])or(?![\\w.])", { cel: "||" }),
  row("(?<![\\w.])not(?![\\w.])", { cel: "!" }),
  row("(?<![\\w.])IN(?![\\w.])", { cel: "in" }, "dg"),
  row("(?<![\\w.])(?:True|TRUE)(?![\\w.])", { cel: "true" }, "dg"),
  row("(?<![\\w.])(?:False|FALSE)(?![\\w.])", { cel: "false" }, "dg"),
  row("`([^`]*)`", { cel: (text) => JSON.stringify(text) }),
  row("(?<![\\w.])(?:now|today|date|duration)\\(", {
    advice: "Ask how long ago a time was, in seconds: age(identification.first_seen_at) < 3600.",
  }),
  row("\\s*(?<at>;)\\s*$", { advice: "A condition ends without a semicolon." }),
];

function row(
  source: string,
  said: { cel: string | ((...parts: string[]) => string) } | { advice: string },
  flags = "dgi",
): DialectRow {
  const fragments: Readonly<Record<string, string>> = FRAGMENTS;
  const pattern = new RegExp(
    source.replaceAll(/<(\w+)>/g, (written, name: string) => fragments[name] ?? written),
    flags,
  );
  return { pattern, ...said };
}

function secondsOf(unit: string): number {
  return { s: 1, m: 60, h: 3600, d: 86_400 }[unit] ?? 1;
}

function listOf(group: string): string {
  const inner = group.slice(1, -1).trim();
  return `[${inner.includes(",") ? inner : inner.replaceAll(/\s+/g, ", ")}]`;
}

// In expr-lang an element goes by `#`, or by nothing before the dot.
function overElements(quantity: string, list: string, body: string): string {
  const named = body
    .replace(/\}\s*$/, "")
    .trim()
    .replaceAll(/#\.?(?=[A-Za-z_])|(?<![\w"')\].])\.(?=[A-Za-z_])/g, "e.")
    .replaceAll("#", "e");
  const macro = { any: "exists", all: "all", one: "exists_one", none: "exists" }[quantity.toLowerCase()] ?? "exists";
  return `${quantity.toLowerCase() === "none" ? "!" : ""}${list}.${macro}(e, ${named})`;
}

function matching(name: string, pattern: string): string {
  return `${name}.matches(${JSON.stringify(pattern)})`;
}

// `%` stands for any text, `_` for any character.
function liked(value: string, text: string, isDenied: boolean): string {
  const pattern = text.slice(1, -1);
  const [, start = "", inner = "", end = ""] = /^(%?)(.*?)(%?)$/s.exec(pattern) ?? [];
  const quoted = JSON.stringify(inner);
  const deny = isDenied ? "!" : "";
  if (/[%_]/.test(inner)) {
    const escaped = pattern.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return `${deny}${value}.matches(${JSON.stringify(`^${escaped.replaceAll("%", ".*").replaceAll("_", ".")}$`)})`;
  }
  if (start === "" && end === "") return `${value} ${isDenied ? "!=" : "=="} ${quoted}`;
  const test = start === "" ? "startsWith" : end === "" ? "endsWith" : "contains";
  return `${deny}${value}.${test}(${quoted})`;
}

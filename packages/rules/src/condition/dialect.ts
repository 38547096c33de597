/** What CEL writes for an operator that other languages spell as a word. */
export function celSpelling(word: string): string | undefined {
  const spellings: ReadonlyMap<string, string> = new Map([
    ["and", "&&"],
    ["or", "||"],
    ["not", "!"],
    ["is", "=="],
    ["in", "in"],
  ]);
  const spelling = spellings.get(word.toLowerCase());
  return spelling && `CEL writes ${spelling} for ${word}.`;
}

/** A word with one letter wrong, at every place: left out, doubled, swapped with the next, replaced. */
export function misspellings(word: string): string[] {
  const places = [...word.matchAll(/\w/g)].map(({ index }) => index);
  const all = places.flatMap((at) => {
    const [before, letter, after] = [word.slice(0, at), word.charAt(at), word.slice(at + 1)];
    const swapped = /^\w/.test(after) ? [before + after.charAt(0) + letter + after.slice(1)] : [];
    return [before + after, before + letter + letter + after, before + nextTo(letter) + after, ...swapped];
  });
  return [...new Set(all)].filter((wrong) => wrong !== word);
}

function nextTo(letter: string): string {
  if (/[zZ9_]/.test(letter)) return "a";
  return String.fromCodePoint((letter.codePointAt(0) ?? 0) + 1);
}

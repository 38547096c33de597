/** The first of the `closestNames`, where one will do. */
export function closestName(name: string, known: readonly string[]): string | undefined {
  return closestNames(name, known)[0];
}

/**
 * The known names that a reader most likely meant: the same but for case and separators, or at most two edits away (one
 * for names of up to four letters). Several when they are equally near, in their order; empty when none is near.
 */
export function closestNames(name: string, known: readonly string[]): string[] {
  const plain = fold(name);
  let nearest: string[] = [];
  let reach = plain.length <= 4 ? 1 : 2;
  for (const candidate of known) {
    const distance = editDistance(plain, fold(candidate), reach + 1);
    if (distance > reach) continue;
    if (distance < reach) nearest = [];
    reach = distance;
    nearest.push(candidate);
  }
  return nearest;
}

function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

// Levenshtein with neighbouring letters swapped counting as one; gives up at `limit`.
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1;
      let distance = Math.min(at(previous, column) + 1, at(current, column - 1) + 1, at(previous, column - 1) + cost);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) distance = Math.min(distance, at(beforePrevious, column - 2) + 1);
      current.push(distance);
    }
    beforePrevious = previous;
    previous = current;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}

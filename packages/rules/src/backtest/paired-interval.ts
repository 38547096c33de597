/** The lower and the upper end of a confidence interval. */
export type Interval = readonly [number, number];

/** Of the same cases, judged twice. */
export interface Pairs {
  readonly cases: number;
  readonly onlyBefore: number;
  readonly onlyAfter: number;
}

/** Two-sided, 95 %. */
const Z = 1.959_963_984_540_054;

/**
 * A 95 % interval of the difference of two rates, after minus before, of the same cases. Bonett and Price, "Adjusted
 * Wald confidence interval for a difference of binomial proportions based on paired data", J. Educ. Behav. Stat. 37
 * (2012): only cases that differ carry information, and one more of each keeps it honest where there are few.
 */
export function pairedInterval({ cases, onlyBefore, onlyAfter }: Pairs): Interval {
  const size = cases + 2;
  const before = (onlyBefore + 1) / size;
  const after = (onlyAfter + 1) / size;
  const middle = after - before;
  const reach = Z * Math.sqrt((before + after - middle ** 2) / size);
  return [Math.max(-1, middle - reach), Math.min(1, middle + reach)];
}

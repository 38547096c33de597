/** Verdicts that the stream gave up before they were received: each is still to be read by its id. */
export interface Trimmed {
  /** How many, of every kind; absent where that cannot be told. */
  readonly lost?: number;
  /** Unix ms: they were published after this moment, */
  readonly from: number;
  /** and before this one. */
  readonly to: number;
  /** Straight from Redis: they lay behind this entry of the stream `verdicts`, there or not, */
  readonly after?: string;
  /** and before this one. */
  readonly before?: string;
  /**
   * Where there is an archive. `follows`: they come from there, next. `away`: it could not be read. `missing`: it has not
   * got these; verdicts on test events are among them, which are never archived. `waits`: this consumer of a group has no
   * `archive`, but others have: they come as soon as a consumer of the group has one.
   */
  readonly archive?: "follows" | "away" | "missing" | "waits";
}

/** What happens where nobody listens: the loss is told by a warning of this process, never by silence. */
export function warnOfTrimmed({ lost, from, to, archive }: Trimmed): void {
  if (archive === "follows") return;
  const [since, until] = [from, to].map((ms) => new Date(ms).toISOString());
  const count = lost === undefined ? "Verdicts" : `${lost} verdict${lost === 1 ? "" : "s"}`;
  const advice =
    archive === "waits"
      ? "They come from the archive as soon as a consumer of this group has the option archive."
      : "Set ASSAY_STREAM_TTL_SECONDS to more than a consumer may be away, or listen by onTrimmed.";
  process.emitWarning(
    `${count} of between ${since} and ${until} had left the stream before they were received. ${advice}`,
    { code: "assay_trimmed" },
  );
}

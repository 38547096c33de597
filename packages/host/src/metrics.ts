import { readFileSync } from "node:fs";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/**
 * Metrics of one process in a registry of its own. Names are given without the prefix `assay_`; labels are closed sets,
 * never an id.
 */
export interface Metrics {
  readonly registry: Registry;
  /** A counter; name it `…_total`. */
  counter<Label extends string = never>(name: string, help: string, labels?: readonly Label[]): Counter<Label>;
  /** A histogram in base units. */
  histogram<Label extends string = never>(
    name: string,
    help: string,
    labels: readonly Label[],
    buckets: readonly number[],
  ): Histogram<Label>;
  /** A gauge. `collect` is awaited at each scrape and may set it; when it fails, the gauge is left out. */
  gauge<Label extends string = never>(
    name: string,
    help: string,
    labels?: readonly Label[],
    collect?: (gauge: Gauge<Label>) => void | Promise<void>,
  ): Gauge<Label>;
}

const PREFIX = "assay_";

/** The version of Assay: all its packages carry the same. */
export const ASSAY_VERSION = readVersion();

/** Starts with Node's default metrics and `assay_build_info`; every metric carries the label `app`. */
export function createMetrics(app: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ app });
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const metrics: Metrics = {
    registry,
    counter: (name, help, labels = []) => new Counter({ name: PREFIX + name, help, labelNames: labels, registers }),
    histogram: (name, help, labels, buckets) =>
      new Histogram({ name: PREFIX + name, help, labelNames: labels, buckets: [...buckets], registers }),
    gauge(name, help, labels = [], collect) {
      const options = { name: PREFIX + name, help, labelNames: labels, registers };
      if (collect === undefined) return new Gauge(options);
      return new Gauge({
        ...options,
        async collect() {
          try {
            await collect(this);
          } catch {
            // No value is the truth; the last one, or 0, would be a lie.
            if (labels.length === 0) this.remove();
            else this.reset();
          }
        },
      });
    },
  };
  metrics
    .gauge("build_info", "Always 1; the labels tell the build.", ["version", "node"])
    .set({ version: ASSAY_VERSION, node: process.versions.node }, 1);
  return metrics;
}

function readVersion(): string {
  const manifest: { version?: unknown } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return typeof manifest.version === "string" ? manifest.version : "unknown";
}

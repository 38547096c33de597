import { describe, expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

describe("createMetrics", () => {
  test("puts the prefix before every name and the app on every line", async () => {
    const metrics = createMetrics("worker");
    metrics.counter("unseal_total", "Unsealed.", ["outcome"]).inc({ outcome: "opened" }, 2);
    expect(await metrics.registry.metrics()).toContain('assay_unseal_total{outcome="opened",app="worker"} 2');
  });

  test("tells the version and Node's version", async () => {
    const text = await createMetrics("worker").registry.getSingleMetricAsString("assay_build_info");
    expect(text).toContain(`node="${process.versions.node}"`);
    expect(text).toMatch(/version="\d+\.\d+\.\d+"/);
  });

  test("has Node's default metrics", async () => {
    expect(await createMetrics("worker").registry.metrics()).toContain("process_cpu_seconds_total");
  });

  test("puts an observation into its bucket", async () => {
    const metrics = createMetrics("worker");
    metrics.histogram("wait_seconds", "Wait.", ["lane"], [1, 300]).observe({ lane: "lookups" }, 12);
    const text = await metrics.registry.getSingleMetricAsString("assay_wait_seconds");
    expect(text).toContain('le="1",app="worker",lane="lookups"} 0');
    expect(text).toContain('le="300",app="worker",lane="lookups"} 1');
  });

  test("asks a gauge for its value at each scrape", async () => {
    const metrics = createMetrics("worker");
    let depth = 7;
    metrics.gauge("pending", "Pending.", ["lane"], async (gauge) =>
      gauge.set({ lane: "results" }, await Promise.resolve(depth)),
    );
    expect(await metrics.registry.getSingleMetricAsString("assay_pending")).toContain("} 7");
    depth = 8;
    expect(await metrics.registry.getSingleMetricAsString("assay_pending")).toContain("} 8");
  });

  test.each([[["lane"]], [[]]])(
    "leaves out a gauge of labels %j that cannot be asked, and serves the rest",
    async (labels) => {
      const metrics = createMetrics("worker");
      let isAway = false;
      metrics.gauge("pending", "Pending.", labels, (gauge) => {
        if (isAway) throw new Error("redis is away");
        gauge.set(Object.fromEntries(labels.map((label) => [label, "results"])), 7);
      });
      expect(await metrics.registry.metrics()).toMatch(/^assay_pending\{.*\} 7$/m);
      isAway = true;
      const text = await metrics.registry.metrics();
      expect(text).not.toMatch(/^assay_pending\{/m);
      expect(text).toContain("assay_build_info");
    },
  );

  test("keeps two processes in one test apart", () => {
    createMetrics("a").counter("x_total", "X.");
    expect(() => createMetrics("b").counter("x_total", "X.")).not.toThrow();
  });
});

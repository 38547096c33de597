import { count } from "../faults.ts";
import { CommandError, EXIT, type Report, type World } from "../report.ts";
import { examine, examineAlone } from "./examine.ts";
import type { PlacedFinding } from "./finding.ts";
import type { DoctorOptions, Practice } from "./practice.ts";
import { reachRedis } from "../reach-redis.ts";
import { readSettings, type Settings, type TenantSettings } from "./settings.ts";
import { showFindings } from "./show-findings.ts";

/** `assay doctor`: how an installation fares, and what to do about it. Changes nothing but the count of lookups. */
export async function doctor(options: DoctorOptions, world: World, clock: () => number): Promise<Report> {
  const { settings, faults } = readSettings(world.env);
  const tenants = chosen(settings, options.tenant);
  const practice: Practice = { options, world, clock };
  const findings: PlacedFinding[] = faults.map(({ name, message }) => {
    return { name: "environment", status: "fail", says: `${name} ${message}` };
  });
  const reached = await reachRedis(settings.redisUrl);
  if (reached.redis === undefined) {
    findings.push({ name: "redis", status: "fail", says: reached.why, do: reached.todo });
    for (const tenant of tenants) findings.push(...(await examineAlone(tenant, practice)));
    return reportOf(findings, false, world);
  }
  try {
    findings.push(...(await examine(reached.redis, { ...settings, tenants }, practice)));
    return reportOf(findings, true, world);
  } finally {
    await reached.close();
  }
}

function reportOf(findings: readonly PlacedFinding[], isReached: boolean, { paint }: World): Report {
  const failed = findings.filter(({ status }) => status === "fail").length;
  const warned = findings.filter(({ status }) => status === "warn").length;
  const verdict = [failed > 0 ? `${failed} failed` : "", warned > 0 ? `${warned} to look at` : ""].filter(Boolean);
  const summary = `${count(findings.length, "check")}: ${verdict.join(", ") || "all is well"}.`;
  return {
    exitCode: isReached ? (failed > 0 ? EXIT.faulty : EXIT.fine) : EXIT.unavailable,
    json: { checks: findings },
    text: `${showFindings(findings, paint)}\n\n${paint(failed > 0 ? "red" : warned > 0 ? "yellow" : "green", summary)}`,
  };
}

function chosen({ tenants }: Settings, name: string | undefined): readonly TenantSettings[] {
  if (name === undefined) return tenants;
  const tenant = tenants.find((one) => one.name === name);
  if (tenant !== undefined) return [tenant];
  const known = tenants.map((one) => one.name).join(", ");
  throw new CommandError(EXIT.usage, `There is no tenant ${name} in this environment. There are: ${known}.`);
}

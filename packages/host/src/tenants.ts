import { DEFAULT_TENANT } from "@assay/protocol";
import type { EnvReader } from "./env.ts";
import { readTenantsFile, showSetting, type TenantSettings } from "./tenants-file.ts";

/** Which variables of an app are about tenants. */
export interface TenantVariables {
  /** Those that describe the default tenant. Where one of them is set there is that tenant, whatever the file says. */
  readonly own: readonly string[];
  /** Those that hold for every tenant of which the file says nothing else. */
  readonly shared: readonly string[];
}

/**
 * Calls `read` for each tenant, with a reader of its settings under the names that the variables of the default tenant
 * have. Without `ASSAY_TENANTS_FILE` that is the only tenant. A setting of it that stands in both is a fault.
 */
export function readTenants<Tenant>(
  reader: EnvReader,
  variables: TenantVariables,
  read: (name: string, settings: EnvReader) => Tenant,
): Tenant[] {
  const file = reader.file("ASSAY_TENANTS_FILE", { describe: "tenants, by their names" });
  if (file === undefined) return [read(DEFAULT_TENANT, reader)];
  const tenants = readTenantsFile(reader, file);
  const own = valuesOf(reader, variables.own);
  const shared = valuesOf(reader, variables.shared);
  const isDescribed = own.size > 0 || tenants.size === 0;
  if (isDescribed && !tenants.has(DEFAULT_TENANT)) tenants.set(DEFAULT_TENANT, new Map());
  return [...tenants].map(([name, settings]) => {
    if (name !== DEFAULT_TENANT) {
      const shown = (variable: string) =>
        shared.has(variable) && !settings.has(variable) ? variable : showSetting(name, variable);
      return read(name, reader.over(Object.fromEntries([...shared, ...settings]), shown));
    }
    const beside = withoutTwice(reader, own, settings);
    const shown = (variable: string) => (settings.has(variable) ? showSetting(name, variable) : variable);
    return read(name, reader.over(Object.fromEntries([...shared, ...beside, ...settings]), shown));
  });
}

/** Those of the variables, and of their `…_FILE`, that are set. */
function valuesOf(reader: EnvReader, variables: readonly string[]): Map<string, string> {
  const names = variables.flatMap((name) => [name, `${name}_FILE`]);
  return new Map(
    names.flatMap((name) => {
      const value = reader.optional(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
}

function withoutTwice(
  reader: EnvReader,
  own: ReadonlyMap<string, string>,
  settings: TenantSettings,
): Map<string, string> {
  const beside = new Map(own);
  for (const variable of own.keys()) {
    const base = variable.replace(/_FILE$/, "");
    const twice = [base, `${base}_FILE`].find((name) => settings.has(name));
    if (twice === undefined) continue;
    beside.delete(variable);
    const setting = showSetting(DEFAULT_TENANT, twice);
    reader.fault(variable, `is set, and ${setting} of ASSAY_TENANTS_FILE too. Remove one of them.`);
  }
  return beside;
}

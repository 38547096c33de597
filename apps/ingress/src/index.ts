export { type IngressConfig, loadConfig, type Surface } from "./config.ts";
export type { Credentials, IngressKey } from "./credentials.ts";
export { PortUnavailableError } from "./data-plane.ts";
export { createIngress, type Ingress, type IngressDeps, type IngressPorts } from "./ingress.ts";

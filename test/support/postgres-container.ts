import { GenericContainer, getContainerRuntimeClient } from "testcontainers";
import { type PrivatePostgres, SETTINGS, type UntilReady } from "./private-postgres.ts";
import { freePort } from "./private-redis.ts";

const IMAGE = "postgres:16-alpine";
const POSTGRES_PORT = 5432;

/** Whether there is a Docker to ask. */
export async function hasDocker(): Promise<boolean> {
  return await getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** Starts Postgres in Docker. Testcontainers' reaper removes it when the run dies. */
export async function startPostgresContainer(untilReady: UntilReady): Promise<PrivatePostgres> {
  // A fixed host port, because a random one changes when the container starts again.
  const port = await freePort();
  const container = await new GenericContainer(IMAGE)
    .withEnvironment({ POSTGRES_USER: "assay", POSTGRES_DB: "postgres", POSTGRES_HOST_AUTH_METHOD: "trust" })
    .withCommand(["postgres", ...Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`])])
    .withExposedPorts({ container: POSTGRES_PORT, host: port })
    .start();
  const runtime = await getContainerRuntimeClient();
  const docker = runtime.container.getById(container.getId());
  const url = `postgres://assay@${container.getHost()}:${port}/postgres`;
  const isRunning = async () => (await docker.inspect()).State.Running;
  const ready = () => untilReady(url, new AbortController().signal);
  await ready();
  let stopping: Promise<unknown> | undefined;
  const end = async (signal: NodeJS.Signals) => {
    const ended = docker.wait();
    await docker.kill({ signal });
    await ended;
  };
  return {
    url,
    async kill(signal) {
      if (!(await isRunning())) return;
      // Docker's own pause reaches every process of the container; a signal only the first.
      if (signal === "SIGSTOP") await docker.pause();
      else if (signal === "SIGCONT") await docker.unpause();
      else await end(signal);
    },
    async restart() {
      if (await isRunning()) await end("SIGKILL");
      await docker.start();
      await ready();
    },
    async stop() {
      stopping ??= container.stop({ timeout: 0, remove: true, removeVolumes: true });
      await stopping;
    },
  };
}

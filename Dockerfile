# One file for every app (ingress, worker, cli): docker build --build-arg APP=worker -t assay-worker .
ARG NODE_IMAGE=node:22-alpine

# Only what decides the dependencies: the stages that install stay cached while sources change.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /assay
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
WORKDIR /assay
COPY --from=manifests /assay ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY . .
ARG APP=ingress
ENV TURBO_TELEMETRY_DISABLED=1
RUN npx turbo run build --filter "@assay/${APP}" \
  && mkdir /built \
  && tar -cf - --exclude .tsbuildinfo packages/*/dist "apps/${APP}/dist" | tar -xf - -C /built

FROM ${NODE_IMAGE} AS dependencies
WORKDIR /assay
COPY --from=manifests /assay ./
ARG APP=ingress
RUN npm ci --ignore-scripts --omit=dev --workspace "apps/${APP}" --no-audit --no-fund

FROM ${NODE_IMAGE}
ARG APP=ingress
# A larger young generation: verdicts are short-lived, and collecting them costs a fifth of a busy worker.
ENV NODE_ENV=production \
    NODE_OPTIONS=--max-semi-space-size=64 \
    APP=${APP} \
    ASSAY_RULESETS=/assay/rulesets
WORKDIR /assay
COPY --from=dependencies /assay ./
COPY --from=build /built ./
COPY rulesets ./rulesets
USER node
EXPOSE 8080 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.ASSAY_ADMIN_PORT || 9090}/livez`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# `exec` makes Node the process that gets the signals.
CMD ["sh", "-c", "exec node \"apps/${APP}/dist/main.js\""]

# podvitals in an image: either half, or both. The build needs the tools, the image only what runs.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
# The pinned Node among the optional ones is for clones; the image has its own.
RUN node scripts/build.ts && npm prune --omit=dev --omit=optional --no-audit --no-fund

FROM node:24-bookworm-slim
# What the agent's runtime calls: ip for the pods' networks; mount, nsenter and unshare; ps for people who look inside.
RUN apt-get update \
 && apt-get install -y --no-install-recommends iproute2 util-linux procps \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/build ./build
COPY rules ./rules
COPY dashboards ./dashboards
COPY runbooks ./runbooks
COPY slos ./slos
COPY examples ./examples
COPY podvitals LICENSE NOTICE ./
ENV NODE_ENV=production
ENTRYPOINT ["/app/podvitals"]
CMD ["--help"]

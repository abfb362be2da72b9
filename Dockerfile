# Dependencies only: `src` runs unbuilt, Node strips the types.
FROM node:24-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The optional packages carry Node itself for machines that have an older one; the image has its own.
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force

FROM gcr.io/distroless/nodejs24-debian12:nonroot
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY package.json ./
COPY crds crds
COPY src src
ENV NODE_ENV=production
USER 65532:65532
# Measured with 100 clusters and 1000 libraries: half the memory of the defaults for the same processor time.
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=4", "--max-old-space-size=384", "/app/src/main.ts"]
CMD ["operator"]

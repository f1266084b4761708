# accountd in a container: built from source, run as its own user, data in /data.
FROM node:22-bookworm-slim AS web
WORKDIR /source
COPY schema.graphql .
COPY web web
RUN npm ci --prefix web --no-audit --no-fund && npm run build --prefix web

FROM rust:1.95-slim-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /source
COPY . .
COPY --from=web /source/web/dist web/dist
RUN cargo build --release --locked --bin accountd --features web

FROM debian:bookworm-slim
RUN useradd --system --home-dir /data accountd && install -d -o accountd -g accountd -m 700 /data
COPY --from=build /source/target/release/accountd /usr/local/bin/accountd
USER accountd
VOLUME /data
EXPOSE 8080
ENV ACCOUNTD_DATA_DIR=/data ACCOUNTD_LISTEN=0.0.0.0:8080 ACCOUNTD_LOG__FORMAT=json
ENTRYPOINT ["accountd"]
CMD ["serve"]

# syntax=docker/dockerfile:1
# Two stages: build with the pinned toolchain, ship the binary and nothing to break into.
#   docker build -t irongate .
#   docker run -p 8080:8080 -v irongate-data:/data --env-file .env irongate
# Make the first key:  docker exec <container> /irongate keys create --name first --config /data/irongate.yaml --data-dir /data

FROM rust:1.95-slim-bookworm AS build
# SQLite and the crypto library are C.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/build/target \
    cargo build --locked --release -p gateway && cp target/release/irongate /irongate
RUN mkdir /data

# glibc and certificates, no shell, no package manager, user 65532.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /irongate /irongate
COPY --from=build --chown=65532:65532 /data /data
WORKDIR /data
VOLUME /data
EXPOSE 8080
# Exec form: the process is number 1 and gets SIGTERM itself, so that streams in flight may finish.
ENTRYPOINT ["/irongate"]
CMD ["serve", "--listen", "0.0.0.0:8080", "--config", "/data/irongate.yaml", "--data-dir", "/data"]

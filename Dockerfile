# The images: one static binary each, the certificates that Azure is trusted by, and a list of what it was built from. No
# shell, nothing else.
#
#   docker build -t avnm-operator:0.1.0 .
#   docker build -t avnm-emulator:0.1.0 --target emulator .
#
# `make image` makes the same without docker, and for two architectures: it builds the programs by itself (tools/image/
# build.sh) and does what the two last stages say (tools/image), and refuses an instruction that it does not know. What is
# released comes from there. This file was never built where it is tested: no daemon is there.
#
# Why musl: `FROM scratch` has no loader and no libc, so the binary must bring all of its own. A static glibc would
# still load its name services at run time; musl resolves names by itself, from the /etc/resolv.conf that the kubelet
# mounts.

# The compiler of what is released, to the last digit: another one makes other bytes. No older than rust-version in
# Cargo.toml.
ARG RUST=1.95.0

# Alpine's Rust is native to musl and links statically by default, so nothing is cross-compiled.
FROM rust:${RUST}-alpine AS build
# aws-lc, which signs and encrypts for rustls, is C and assembler: it needs a C compiler and the kernel's headers
# (<linux/random.h>, which musl-dev lacks). CMake, Go and bindgen only where it is built for FIPS.
RUN apk add --no-cache bash ca-certificates gcc linux-headers musl-dev
WORKDIR /src
COPY tools tools
# The program that lists what the others are built from.
RUN cp "$(tools/crate.sh cargo-cyclonedx)" /usr/local/cargo/bin/
COPY Cargo.toml Cargo.lock ./
# cargo reads the manifest of every member of the workspace, whatever it builds: the tests' too.
COPY crates crates
COPY tests tests
RUN tools/image/contents.sh "$(uname -m)-unknown-linux-musl" /src
# Both at once, or cargo would build what they share with different features. Stripped, by the release profile.
RUN cargo build --release --locked -p avnm-operator -p avnm-emulator

# Azure in memory, for tests and demos; never beside a real one. It listens on loopback unless told otherwise, and a
# container's loopback can be reached by nobody. Clients need its certificate: mount a folder and add
# --ca-file /folder/ca.pem, and --name for the name that they reach it by. Faults, settings and the page need the
# control endpoint, which knows no sign-in: --control 0.0.0.0:8444 --control-anywhere, and a port that is published on
# loopback or to a network of the test's own. docs/examples/emulator/github-actions.yaml has it all.
FROM scratch AS emulator
COPY --from=build /src/avnm-emulator.cdx.json /usr/share/sbom/avnm-emulator.cdx.json
COPY --from=build /src/target/release/avnm-emulator /avnm-emulator
# A number: Kubernetes cannot tell of a name whether it is root.
USER 65532:65532
EXPOSE 8443
ENTRYPOINT ["/avnm-emulator"]
CMD ["--listen", "0.0.0.0:8443"]
ARG VERSION=0.1.0
ARG REVISION
ARG SOURCE
ARG CREATED
LABEL org.opencontainers.image.title="avnm-emulator" \
      org.opencontainers.image.description="Azure Resource Manager and Entra in memory, for tests of avnm-operator" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.created="$CREATED"

# Last, and so what is built where no target is named.
FROM scratch AS operator
# Without it the operator does not start: it trusts what the system trusts (and --ca-file beside that).
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/avnm-operator.cdx.json /usr/share/sbom/avnm-operator.cdx.json
COPY --from=build /src/target/release/avnm-operator /avnm-operator
USER 65532:65532
# Metrics, and probes.
EXPOSE 8080 8081
ENTRYPOINT ["/avnm-operator"]
ARG VERSION=0.1.0
ARG REVISION
ARG SOURCE
ARG CREATED
LABEL org.opencontainers.image.title="avnm-operator" \
      org.opencontainers.image.description="Connects Azure Virtual Network Manager across Entra tenants, declared as custom resources" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.created="$CREATED"

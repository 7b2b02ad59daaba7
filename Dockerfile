# The images: one static binary each, and the certificates that Azure is trusted by. No shell, nothing else.
#
#   docker build -t avnm-operator:0.1.0 .
#   docker build -t avnm-emulator:0.1.0 --target emulator .
#
# CI does not build them yet: what runs there needs no container daemon. What was tried by hand is aws-lc for a musl
# target, with a C compiler and without CMake; it linked to a static program.
#
# Why musl: `FROM scratch` has no loader and no libc, so the binary must bring all of its own. A static glibc would
# still load its name services at run time; musl resolves names by itself, from the /etc/resolv.conf that the kubelet
# mounts. Alpine's Rust is native to musl and links statically by default, so nothing is cross-compiled, and an image
# for another architecture is built by the same lines there.

# No older than rust-version in Cargo.toml.
ARG RUST=1.95

FROM rust:${RUST}-alpine AS build
# aws-lc, which signs and encrypts for rustls, is C and assembler: it needs a C compiler and the kernel's headers
# (<linux/random.h>, which musl-dev lacks). CMake, Go and bindgen only where it is built for FIPS.
RUN apk add --no-cache ca-certificates gcc linux-headers musl-dev
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
# cargo reads the manifest of every member of the workspace, whatever it builds: the tests' too.
COPY crates crates
COPY tests tests
# Stripped, by the release profile.
RUN cargo build --release --locked -p avnm-operator

FROM build AS build-emulator
RUN cargo build --release --locked -p avnm-emulator

# Azure in memory, for tests and demos; never beside a real one. It listens on loopback unless told otherwise, and a
# container's loopback can be reached by nobody. Clients need its certificate: mount a folder and add
# --ca-file /folder/ca.pem, and --name for the name that they reach it by. Faults, settings and the page need the
# control endpoint, which knows no sign-in: --control 0.0.0.0:8444 --control-anywhere, and a port that is published on
# loopback or to a network of the test's own. docs/examples/emulator/github-actions.yaml has it all.
FROM scratch AS emulator
COPY --from=build-emulator /src/target/release/avnm-emulator /avnm-emulator
# A number: Kubernetes cannot tell of a name whether it is root.
USER 65532:65532
EXPOSE 8443
ENTRYPOINT ["/avnm-emulator"]
CMD ["--listen", "0.0.0.0:8443"]

# Last, and so what is built where no target is named.
FROM scratch AS operator
# Without it the operator does not start: it trusts what the system trusts (and --ca-file beside that).
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/avnm-operator /avnm-operator
USER 65532:65532
# Metrics, and probes.
EXPOSE 8080 8081
ENTRYPOINT ["/avnm-operator"]

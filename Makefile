# Everything that a person or CI does with this tree. Needs Rust, Go and a C compiler, and for the tests Python 3.9 or
# newer with its venv module; nothing else by hand.
#
# One cargo profile (dev) serves all of it, and the binaries of all crates are built together wherever more than
# one is needed: with other sets cargo would unify features differently and compile the same crates twice.

CARGO ?= cargo
STEP := @tools/step.sh
TARGET := $(or $(CARGO_TARGET_DIR),target)

# For which processors `make image` builds.
ARCHS ?= amd64 arm64

# The states in which the scenarios saw objects, for those who judge them.
STATES := $(TARGET)/states.jsonl

# What the slow lanes cover: while none of it changes, they are left out (tools/lane.sh).
OPERATOR := Cargo.lock crates/terms/src crates/api/src crates/plan/src crates/arm/src crates/controller/src crates/operator/src \
  crates/emulator/src deploy/crds.yaml deploy/rbac.yaml docs/examples/quickstart tests/launcher/src tools/kube tools/etcd \
  tools/gitops.sh tests/gitops/run.sh tests/gitops/src/*.rs
ARGOCD := argocd $(OPERATOR) tests/gitops/src/argocd tools/argocd deploy/argocd/argocd-cm-patch.yaml --
FLUX := flux $(OPERATOR) tests/gitops/src/flux tools/flux deploy/flux --

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help tools build demo bench test steps fmt lint deny advisories unit conformance sdk same-answers sim chart scenarios gitops picture site workflows image generate clean

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

tools: ## Build the pinned Kubernetes programs, once, into a cache outside the tree
	@tools/build.sh

build: ## Build all crates
	$(CARGO) build --workspace --all-targets

demo: ## Show the main job end to end; KEEP=1 leaves it up until Ctrl-C
	@tools/build.sh etcd kube-apiserver kubectl >/dev/null & \
	echo "the first time this builds for several minutes; every other time it begins at once"; \
	$(CARGO) build --workspace --bins && wait && \
	exec $(TARGET)/debug/xtask demo $(if $(filter-out 0,$(KEEP)),--keep)

bench: ## Measure speed, memory and calls of the release build beside the budgets; BENCH="--cases hour-100x1" chooses what
	@$(CARGO) run --release --package xtask -- bench $(BENCH)

# The images are two release builds: minutes that no change pays for that does not ask. A release does.
test: ## Everything that must pass, without the images: lints, tests, Microsoft's SDK, the loop, the scenarios; LANES=all with them
	@tools/guard.sh $(MAKE) --no-print-directory steps

# Behind the guard: what it starts in the background, too, is gone when it ends.
steps:
	@mkdir -p $(TARGET)
	@{ tools/build.sh && tools/crate.sh mdbook && tools/crate.sh cargo-deny && \
	  tools/lane.sh --due $(FLUX) tools/gitops.sh kustomize-controller && tools/lane.sh --due $(ARGOCD) tools/gitops.sh argocd; \
	} >$(TARGET)/tools.log 2>&1 & echo "the Kubernetes programs, mdBook and cargo-deny are built beside; see $(TARGET)/tools.log"
	$(STEP) "formatting" $(CARGO) fmt --all --check
	$(STEP) "lints" $(CARGO) clippy --workspace --all-targets -- -D warnings
	$(STEP) "test programs" $(CARGO) test --workspace --no-run
	$(STEP) "Kubernetes programs" tools/build.sh
	$(STEP) "tests" $(CARGO) test --workspace
	$(STEP) "programs" $(CARGO) build --workspace --bins
	$(STEP) "dependencies" tools/deny.sh
	$(STEP) "workflows" tools/actionlint/run.sh
	$(STEP) "the maker of the images" env CGO_ENABLED=0 go -C tools/image test -count=1 ./...
	$(STEP) "what the picture of the dashboard is made of" python3 -B tools/dashboard/test_panels.py
	$(STEP) "the documentation's site" $(TARGET)/debug/xtask site
	$(STEP) "Microsoft's SDK" tests/sdk/run.sh $(TARGET)/debug/avnm-emulator
	$(STEP) "the API server in one process" $(TARGET)/debug/same-answers
	$(STEP) "single faults" $(TARGET)/debug/sim --faults-every 41
	$(STEP) "pairs of faults" $(TARGET)/debug/sim --pairs 400
	$(STEP) "generated lifecycles" $(TARGET)/debug/sim --generated 300
	$(STEP) "mutants" $(TARGET)/debug/sim --mutants
	$(STEP) "a thousand members under quotas" $(TARGET)/debug/sim --crowd 1000
	$(STEP) "the chart" $(TARGET)/debug/chart
	@printf '\n== scenarios\n'
	@$(TARGET)/debug/scenarios --no-build --record $(STATES) $(SCENARIOS)
	$(if $(SCENARIOS),,$(STEP) "kstatus" tools/kstatus/run.sh $(STATES))
	$(if $(SCENARIOS),,$(STEP) "Argo CD's Lua" tools/lua/run.sh $(STATES))
	$(STEP) "Argo CD" tools/lane.sh $(ARGOCD) tests/gitops/run.sh argocd $(TARGET) $(if $(SCENARIOS),,$(STATES))
	$(STEP) "Flux" tools/lane.sh $(FLUX) tests/gitops/run.sh flux $(TARGET)
	$(if $(filter all,$(LANES)),$(STEP) "images" tools/image/build.sh $(TARGET)/image/test amd64)
	$(if $(filter all,$(LANES)),$(STEP) "images at work" tools/image/test.sh $(TARGET)/image/test $(TARGET)/debug)

fmt: ## Format
	$(CARGO) fmt --all

lint: ## Lints and dependency rules
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	@tools/deny.sh

deny: ## Dependency rules alone: licences, bans, sources
	@tools/deny.sh

advisories: ## Dependency rules and the advisories of RustSec, whose database is fetched from GitHub
	@tools/deny.sh --advisories

unit: ## Tests without the scenarios: unit, property and table tests, generated files, layers
	$(CARGO) test --workspace

conformance: ## Recorded traffic of Azure against client and emulator; AVNM_RECORDINGS=DIR plays other files
	@$(CARGO) run --quiet --package avnm-conformance

sdk: ## Drive the emulator with Microsoft's own clients for Python, from a pinned environment that is made once
	$(CARGO) build --workspace --bins
	@tools/guard.sh tests/sdk/run.sh $(TARGET)/debug/avnm-emulator

same-answers: ## Ask the API server in one process and the real one the same
	$(CARGO) build --workspace --bins
	@tools/guard.sh $(TARGET)/debug/same-answers

sim: ## Play the loop in one process; SIM="--seed 3 --faults-every 1" chooses what
	$(CARGO) build --workspace --bins
	@$(TARGET)/debug/sim $(SIM)

chart: ## Install the chart on a real API server, run it, upgrade, roll back and uninstall it
	$(CARGO) build --workspace --bins
	@tools/guard.sh $(TARGET)/debug/chart

scenarios: ## The scenarios on a real API server; SCENARIOS="04 drift" chooses some of them
	$(CARGO) build --workspace --bins
	@tools/guard.sh $(TARGET)/debug/scenarios --no-build $(SCENARIOS)

gitops: ## Argo CD and Flux, really run, whatever has changed; the first time both are built
	$(CARGO) build --workspace --bins
	@LANES=all tools/guard.sh tools/lane.sh $(ARGOCD) tests/gitops/run.sh argocd $(TARGET) $(STATES)
	@LANES=all tools/guard.sh tools/lane.sh $(FLUX) tests/gitops/run.sh flux $(TARGET)

picture: ## Draw what the Grafana dashboard shows, from some minutes of a real run, into docs/images
	$(CARGO) build --workspace --bins
	@AVNM_DASHBOARD_DATA=$(TARGET)/dashboard.json tools/guard.sh $(TARGET)/debug/scenarios --no-build 28b
	@tools/dashboard/run.sh $(TARGET)/dashboard.json

site: ## Build the documentation's site into target/site, and look whether its links lead somewhere
	$(CARGO) build --workspace --bin xtask
	@$(TARGET)/debug/xtask site

workflows: ## Read the workflows: actionlint, and that every action is pinned
	@tools/actionlint/run.sh

image: ## Build the images without docker, push, pull and run them; ARCHS="amd64 arm64" chooses
	$(CARGO) build --workspace --bins
	@tools/image/build.sh $(TARGET)/image/out $(ARCHS)
	@tools/guard.sh tools/image/test.sh $(TARGET)/image/out $(TARGET)/debug

generate: ## Write the generated files (CRDs, deploy/, pages of reference, decision tables, the emulator's pages and schemas)
	$(CARGO) xtask generate

clean: ## Remove what cargo built; the Kubernetes programs stay (`tools/build.sh --dir` says where)
	$(CARGO) clean

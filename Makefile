# What there is to do in this repository. `make test` is what the CI runs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

# What to run.
EXAMPLE ?= chat

# How long the tests of one package, one fuzz target and one benchmark may take.
# Fuzzing is bounded by a number of inputs: at the end of a time the go command
# now and then reports its own deadline as a failure.
TIMEOUT   ?= 20m
FUZZTIME  ?= 1000x
BENCHTIME ?= 1s

# The packages whose tests `make mutants` measures, and how many mutants it tests at once.
MUTANTS ?= history presence policy protocol document hub session
MUTANT_WORKERS ?= 1

# How many random histories `make simulate` runs.
HISTORIES ?= 10000

# How often each pair of servers is measured, which workloads (all if empty), and where
# the figures go.
BENCH_ROUNDS ?= 5
BENCH_ONLY   ?=
BENCH_JSON   ?= bin/bench.json
BENCHFLAGS = -rounds $(BENCH_ROUNDS) -only '$(BENCH_ONLY)' -json $(BENCH_JSON)

# The packages whose tests `make check` runs: they need no Caddy, Redis or browser.
CORE = ./hub ./presence ./history ./document ./policy ./auth ./protocol ./session ./dialect/... \
	./backend/memory ./config ./access ./node ./api/... ./sse ./ws

# How long the links of a cluster break in its drill; the other drills take a minute
# or two each. ONLY picks drills of one node.
DRILLTIME ?= 10m
ONLY      ?=

# The steps of a check come in the order in which they are written.
.NOTPARALLEL:

.PHONY: help run cluster build test check needs fmt-check vet client go-test fuzz-smoke fuzz attacks drills cluster-drills simulate mutants drain-drill slow-app-drill notify-drill dashboard-check browsers packaging pictures bench bench-compare store-bench microbench release fmt clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

run: build ## run an example, and say at which address: chat, or EXAMPLE=todo, form, call, dashboard, laravel-echo, socketio; PORT=8080
	@exec tools/run $(EXAMPLE)

cluster: build ## run the chat example on three nodes and a Redis, behind http://localhost:8080
	@exec tools/cluster

build: ## build a Caddy with this module, bin/caddy
	@command -v go >/dev/null || { echo "build: go is missing, which builds Caddy; see https://go.dev/dl" >&2; exit 1; }
	go build -o bin/caddy ./cmd/caddy

test: needs fmt-check vet client go-test fuzz-smoke ## check everything, as the CI does
	@echo "all checks passed"

# What one runs before a commit. It needs nothing but Go.
check: fmt-check ## check format, vet, borders, locks and the core's tests: two minutes at most with a warm cache
	@tools/step "vet" go vet ./...
	@tools/step "borders" go test ./internal/archtest ./internal/lockorder ./internal/guard
	@tools/step "core tests" go test $(CORE)

needs:
	@tools/needs

fmt-check:
	@tools/step "format" tools/gofmt-check

# With -race because of what has to be compiled for it: the tests use the same.
vet:
	@tools/step "vet" go vet -race ./...
	@cd integration/browser && ../../tools/step "vet of the browser tests" go vet -race ./...

client:
	@tools/step "client" tools/client-check

# The Caddy of the tests that start one is built once for all of their packages.
go-test: export REALTIME_TEST_CADDY = $(CURDIR)/bin/test/caddy
go-test:
	@tools/step "Caddy of the tests" go build -race -o bin/test/caddy ./cmd/caddy
	@tools/step "tests" go test -race -timeout $(TIMEOUT) ./...
	@cd integration/browser && ../../tools/step "browser tests" go test -race -timeout $(TIMEOUT) ./...

fuzz-smoke:
	@tools/step "fuzzing" tools/fuzz $(FUZZTIME)

fuzz: ## run every fuzz target for a minute, or FUZZTIME=<time>
	@tools/fuzz $(if $(filter command line environment,$(origin FUZZTIME)),$(FUZZTIME),1m)

drills: ## put one node under load and faults, and print a table of what came out: half an hour, or ONLY=<tests>
	REALTIME_DRILLS=1m REALTIME_DRILLS_TABLE=$(CURDIR)/bin/drills.md \
		go test -v -count=1 -parallel 1 -timeout 60m -run '$(ONLY)' -skip '^TestCluster' ./integration/drills

attacks: ## attack a server in about a hundred ways and in full size, and print tables of what came of it
	REALTIME_ATTACKS=1 go test -v -count=1 -timeout 60m -run '^Test(Attacks|Stopped)$$' ./integration/attacks

cluster-drills: ## put clusters under minutes of faults, and print a table of what came out
	REALTIME_DRILLS=$(DRILLTIME) REALTIME_DRILLS_TABLE=$(CURDIR)/bin/cluster-drills.md \
		go test -v -count=1 -parallel 1 -timeout 60m -run '^TestCluster' ./integration/drills

simulate: ## run 10,000 random histories of the core on fake time, or HISTORIES=<n>, and check every promise
	go test -v -count=1 -timeout 120m -run '^TestSimulation$$' ./internal/simulate -histories $(HISTORIES)

mutants: ## change the core in small ways, and count the changes that its tests notice; MUTANTS="history policy"
	cd tools/mutants && go test . && go build -o ../../bin/mutants . && go build -o ../../bin/gremlins github.com/go-gremlins/gremlins/cmd/gremlins
	nice -n 19 bin/mutants -gremlins bin/gremlins -workers $(MUTANT_WORKERS) $(if $(KILLED),-killed $(KILLED)) $(MUTANTFLAGS) $(MUTANTS)

dashboard-check: needs ## run each query of the dashboard and each alert in a Prometheus that scrapes a server under load
	promtool check rules docs/alerts.yml
	REALTIME_DASHBOARD=1 go test -v -count=1 -run '^TestDashboardUnderLoad' ./integration

drain-drill: ## drain a node with 5,000 clients, and say how fast they arrive at another one
	REALTIME_DRILLS=1m go test -v -count=1 -timeout 10m -run '^TestDrain$$' ./integration/drills

slow-app-drill: ## let 1,000 clients publish through a slow app, and measure the hub's other rooms
	REALTIME_DRILLS=1m go test -v -count=1 -timeout 10m -run '^TestSlowApp$$' ./integration/drills

notify-drill: ## kill a node with 200 members, restart Redis, and check every event that the app gets
	REALTIME_NOTIFY_MEMBERS=200 go test -v -count=1 -run '^TestNotifyOverNodes$$' ./integration

bench: ## measure this server beside others: BENCH_ROUNDS=5, BENCH_ONLY=fanout,rooms; see bench/README.md
	go run ./bench $(BENCHFLAGS)

bench-compare: ## measure this tree beside a revision, REV=main; BENCH_ROUNDS and BENCH_ONLY as for bench
	go run ./bench -rev $(or $(REV),$(error say which revision: REV=main)) $(BENCHFLAGS)

store-bench: ## measure the store on disk beside memory, its start and its compaction; needs 1 GB of disk
	STORE_BENCH=1 go test -run '^$$' -bench . -benchtime 2s ./backend/disk

microbench: ## run the benchmarks beside the code
	go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

browsers: ## try the browser client in Firefox and in WebKit, the engine of Safari
	@tools/needs browsers
	REALTIME_BROWSERS=1 go test -v -count=1 ./integration/engines

packaging: ## check the Dockerfiles by the rules of BuildKit, and the workflows by actionlint; builds nothing
	cd tools/lint && go run . ../../Dockerfile ../../examples/cluster/Dockerfile
	cd tools/lint && go tool actionlint ../../.github/workflows/*.yml

pictures: ## take the pictures of the documentation
	cd integration/browser && REALTIME_PICTURES=$(CURDIR)/docs go test -count=1 -run 'Pictures$$' .

release: ## write VERSION=<version> into the changelog and the client; docs/releasing.md has the rest
	@tools/release '$(VERSION)'

fmt: ## format the Go code
	gofmt -w -s $(shell git ls-files --cached --others --exclude-standard '*.go')

clean: ## remove what was built
	rm -rf bin

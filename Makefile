# The modules of this repository: the root, which embedders inherit, and nested
# ones for heavy dependencies. tests/e2e/kube has no Go code: it only pins the
# control plane that tests/e2e builds.
MODULES    := $(sort $(dir $(shell git ls-files -- go.mod '*/go.mod')))
GO_MODULES := $(filter-out tests/e2e/kube/,$(MODULES))

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
# A number of runs, some seconds' worth: given a time, go test sometimes reports
# that its own deadline was exceeded.
FUZZTIME    ?= 2000x
BENCH       ?= .

# The packages on which the promises rest: cover and mutate measure them.
PROVEN := phases phases/mtc machine machine/runner steps legacy
N      ?= 50
SEED   ?= 1
PKG    ?= $(PROVEN)
comma  := ,
space  := $() $()

# The oldest Go that embedders can use.
OLDEST_GO := go1.24.0

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "%-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## Run the tests of the root and machine/controller with the race detector, and of the latter without it: with more lives
	@for m in $(filter-out tests/adopt/% tests/alerts/ tests/bench/ tests/dump/ tests/e2e/ tests/versions/,$(GO_MODULES)); do echo "== go test -race $$m"; (cd $$m && go test -race -timeout 30m ./...) || exit 1; done
	@echo "== go test machine/controller, with more lives"; cd machine/controller && go test ./...

.PHONY: test-adopt
test-adopt: ## Run tests/adopt: controllers that adopt the library, one of them on the API server of test-e2e
	@for m in $(filter tests/adopt/%,$(GO_MODULES)); do echo "== go test -race $$m"; (cd $$m && go test -race -timeout 30m ./...) || exit 1; done
	@for m in tests/adopt/big-switch tests/adopt/list; do echo "== go test $$m, with more lives"; (cd $$m && go test ./...) || exit 1; done

.PHONY: test-alerts
test-alerts: ## Run tests/alerts on promtool (installs it if it is missing)
	tests/alerts/install && cd tests/alerts && go test ./...

.PHONY: test-bench
test-bench: ## Run each benchmark of tests/bench once, and check its README against the results
	cd tests/bench && go test -bench . -benchtime 1x ./...

.PHONY: test-dump
test-dump: ## Run tests/dump on Graphviz, mermaid, Chromium and schemas (installs what is missing)
	tests/dump/install && cd tests/dump && go test -race -timeout 30m . ./sarif

.PHONY: test-e2e
test-e2e: ## Run tests/e2e on a real API server and etcd (builds them once: some 10 minutes), and the pages in Chromium
	tests/dump/install
	cd tests/e2e && go test -race -p 1 -parallel 6 -timeout 40m ./...
	cd tests/e2e && go test -run '^TestLives$$' ./lives # all lives: with the race detector it plays fewer
	cd tests/dump && go test -race -p 1 -timeout 30m ./pages

.PHONY: lives
lives: ## Play 1,000 random lives on a real API server (some 5 minutes; takes LIVES and LIVES_SEED)
	cd tests/e2e && LIVES=$${LIVES:-1000} go test -v -count=1 -timeout 60m -run '^TestRandomLives$$' .

.PHONY: load load-results
load: ## Run 5,000 runs at once on one controller, and on two that share them, and TestLoad (some 2 hours; takes LOAD)
	cd tests/e2e && LOAD=$${LOAD:-5000} go test -v -count=1 -timeout 6h -run '^TestLoad' .
load-results: ## The same, and rewrite the README of tests/bench
	LOAD_FILE=$(CURDIR)/tests/bench/testdata/load.txt $(MAKE) load
	cd tests/bench && go test -run '^TestREADME$$' . -update

.PHONY: test-versions
test-versions: ## Build both modules in embedders at three versions of controller-runtime, the oldest on the oldest Go, and run the tests that depend on Kubernetes
	cd tests/versions && go test -v -count=1 -timeout 90m ./...

.PHONY: test-oldest
test-oldest: ## Build and test the root with the oldest Go that embedders can use; test-versions does so with machine/controller
	export GOTOOLCHAIN=$(OLDEST_GO) && go build ./... && go test -tags reduced ./...

.PHONY: explore
explore: ## Explore every life of MTC's itineraries, with all flags of Final (some minutes)
	go test -v -timeout 60m -run '^TestExplore$$' ./tests/conformance -whole

.PHONY: lint
lint: ## Check formatting, language, layout, go vet, go mod tidy and staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files -- '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go run ./internal/style
	@for m in $(MODULES); do echo "== go mod tidy $$m"; (cd $$m && go mod tidy -diff) || exit 1; done
	@for m in $(GO_MODULES); do echo "== go vet and staticcheck $$m"; \
		(cd $$m && go vet ./... && go run $(STATICCHECK) ./...) || exit 1; done

.PHONY: bench
bench: ## Run the benchmarks of all modules (BENCH is a pattern)
	@for dir in $$(git grep -l '^func Benchmark' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
		echo "== ./$$dir"; (cd $$dir && go test -run '^$$' -bench '$(BENCH)' -benchmem .) || exit 1; done

.PHONY: bench-results
bench-results: ## Measure all that the README of tests/bench shows, and rewrite it (some 5 minutes of a quiet machine; takes COUNT and BENCHTIME)
	tests/bench/results

.PHONY: cover
cover: ## Measure the coverage of PROVEN by all tests of the root module; fails below 95 % of the statements of a package
	@go test -coverpkg=$(subst $(space),$(comma),$(PROVEN:%=./%)) -coverprofile=coverage.out ./...
	@awk -f internal/mutate/cover.awk -v least=95 coverage.out

.PHONY: mutate mutate-retry mutate-report
mutate: ## Try N mutants of PKG (default: PROVEN) in the order of SEED that were not tried yet (some 20 s each)
	@ulimit -t 300; ulimit -v 16000000; go run ./internal/mutate -n $(N) -seed $(SEED) $(PKG:%=./%)

mutate-retry: ## Try the mutants of PKG once more that live and are not explained
	@ulimit -t 300; ulimit -v 16000000; go run ./internal/mutate -retry -n $(N) $(PKG:%=./%)

mutate-report: ## Print how many mutants of PKG were killed, and those that live; fails if one is not explained
	@go run ./internal/mutate -report $(PKG:%=./%)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (2000x is some seconds)
	@for dir in $$(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$dir/*_test.go); do \
			echo "== $$target in ./$$dir for $(FUZZTIME)"; \
			(cd $$dir && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x .) || exit 1; \
		done; \
	done

# Modules of this repository: the root, which embedders inherit, and nested
# ones with what they should not.
MODULES := $(sort $(dir $(shell git ls-files -- go.mod '*/go.mod')))

STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0
FUZZTIME    ?= 5s
BENCH       ?= .

# The oldest Go that the root module serves.
OLDEST_GO := go1.24.0

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## Run all tests of all modules with the race detector
	@for m in $(MODULES); do echo "== go test -race $$m"; (cd $$m && go test -race ./...) || exit 1; done

.PHONY: test-oldest
test-oldest: ## Build and test the root module with the oldest Go that it serves
	GOTOOLCHAIN=$(OLDEST_GO) go build ./... && GOTOOLCHAIN=$(OLDEST_GO) go test ./...

.PHONY: lint
lint: ## Check formatting, go vet, go mod tidy and staticcheck
	@unformatted=$$(gofmt -l $$(git ls-files -- '*.go')); \
	if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	@for m in $(MODULES); do echo "== lint $$m"; \
		(cd $$m && go vet ./... && go mod tidy -diff && go run $(STATICCHECK) ./...) || exit 1; done

.PHONY: bench
bench: ## Run the benchmarks (BENCH is a pattern)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./tests/conformance

.PHONY: cover
cover: ## Measure the coverage of the root module, by all of its tests
	go test -coverpkg=./... -coverprofile=coverage.out ./... && go tool cover -func=coverage.out | tail -n 1

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 5s)
	@for dir in $$(git grep -l '^func Fuzz' -- '*_test.go' | xargs -n1 dirname | sort -u); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' $$dir/*_test.go); do \
			echo "== $$target in ./$$dir for $(FUZZTIME)"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$$dir || exit 1; \
		done; \
	done

# The recipes that people and CI share. `make run` and `make test` are all a newcomer needs.

.PHONY: run test check fmt gen bench fuzz test-all

run: ## builds Trailkeep and starts it with a small demonstration account
	@scripts/run

test: ## runs every check that CI runs
	@scripts/check all

check: ## runs the quick part: format, tidy, spelling, lints
	@scripts/check quick

fmt: ## formats the code
	cargo fmt --all

gen: ## writes the generated pages
	cargo xtask gen

bench: ## prints figures
	@scripts/bench

fuzz: ## runs each fuzz target; FUZZ_SECONDS=600 for longer
	@scripts/fuzz

test-all: test fuzz bench ## runs everything there is

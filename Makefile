# A thin front of meson and npm.  `./dev TARGET` also installs what TARGET needs on Debian 12.
PORT ?= 8080
DATA ?= ./data
PREFIX ?= /usr/local
UNITDIR ?= $(PREFIX)/lib/systemd/system
# Empty = everything; or some of: unit web scenario browser fuzz
SUITES ?=
# Empty = everything; or some of: kills postgres disk memory connections clock odd
FAULTS_NAMES ?=
# WEB=no builds the server without its pages.
WEB ?= $(if $(wildcard web/index.html),yes,no)

help:
	@echo 'make build    the program, build/yiwang (./dev build also installs what is missing)'
	@echo 'make run      a demonstration district on http://127.0.0.1:$$PORT (PORT=$(PORT)), files in $$DATA (DATA=$(DATA))'
	@echo 'make test     every test; SUITES="unit web scenario browser fuzz" chooses'
	@echo 'make gate     format, layers, sizes, linters'
	@echo 'make bench    benchmarks, into bench/out/latest.json'
	@echo 'make profile  where the time goes: perf under intake, lists and reads, into bench/out/profile-*.txt'
	@echo 'make fuzz     every parser of foreign bytes, FUZZ_SECONDS (30) each'
	@echo 'make fuzz-planted  whether each fuzzer finds a bug planted for it, within FUZZ_SECONDS (120)'
	@echo 'make faults   kills, full disks, lost databases and the like; FAULTS=short, FAULTS_NAMES="kills disk" (doc/dev/faults.md)'
	@echo 'make tsan     the concurrent parts under ThreadSanitizer'
	@echo 'make install  into DESTDIR, PREFIX=$(PREFIX)'
	@echo 'make clean    removes what was built, keeps DATA'

# --- packages from npm: SQLite's amalgamation, and the tools and libraries of pages and tests -------------------------
sqlite := build-deps/sqlite.stamp
web_packages := build-deps/web-packages.stamp
web_pages := build-deps/web-pages.stamp
test_packages := build-deps/test-packages.stamp
web_sources := $(shell find web -name node_modules -prune -o -path web/dist -prune -o -type f -print 2>/dev/null)
NPM := npm --no-audit --no-fund --no-update-notifier --loglevel=error

$(sqlite): deps/sqlite/package.json deps/sqlite/package-lock.json
	mkdir -p build-deps
	cp deps/sqlite/package.json deps/sqlite/package-lock.json build-deps/
	cd build-deps && $(NPM) ci --ignore-scripts
	@touch $@

$(web_packages): web/package.json web/package-lock.json | $(sqlite)
	cd web && $(NPM) ci --ignore-scripts
	@touch $@

$(web_pages): $(web_packages) $(web_sources)
	cd web && $(NPM) run build
	@touch $@

# The conformance suite of Open311, and the npm client that it is tried with.
$(test_packages): $(wildcard test/open311-*/package.json test/open311-*/package-lock.json test/open311-client/*/package.json) | $(sqlite)
	cd test/open311-conformance && $(NPM) ci --ignore-scripts
	cd test/open311-client && $(NPM) ci --ignore-scripts
	@touch $@

deps: $(sqlite) $(if $(filter yes,$(WEB)),$(web_packages))
pages: $(sqlite) $(if $(filter yes,$(WEB)),$(web_pages))

# --- the program ----------------------------------------------------------------------------------------------------
build: pages
	tools/build build

run: build
	@test -e "$(DATA)/demo.json" || build/yiwang init --pack packs/pingshan --demo "$(DATA)"
	@tools/demo_accounts "$(DATA)/demo.json"
	@exec build/yiwang serve --data "$(DATA)" --port "$(PORT)"

test: pages $(test_packages)
	tools/with_postgres tools/run_tests $(SUITES)

bench: build
	tools/with_postgres bench/run

profile: build
	tools/with_postgres bench/profile

gate: build
	tools/gate

fuzz: $(sqlite)
	tools/fuzz

fuzz-planted: $(sqlite)
	tools/fuzz --planted

faults: build
	test/faults/run $(FAULTS_NAMES)

tsan: $(sqlite)
	tools/with_postgres tools/run_tests threads

install: build
	install -D -m 755 build/yiwang "$(DESTDIR)$(PREFIX)/bin/yiwang"
	install -D -m 644 doc/yiwang.1 "$(DESTDIR)$(PREFIX)/share/man/man1/yiwang.1"
	install -D -m 644 packaging/yiwang.bash "$(DESTDIR)$(PREFIX)/share/bash-completion/completions/yiwang"
	install -D -m 644 packaging/yiwang.sysusers "$(DESTDIR)$(PREFIX)/lib/sysusers.d/yiwang.conf"
	install -d "$(DESTDIR)$(UNITDIR)" "$(DESTDIR)$(PREFIX)/share/yiwang/packs"
	sed 's|@PREFIX@|$(PREFIX)|g' packaging/yiwang.service >"$(DESTDIR)$(UNITDIR)/yiwang.service"
	chmod 644 "$(DESTDIR)$(UNITDIR)/yiwang.service"
	cp -R packs/. "$(DESTDIR)$(PREFIX)/share/yiwang/packs"
	install -D -m 644 LICENSE "$(DESTDIR)$(PREFIX)/share/doc/yiwang/LICENSE"

clean:
	rm -rf build build-asan build-tsan build-fuzz build-gate build-deps web/dist web/node_modules test/open311-*/node_modules bench/out

.PHONY: help deps pages build run test bench profile gate fuzz fuzz-planted faults tsan install clean

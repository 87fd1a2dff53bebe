# Two commands: `make run` and `make test`. Both install what is missing, by Debian package name, and build.
SHELL := /bin/bash
PREFIX ?= /usr/local
# -B: Debian's own python, without leaving byte code in the tree.
PYTHON := /usr/bin/python3 -B
FLUIDBATCH := build/release/bin/fluidbatch

.PHONY: help run test test-cluster rtl rtl-packages deb deb-packages test-deb fuzz fuzz-packages reproduce bench lint format docs install clean packages run-packages python-packages bench-packages figure-packages lint-packages release dev program module importer test-browser browser-packages

help:
	@echo "make run      build, and simulate experiments/quickstart.yaml"
	@echo "make test     build with and without sanitizers, and run all tests"
	@echo "make test-browser  drive the pages of \`report\` and the docs' site in a headless Chromium"
	@echo "make test-cluster  bring a Slurm cluster up on this machine and run a sweep on it (root)"
	@echo "make rtl      the engine in hardware: lint, bench and a small synthesis (Verilator, Yosys)"
	@echo "make fuzz     build with clang, and fuzz each reader for FUZZ_SECONDS (default 30); then commands on 1,500 mutated inputs"
	@echo "make module   build the program and the Python module"
	@echo "make importer  build what 'network import' runs, too"
	@echo "make reproduce  every figure and table of the paper's claims, into runs/reproduction (QUICK=1: under two minutes)"
	@echo "make bench    print speed and memory, with aims and peers beside them (PARTS='start exits': some parts; SHORT=1: whether they work)"
	@echo "make lint     clang-format, clang-tidy and flake8; must find nothing"
	@echo "make format   let clang-format rewrite the sources"
	@echo "make docs     write the parts of docs/ that are made by commands"
	@echo "make site     the docs as a site that needs no network, in build/site"
	@echo "make install  install below PREFIX (default /usr/local)"
	@echo "make deb      a Debian package in build/deb"
	@echo "make test-deb  lint it, install it, try it, purge it"
	@echo "make clean    remove the build and run folders"

# What the simulator needs, with what draws the pages of its reports, and nothing else.
run-packages:
	@.ci/install-packages cmake g++ ninja-build pkg-config libsimgrid-dev libeigen3-dev libcli11-dev libyaml-cpp-dev \
	  libfmt-dev rapidjson-dev libsqlite3-dev libxxhash-dev libboost-dev libnlopt-dev node-d3

# The Python module.
python-packages:
	@.ci/install-packages pybind11-dev python3-dev python3-numpy

# The importer of ONNX models and the tests besides.
packages: run-packages python-packages
	@.ci/install-packages libonnx-dev libprotobuf-dev catch2 mold python3 python3-matplotlib python3-simpy3 valgrind \
	  python3-pandas python3-jsonschema python3-yaml python3-tqdm python3-pytest mypy jupyter-nbconvert python3-ipykernel

browser-packages:
	@.ci/install-packages chromium chromium-driver python3-selenium python3-pytest python3-matplotlib

# What the peers that `make bench` measures beside us need; it does without Numba where that cannot be installed.
bench-packages:
	@.ci/install-packages python3 python3-numpy python3-simpy3
	@.ci/install-packages python3-numba || echo "no python3-numba: the array script is NumPy's alone"

figure-packages:
	@.ci/install-packages python3 python3-matplotlib

lint-packages:
	@.ci/install-packages clang-format clang-tidy flake8 libclang-14-dev llvm-14-dev

fuzz-packages:
	@.ci/install-packages clang-14 libclang-rt-14-dev

release dev: packages
	@cmake --preset $@ --log-level=WARNING
	@cmake --build --preset $@

# What `make run` runs, and nothing else.
program: run-packages
	@cmake --preset program --log-level=WARNING
	@cmake --build --preset program

# What `network import` runs besides.
importer: packages
	@cmake --preset release --log-level=WARNING
	@cmake --build --preset release --target fluidbatch fluidbatch_network_import

run: program
	@$(FLUIDBATCH) run experiments/quickstart.yaml

# One ctest over both trees, so that the last line is the summary of all.
test: dev release
	@echo 'subdirs(dev release)' > build/CTestTestfile.cmake
	@ctest --test-dir build --output-on-failure --parallel $$(nproc)

# The program with the pages that it writes (Debian's own d3 is built into it), and the docs' site.
test-browser: browser-packages program site
	@$(PYTHON) -m pytest -q -p no:cacheprovider tests/browser
	@$(PYTHON) tests/site/test_search.py build/site

test-cluster: program
	@.ci/install-packages python3 munge slurm-wlm
	@$(PYTHON) tests/cluster/test_slurm.py $(FLUIDBATCH)

rtl-packages:
	@.ci/install-packages cmake g++ ninja-build libeigen3-dev verilator yosys python3

rtl: rtl-packages
	@$(PYTHON) tests/rtl/run.py

FUZZ_SECONDS ?= 30
FUZZ_SEED ?= 0
FUZZ_RUNS ?= 0

fuzz: fuzz-packages importer
	@cmake --preset fuzz --log-level=WARNING
	@cmake --build --preset fuzz
	@$(PYTHON) tests/fuzz/fuzz.py build/fuzz $(FUZZ_SECONDS) $(FUZZ_SEED) $(FUZZ_RUNS)
	@FLUIDBATCH_FIRST_MUTATION=300 FLUIDBATCH_MUTATIONS=1500 $(PYTHON) tests/cli/test_mutated_input.py

# The program with the Python module, which the experiments' scripts use.
module: run-packages python-packages
	@cmake --preset program -DFLUIDBATCH_PYTHON=ON --log-level=WARNING
	@cmake --build --preset program --target fluidbatch fluidbatch_python

reproduce: module figure-packages
	@$(PYTHON) experiments/reproduce.py $(if $(QUICK),--quick)

bench: release bench-packages
	@$(PYTHON) experiments/bench/bench.py $(FLUIDBATCH) $(if $(SHORT),--short) $(PARTS)

LINT_PLUGIN := build/lint/lib/own_declarations.so
TIDY := clang-tidy --quiet -p build/lint --load=$(LINT_PLUGIN) --extra-arg=-Wno-unknown-warning-option
# Left out file by file: clang-tidy writes these lines in pieces, which mix where two of them write to one pipe.
TIDY_COUNTS := ^[0-9]+ warnings? (generated|treated)|^$$
PAGE_SOURCES = $$(git ls-files -co --exclude-standard '*.js')
SOURCES = $$(git ls-files -co --exclude-standard '*.cpp' '*.h')

# Not of failing_calls.cpp, which stands in for the C library's functions under their own names, nor of findings.cpp.
lint: packages lint-packages
	@cmake --preset lint --log-level=WARNING
	@cmake --build --preset lint
	@$(PYTHON) tests/lint/test_own_declarations.py $(LINT_PLUGIN)
	@clang-format --dry-run --Werror $(SOURCES) $(PAGE_SOURCES)
	@git ls-files -co --exclude-standard '*.py' | xargs flake8
	@git ls-files '*.cpp' | grep -Ev 'tests/(support/failing_calls|lint/findings).cpp' | \
	  xargs -P $$(nproc) -n 1 sh -c '{ $(TIDY) "$$0" || echo "clang-tidy fails: $$0"; } 2>&1 | grep -Ev "$(TIDY_COUNTS)"' | tee build/lint.log
	@test ! -s build/lint.log && echo "lint: nothing found"

format: lint-packages
	@clang-format -i $(SOURCES) $(PAGE_SOURCES)

docs: release
	@$(PYTHON) docs/update.py build/release/bin
	@$(PYTHON) docs/tutorial.py build/release/bin

.PHONY: site site-packages
site-packages:
	@.ci/install-packages python3 mkdocs mkdocs-material doxygen python3-markdown-it

site: site-packages
	@$(PYTHON) docs/site/build.py

# What is installed, besides the importer.
.PHONY: installed
installed: importer
	@cmake --build --preset release --target fluidbatch_archive fluidbatch_python

install: installed
	@cmake --install build/release --prefix $(PREFIX)

deb-packages:
	@.ci/install-packages dpkg-dev binutils

deb: deb-packages installed
	@rm -rf build/deb
	@$(PYTHON) cmake/debian/build.py build/release build/deb

test-deb: deb
	@.ci/install-packages lintian fakeroot man-db
	@$(PYTHON) tests/package/test_deb.py build/release build/deb/*.deb

clean:
	@rm -rf build runs

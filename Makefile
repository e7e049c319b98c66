# The front door. Every target is repeatable, asks nothing, and works offline once the Debian
# packages of tools/packages.txt are there.
BUILD ?= build
PREFIX ?= /usr/local
SEEDS ?= 200
ONLY ?=
PEERS ?=
LIVE ?=

# A configured tree keeps its generator and its build type.
configure = [ -f $(1)/build.ninja ] || cmake -S . -B $(1) -G Ninja $(2) >&2

.PHONY: all packages build everything demo test bench soak asan tsan fuzz check fmt onnxruntime install clean
all: build

packages:
	@BUILD=$(BUILD) tools/install_packages

build: packages
	@$(call configure,$(BUILD),-DCMAKE_BUILD_TYPE=RelWithDebInfo)
	@ninja -C $(BUILD) headrace >&2

everything: packages
	@$(call configure,$(BUILD),-DCMAKE_BUILD_TYPE=RelWithDebInfo)
	@ninja -C $(BUILD) >&2

demo: build
	@$(BUILD)/headrace demo fraud $(if $(LIVE),,--once)

test: everything
	@tools/run_tests.py --build $(BUILD)

bench: build
	@ninja -C $(BUILD) score_peers train_peers >&2
	@$(if $(PEERS),bench/peers/install $(BUILD)/peers || echo "bench: the others could not be installed" >&2)
	@bench/run.py --build $(BUILD) $(ONLY)

soak: everything
	@tools/soak.py --build $(BUILD) --seeds $(SEEDS)

asan tsan: packages
	@cmake --preset $@ -G Ninja >/dev/null
	@ninja -C build-$@ >&2
	@tools/run_tests.py --build build-$@ --part unit

fuzz: packages
	@cmake --preset fuzz -G Ninja >/dev/null
	@ninja -C build-fuzz fuzzers >&2

check: packages
	@$(call configure,$(BUILD),-DCMAKE_BUILD_TYPE=RelWithDebInfo)
	@tools/check.py --build $(BUILD) --tidy

fmt: packages
	@tools/check.py --fix-format

onnxruntime:
	@tools/install_onnxruntime $(BUILD)/lib

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

clean:
	@rm -rf build build-asan build-tsan build-fuzz

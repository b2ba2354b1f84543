# SPDX-License-Identifier: GPL-2.0
#
# make                 build everything into $(O)
# make deps [GOALS]    install what GOALS (default: all of them) need, from Debian's packages
# make run             build, then run the quick tier on this machine
# make check           everything that is checked before a change lands
# make help            the rest

O ?= build
prefix ?= /usr/local
libdir ?= $(prefix)/lib
bindir ?= $(prefix)/bin
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man
unitdir ?= /etc/systemd/system

.DEFAULT_GOAL := all
B := $(abspath $(O))

# The kselftest framework: from KSRC, or from the packaged kernel source.
ifneq ($(KSRC),)
KSFT := $(abspath $(KSRC))/tools/testing/selftests
ifeq ($(wildcard $(KSFT)/lib.mk),)
$(error KSRC=$(KSRC) is no kernel tree: there is no tools/testing/selftests/lib.mk in it)
endif
CHECKPATCH := $(abspath $(KSRC))/scripts/checkpatch.pl
FRAMEWORK :=
else
KSFT := $(B)/ksrc/tools/testing/selftests
CHECKPATCH := $(B)/ksrc/scripts/checkpatch.pl
FRAMEWORK := $(B)/ksrc/.extracted
endif

ifneq ($(LLVM),)
CC := clang
else
CC := $(CROSS_COMPILE)gcc
endif

SUBMAKE = $(MAKE) --no-print-directory KSFT=$(KSFT) LIBMM_OUTPUT=$(B)/libmm
# The runner survives what a test does not: behind libmm's restore.h its journal is linked.
JOURNAL := $(B)/vmtests/lib/restore.a

all: mm vmtests
ifeq ($(CROSS_COMPILE),)
all: tlb-model
endif

mm: $(FRAMEWORK)
	+@$(SUBMAKE) -C vmtests OUTPUT=$(B)/vmtests restore
	+@$(SUBMAKE) -C tools-testing-mm OUTPUT=$(B)/tools-testing-mm LIBMM_RESTORE=$(JOURNAL) \
		all unit

vmtests: mm $(O)/vmtests/vmcompare
	+@$(SUBMAKE) -C vmtests OUTPUT=$(B)/vmtests all unit

$(B)/ksrc/.extracted: scripts/extract-framework
	@scripts/extract-framework $(B)/ksrc

deps:
	@scripts/deps $(filter-out deps,$(MAKECMDGOALS))

run: all
	VMTESTS_BUILD=$(B) ./run_vmtests.sh $(ARGS)

check: all
	@.ci/check $(B) $(KSFT) $(CHECKPATCH)

lint: $(FRAMEWORK)
	@.ci/lint $(B) $(KSFT) $(CHECKPATCH)

check-deb: $(FRAMEWORK)
	@.ci/deb $(B)

check-aa: all
	@vmtests/meta/aa_test.sh $(B) $(if $(AA_TESTS),"$(AA_TESTS)")

check-kill: all
	@vmtests/meta/kill_test.sh $(B) $(ROUNDS) $(SEED)

check-split: all
	@vmtests/meta/split_test.sh -a $(B)

bench-self: all
	$(B)/vmtests/bench_self

# On an idle machine: these judge what was measured.
bench-memcache: all
	$(B)/vmtests/bench/memcache_accuracy
	vmtests/bench/memcache/tests/bench.sh $(B)

check-patch: $(FRAMEWORK)
	@.ci/patch_test.sh -g $(B) "$(KSRC)" $(FAMILY)

patch:
	@scripts/make-patch "$(KSRC)" "$(FAMILY)" "$(OUT)" "$(TESTS)"

# The installed tree has the shape of the build folder, so that the runner finds its programs.
install: all
	@scripts/install $(B) $(DESTDIR)$(libdir)/vmtests $(DESTDIR)$(bindir) $(libdir)/vmtests $(KSFT)
	@scripts/install-tools $(B) $(DESTDIR)$(libdir)/vmtests $(DESTDIR)$(bindir) $(libdir)/vmtests \
		$(DESTDIR)$(mandir)/man1 $(DESTDIR)$(datadir)/bash-completion/completions

# Only unpacked and enabled: it does nothing until vmtests-boots is asked for something.
install-service: install
	@install -d $(DESTDIR)$(unitdir)
	@sed 's|@DIR@|$(libdir)/vmtests|' service/vmtests.service.in >$(DESTDIR)$(unitdir)/vmtests.service
	@[ -n "$(DESTDIR)" ] || systemctl enable vmtests.service

clean:
	rm -rf $(B)

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile
	@echo 'make lint            style, static analysis, and builds with every compiler'
	@echo 'make check-deb       the Debian packages: built, checked, installed, run'
	@echo 'make check-aa        whether the same benchmarks, run twice, say the same'
	@echo 'make check-kill      ROUNDS=200: runs killed at random moments leave the machine as it was'
	@echo 'make check-split     -S in guests: how much is split, and how fast'
	@echo 'make bench-self      what the timing loop itself costs'
	@echo 'make bench-memcache  the generator of memcache_pressure: accuracy, memcaslap, its servers'
	@echo 'make patch           KSRC=KERNEL-TREE FAMILY=NAME OUT=DIR [TESTS="..."]: a series for mm;'
	@echo '                     families: hvo linear_map lazy_mmu hugetlb pfnmap all'
	@echo 'make check-places    the quick tier in containers, under lockdown, in full memory and so on'
	@echo 'make check-patch     every series: applied, built, run in guests'
	@echo 'make lab-compare     guests with and without BBML2, and the report'
	@echo 'make lab-lava        a guest started by LAVA, and what LAVA made of its results'
	@echo 'make sample-report   the report that the README shows, anew from the lab'
	@echo 'make lab-check       the functional tests in every guest of the lab'
	@echo 'make lab-mutants     stock kernels broken function by function: the tests must notice'
	@echo 'make lab-tlb         modelled TLB misses of kernels, in guests'
	@echo 'make install         into $$(DESTDIR)$$(prefix), default $(prefix)'
	@echo 'make install-service  install, and a systemd unit that goes on with a run after each boot'
	@echo 'Variables: O=DIR build folder, KSRC=DIR kernel tree with the kselftest framework,'
	@echo 'LLVM=1 for clang, CROSS_COMPILE=PREFIX, ARGS="..." for run_vmtests.sh.'

include vmtests/compare/compare.mk
include lab/lab.mk

# Goals given behind "deps" must wait for it.
ifneq ($(filter deps,$(MAKECMDGOALS)),)
$(filter-out deps,$(MAKECMDGOALS)) all mm vmtests $(FRAMEWORK): | deps
endif

.PHONY: all mm vmtests deps run check check-deb check-aa check-kill check-split check-patch \
	lint bench-self bench-memcache patch install install-service clean help

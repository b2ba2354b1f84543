# SPDX-License-Identifier: GPL-2.0
#
# make lab-compare     compare arm64 guests without and with BBML2, and print the report
# make lab-check       run the functional tests in every guest of lab/check.list; then lab-pfnmap
#                      and lab-pfnmap-deaths
# make lab-crypt       end dm_crypt by signals at random moments in guests: nothing may be left
# make lab-deaths      kill guests in the middle of benchmarks: samples stay, and -R goes on
# make lab-kill        make check-kill in a guest, which has dm-crypt
# make check-places    run the quick tier where it was not expected: lab/places.list
# make lab-pfnmap      run pfnmap_test and pfnmap_ops in the guests of lab/pfnmap.list
# make lab-pfnmap-deaths  the cases of pfnmap_test that may kill a kernel, each in a guest of its own
# make sample-report   lab-compare of what emulation can show, into docs/sample, for the README
# make lab-lava        a guest started by LAVA's dispatcher, and what it made of the results
# make lab-mutants     break the kernel, function by function, and see that the tests notice
# make lab-kernels     fetch the kernels of both into the user's cache
# make lab-root        make the guests' roots, which are sysroots of cross compilers too
#
# BOOTS (of each side of lab-compare, 5; of each cell of lab-check, 1), ROUNDS (of lab-crypt, -deaths,
# -kill), SEED, LAB_OUT, LAB_TIMEOUT (seconds a boot) and, for run_vmtests.sh in the guests,
# COMPARE_ARGS and CHECK_ARGS can be set; SMALL=1 compares only what emulation can show.
# CELLS="LABELS" checks only these cells of lab/check.list, and no pfnmap, or of lab/places.list;
# PLACES_ARGS are run_vmtests.sh's in places. ONLY="FUNCTIONS" breaks
# only these, anew.
# The two CPUs of a comparison differ on purpose, so vmcompare is told to allow that. Both comparison
# and check go on where they were stopped; remove LAB_OUT to begin anew. Included by the top
# Makefile, whose $(B), $(SUBMAKE) and $(KSFT) it uses.

lab-compare: BOOTS ?= 5
lab-check: BOOTS ?= 1
SEED ?=
CELLS ?=
ROUNDS ?= 20
LAB_OUT ?= $(B)/lab
LAB_TIMEOUT ?= 900
LAB_TIMEOUT_MUL ?= 5
# Boots are what is sampled; ten repeats in each would only take longer, and no timing here counts.
COMPARE_ARGS ?= -T quick -r 3
# A guest is thrown away, so what lasts until reboot may be done to it.
CHECK_ARGS ?= -T quick -d -t functional
PLACES_ARGS ?= -T quick -r 1 -d
# The whole quick tier takes a quarter of an hour in a guest, on a machine that does nothing else.
PLACES_TIMEOUT ?= 7200

# What emulation can show is memory, page tables and counts; SMALL=1 leaves out what it cannot, and
# is done in minutes.
ifneq ($(SMALL),)
COMPARE_ARGS := -T quick -r 2 -t "boot linear lazymmu"
endif

# An emulator's seconds are long. The cache benchmark wants more room than the results' disk has.
LAB_RUN = env VMTESTS_TIMEOUT_MUL=$(LAB_TIMEOUT_MUL) VMTESTS_CACHE_DIR=/tmp ./run_vmtests.sh

LAB_ARCHES := arm64 amd64
# What lab-lava runs, by default all of the quick tier, and in which guest.
LAVA_KERNEL ?= 7:amd64
LAVA_TESTS ?=
LAVA_REPEATS ?= 3
LAB_CROSS_arm64 := aarch64-linux-gnu-
LAB_CROSS_amd64 := x86_64-linux-gnu-
LAB_PAYLOADS := $(B)/lab-payload
LAB_LISTS := lab/check.list lab/compare.list

# Built as for any other machine of that architecture, against the libraries of the guests' root.
$(LAB_ARCHES:%=lab-payload-%): lab-payload-%: $(FRAMEWORK)
	@command -v $(LAB_CROSS_$*)gcc >/dev/null || { \
		echo "lab-payload-$*: no $(LAB_CROSS_$*)gcc: try make deps lab-compare" >&2; exit 2; }
	@sysroot=$$(lab/root --sysroot $*) && \
	$(MAKE) --no-print-directory O=$(B)/lab-build-$* CROSS_COMPILE=$(LAB_CROSS_$*) \
		KSRC=$(KSFT:%/tools/testing/selftests=%) EXTRA_CFLAGS="--sysroot=$$sysroot" \
		EXTRA_LDFLAGS="--sysroot=$$sysroot" all && \
	rm -rf $(LAB_PAYLOADS)/$* && \
	scripts/install $(B)/lab-build-$* $(LAB_PAYLOADS)/$* $(LAB_PAYLOADS)/$*/bin /opt/vmtests $(KSFT)

lab-root:
	@for arch in $(LAB_ARCHES); do lab/root $$arch || exit; done

lab-kernels:
	@sed 's/^[^|]*|//; s/[ \t]*|.*//; s/^[ \t]*//' $(LAB_LISTS) | \
	grep -x '[0-9.]*:[a-z0-9-]*' | \
	sort -u | while IFS=: read -r series flavour; do \
		lab/fetch "$$series" "$$flavour" || exit; \
	done

lab-compare: all lab-payload-arm64
	@VMCOMPARE=$(B)/vmtests/vmcompare VMCOMPARE_ARGS='--allow cpu' lab/matrix -c -f lab/compare.list -n $(BOOTS) \
		$(SEED:%=-s %) -o $(LAB_OUT)/compare -p $(LAB_PAYLOADS) -t $(LAB_TIMEOUT) -- \
		$(LAB_RUN) $(COMPARE_ARGS) -o /results/%l

LAB_CHECK = lab/matrix -f lab/check.list $(if $(CELLS),-l "$(CELLS)") -n $(BOOTS) $(SEED:%=-s %) \
	-o $(LAB_OUT)/check -p $(LAB_PAYLOADS) \
	-t $(LAB_TIMEOUT) -- $(LAB_RUN) $(CHECK_ARGS) -o /results/%l
LAB_PFNMAP = lab/matrix -f lab/pfnmap.list $(SEED:%=-s %) -o $(LAB_OUT)/pfnmap -p $(LAB_PAYLOADS) \
	-t $(LAB_TIMEOUT) -- $(LAB_RUN) -r 3 -t pfnmap -o /results/%l

# The cases that pfnmap_test leaves out without LIBMM_DEADLY, by variant.
PUD_DEATHS := $(foreach case,mprotect_page munmap_page replace_page mremap_shrink, \
	puds.$(case) puds_edges.$(case))
PMD_DEATHS := pmds.mbind_strict
LAB_DEATHS = mkdir -p $(LAB_OUT) && { \
	lab/cross -l 'amd64-7 amd64-6-12' lab/pfnmap-deaths.list LAB_CASE $(PUD_DEATHS) && \
	lab/cross lab/pfnmap-deaths.list LAB_CASE $(PMD_DEATHS); } >$(LAB_OUT)/deaths.list && \
	lab/matrix -f $(LAB_OUT)/deaths.list $(SEED:%=-s %) -o $(LAB_OUT)/deaths -p $(LAB_PAYLOADS) \
		-t $(LAB_TIMEOUT) -- env LIBMM_DEADLY=1 \
		sh -c 'exec "$$@" -d -t "pfnmap_test:pfnmap.$$LAB_CASE"' sh $(LAB_RUN) -o /results/%l

lab-check: $(LAB_ARCHES:%=lab-payload-%)
	@failed=0; \
	$(LAB_CHECK) || failed=1; \
	[ -z "$(CELLS)" ] || exit $$failed; \
	$(LAB_PFNMAP) || failed=1; \
	$(LAB_DEATHS) || failed=1; \
	exit $$failed

# The seccomp filter is installed in the guest, by a program linked against its root.
check-places: lab-payload-amd64
	@install -D -t $(LAB_PAYLOADS)/amd64/places lab/places/enter lab/places/docker.seccomp && \
	$(LAB_CROSS_amd64)gcc -std=gnu11 -O2 -Wall -Wextra -Werror --sysroot="$$(lab/root --sysroot amd64)" \
		-o $(LAB_PAYLOADS)/amd64/places/seccomp_exec lab/places/seccomp_exec.c \
		-Wl,-Bstatic -lseccomp -Wl,-Bdynamic && \
	lab/matrix -f lab/places.list $(if $(CELLS),-l "$(CELLS)") $(SEED:%=-s %) -o $(LAB_OUT)/places \
		-p $(LAB_PAYLOADS) -t $(PLACES_TIMEOUT) -- \
		places/enter %l $(LAB_RUN) $(PLACES_ARGS) -o /results/%l

lab-pfnmap: $(LAB_ARCHES:%=lab-payload-%)
	@$(LAB_PFNMAP)

lab-pfnmap-deaths: $(LAB_ARCHES:%=lab-payload-%)
	@$(LAB_DEATHS)

lab-mutants: $(LAB_ARCHES:%=lab-payload-%)
	@VMTESTS_TIMEOUT_MUL=$(LAB_TIMEOUT_MUL) lab/mutants $(if $(ONLY),-l "$(ONLY)") -o $(LAB_OUT)/mutants \
		-p $(LAB_PAYLOADS)

lab-crypt: $(FRAMEWORK)
	@for kernel in 7:arm64 7:amd64; do \
		lab/tests/crypt_test.sh $(B) $(ROUNDS) $$kernel $(SEED) || exit; \
	done

sample-report:
	@$(MAKE) --no-print-directory SMALL=1 lab-compare
	@scripts/sample-report $(B)/vmtests/vmcompare $(LAB_OUT)/compare/results docs/sample

lab-lava: lab-payload-$(if $(findstring :arm64,$(LAVA_KERNEL)),arm64,amd64)
	@lava/tests/lab_lava.sh $(LAB_PAYLOADS) $(LAB_OUT)/lava $(LAVA_KERNEL) $(LAVA_REPEATS) \
		$(LAB_TIMEOUT_MUL) "$(LAVA_TESTS)"

lab-deaths: all
	@lab/tests/deaths_test.sh $(B) $(ROUNDS) 7:amd64 $(SEED)

lab-kill: all
	@lab/tests/kill_test.sh $(B) $(ROUNDS) 7:amd64 $(SEED)

.PHONY: check-places lab-root lab-kernels lab-compare lab-check lab-pfnmap lab-pfnmap-deaths lab-crypt \
	lab-lava lab-deaths lab-kill lab-mutants $(LAB_ARCHES:%=lab-payload-%)

include lab/plugins/tlb-model/tlb-model.mk

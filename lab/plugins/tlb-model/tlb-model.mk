# SPDX-License-Identifier: GPL-2.0
#
# make tlb-model       the TLB model: a plugin of QEMU's, and its tests
# make lab-tlb         modelled TLB misses: arm64 guests with pages, with blocks, with split blocks;
#                      report.txt, report.html and summary.txt in LAB_OUT/tlb
# make lab-tlb-check   the model against itself in guests: repeats, agrees with the tables
# make lab-tlb-slow    how much slower it makes a guest, and how long 100000 operations take
# make lab-tlb-reach   misses by memory read and by the size of the TLB, as docs/tlb-reach.svg
#
# The TLB_ variables below can be set, and SEED and LAB_OUT as lab.mk has them.
# Included by lab/lab.mk. The plugin runs on the machine that emulates: it is never cross-compiled.

# A name in presets/, or a file.
TLB_PRESET ?= neoverse-v3
TLB_TESTS ?= kernel_gups memcache_pressure hvo_churn linear_map_churn seq_read dm_crypt
# Counts repeat: more repeats and boots would only take longer. Verdicts take two boots.
TLB_REPEATS ?= 1
TLB_BOOTS ?= 1
# Enough for 1 GiB of page cache, which is a quarter of what is available.
TLB_MEM ?= 6G
# Sizes of the second level: what real cores have, and more.
TLB_REACH ?= 512:1024:2048:4096:8192:16384
# Rounds of lab-tlb-slow.
TLB_ROUNDS ?= 3
# Of one boot, in seconds: minutes on an idle machine.
TLB_TIMEOUT ?= 7200

TLB := lab/plugins/tlb-model
TLB_O := $(B)/tlb-model
TLB_CFLAGS := -std=gnu11 -D_GNU_SOURCE= -O2 -g -Wall -Wextra -fPIC -fvisibility=hidden \
	-Itools-testing-mm/lib/include -Ivmtests/lib/include $(EXTRA_CFLAGS)
# Of libmm what needs no I/O.
TLB_LIBMM := $(addprefix tools-testing-mm/lib/pgtable/,kpgtable_level.c \
	arm64/kpgtable_arm64.c x86/kpgtable_x86.c)
TLB_C := $(addprefix $(TLB)/,tlb.c preset.c trace.c guest.c spaces.c insn.c) $(TLB_LIBMM)
TLB_H := $(wildcard $(TLB)/*.h tools-testing-mm/lib/include/libmm/*.h vmtests/lib/include/vmtests/*.h)

$(TLB_O)/tlb-model.so: $(TLB)/plugin.c $(TLB_C) $(TLB_H)
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(TLB_CFLAGS) -shared $(EXTRA_LDFLAGS) -o $@ $(filter %.c,$^)

$(TLB_O)/%_unit: $(TLB)/tests/%_unit.c $(TLB_C) $(TLB_H) $(FRAMEWORK)
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(TLB_CFLAGS) -Wno-unused-parameter -isystem $(KSFT) -I$(TLB) $(EXTRA_LDFLAGS) -o $@ \
		$(filter %.c,$^)

$(TLB_O)/tlb_replay: $(addprefix $(TLB)/,replay.c tlb.c preset.c) $(TLB_H)
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(TLB_CFLAGS) $(EXTRA_LDFLAGS) -o $@ $(filter %.c,$^)

tlb-model: $(addprefix $(TLB_O)/,tlb-model.so tlb_unit guest_unit tlb_replay)

.PHONY: tlb-model

$(TLB_O)/%.list: $(TLB)/%.list FORCE
	@mkdir -p $(@D)
	@sed 's|@MEM@|$(TLB_MEM)|; s|@PRESET@|$(TLB_PRESET)|; s|@REACH@|$(TLB_REACH)|' $< >$@

# -S measures before and after the split, in one boot and two labels. memcache_pressure's many
# connections want more files than a guest's limit, and the emulator's latencies say nothing.
TLB_RUN = sh -c 'case %l in bbml2) split=-S ;; esac; ulimit -Hn 65536; \
	export VMTESTS_MEMCACHE_LOOPS=closed; \
	exec $(LAB_RUN) $$split -T quick -r $(TLB_REPEATS) -t "$(TLB_TESTS)" -o /results/%l'

TLB_LABELS = $(addprefix $(LAB_OUT)/tlb/results/,plain bbml2-blocks bbml2-split)
TLB_COMPARE = $(B)/vmtests/vmcompare --allow cpu $(TLB_LABELS)

lab-tlb: all tlb-model lab-payload-arm64 $(TLB_O)/cells.list
	@TLB_MODEL=$(TLB_O)/tlb-model.so lab/matrix -f $(TLB_O)/cells.list -n $(TLB_BOOTS) \
		$(SEED:%=-s %) -o $(LAB_OUT)/tlb -p $(LAB_PAYLOADS) -t $(TLB_TIMEOUT) -- $(TLB_RUN)
	@$(TLB)/summary $(TLB_LABELS) >$(LAB_OUT)/tlb/summary.txt
	@$(TLB_COMPARE) -f html -o $(LAB_OUT)/tlb/report.html >/dev/null; \
	$(TLB_COMPARE) -o $(LAB_OUT)/tlb/report.txt; status=$$?; \
	cat $(LAB_OUT)/tlb/report.txt $(LAB_OUT)/tlb/summary.txt; exit $$status

lab-tlb-check: tlb-model lab-payload-arm64
	@TLB_MODEL=$(TLB_O)/tlb-model.so $(TLB)/tests/guest_test.sh $(B)

lab-tlb-slow: tlb-model lab-payload-arm64
	@TLB_MODEL=$(TLB_O)/tlb-model.so $(TLB)/tests/slow_test.sh $(B) $(TLB_ROUNDS)

# Pages of a sweep: from 4 MiB to 1 GiB. The first repeat fills the TLB.
TLB_SWEEP := $(addprefix -c sweep.2e,10 11 12 13 14 15 16 17 18)

lab-tlb-reach: tlb-model lab-payload-arm64 $(TLB_O)/reach.list
	@TLB_MODEL=$(TLB_O)/tlb-model.so lab/matrix -f $(TLB_O)/reach.list $(SEED:%=-s %) \
		-o $(LAB_OUT)/tlb-reach -p $(LAB_PAYLOADS) -t $(TLB_TIMEOUT) -- \
		env VMTESTS_TIER=full vmtests/kernel_gups -r 1 -w 1 $(TLB_SWEEP)
	@$(TLB)/reach_plot $(LAB_OUT)/tlb-reach/boots $(TLB_PRESET) docs/tlb-reach.svg

.PHONY: lab-tlb lab-tlb-check lab-tlb-slow lab-tlb-reach FORCE

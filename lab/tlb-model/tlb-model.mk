# SPDX-License-Identifier: GPL-2.0
#
# The TLB model: QEMU's plugin and the tests. Included by lab/lab.mk, with the top Makefile's
# variables. Runs on the machine that emulates, so it is never cross-compiled.

TLB := lab/tlb-model
TLB_O := $(B)/tlb-model
TLB_CFLAGS := -std=gnu11 -D_GNU_SOURCE= -O2 -g -Wall -Wextra -fPIC -fvisibility=hidden \
	-Itools-testing-mm/lib/include $(EXTRA_CFLAGS)
# Of libmm what needs no I/O.
TLB_LIBMM := $(addprefix tools-testing-mm/lib/,kpgtable_level.c arm64/kpgtable_arm64.c \
	x86/kpgtable_x86.c)
TLB_C := $(addprefix $(TLB)/,tlb.c preset.c trace.c guest.c insn.c) $(TLB_LIBMM)
TLB_H := $(wildcard $(TLB)/*.h tools-testing-mm/lib/include/libmm/*.h)

$(TLB_O)/tlb-model.so: $(TLB)/plugin.c $(TLB_C) $(TLB_H)
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(TLB_CFLAGS) -shared $(EXTRA_LDFLAGS) -o $@ $(filter %.c,$^)

$(TLB_O)/tlb_unit: $(TLB)/tests/tlb_unit.c $(TLB_C) $(TLB_H) $(FRAMEWORK)
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(TLB_CFLAGS) -Wno-unused-parameter -isystem $(KSFT) -I$(TLB) $(EXTRA_LDFLAGS) -o $@ \
		$(filter %.c,$^)

$(TLB_O)/tlb_replay: $(addprefix $(TLB)/,replay.c tlb.c preset.c) $(TLB_H)
	@mkdir -p $(@D)
	@echo '  CC   $(@F)'
	@$(CC) $(TLB_CFLAGS) $(EXTRA_LDFLAGS) -o $@ $(filter %.c,$^)

tlb-model: $(addprefix $(TLB_O)/,tlb-model.so tlb_unit tlb_replay)

.PHONY: tlb-model

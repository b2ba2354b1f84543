# SPDX-License-Identifier: GPL-2.0
#
# libmm: what the tests and benchmarks share. Include this after the framework's lib.mk; it adds
# to CFLAGS and LDLIBS and gives LIBMM_A, which programs link against.
#
# Modules that write JSON need jansson; a build without it (the kernel tree's) sets LIBMM_JSON=n
# and gets everything else.

LIBMM_SRCDIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
# One line a file; the whole command with V=1.
ifneq ($(V),1)
V1 = @printf '  %-4s %s\n' CC $(notdir $@);
endif

LIBMM_OUTPUT ?= $(OUTPUT)/libmm
LIBMM_JSON ?= y

LIBMM_JSON_C := $(notdir $(wildcard $(LIBMM_SRCDIR)/fingerprint*.c)) \
	bench.c bench_model.c bench_workers.c census_json.c fio.c jsonl.c report.c
LIBMM_C := $(patsubst $(LIBMM_SRCDIR)/%,%,$(wildcard $(LIBMM_SRCDIR)/*.c \
	$(LIBMM_SRCDIR)/arm64/*.c $(LIBMM_SRCDIR)/x86/*.c))
ifneq ($(LIBMM_JSON),y)
LIBMM_C := $(filter-out $(LIBMM_JSON_C),$(LIBMM_C))
endif
LIBMM_O := $(LIBMM_C:%.c=$(LIBMM_OUTPUT)/%.o)
LIBMM_A := $(LIBMM_OUTPUT)/libmm.a

CFLAGS += -I$(LIBMM_SRCDIR)/include -I$(LIBMM_SRCDIR)/../../vmtests/lib/include
LDLIBS += $(LIBMM_A) -lnuma -lpthread -lm
ifeq ($(LIBMM_JSON),y)
LDLIBS += -ljansson
endif

$(LIBMM_O): $(LIBMM_OUTPUT)/%.o: $(LIBMM_SRCDIR)/%.c
	@mkdir -p $(dir $@)
	$(V1)$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c $< -o $@

$(LIBMM_A): $(LIBMM_O)
	@rm -f $@
	$(V1)$(AR) rcs $@ $^

EXTRA_CLEAN += $(LIBMM_OUTPUT)
-include $(LIBMM_O:.o=.d)

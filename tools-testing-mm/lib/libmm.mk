# SPDX-License-Identifier: GPL-2.0
#
# libmm: what the tests share. Include this after the framework's lib.mk; it adds to CFLAGS and
# LDLIBS and gives LIBMM_A and LIBMM_RESTORE, which programs link against.
#
# LIBMM_RESTORE is the back end of libmm/restore.h: by default the one that lies here.

LIBMM_SRCDIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
# One line a file; the whole command with V=1.
ifneq ($(V),1)
V1 = @printf '  %-4s %s\n' CC $(notdir $@);
endif

LIBMM_OUTPUT ?= $(OUTPUT)/libmm
LIBMM_RESTORE ?= $(LIBMM_OUTPUT)/restore.a

LIBMM_C := $(patsubst $(LIBMM_SRCDIR)/%,%,$(wildcard $(addprefix $(LIBMM_SRCDIR)/,\
	*.c page/*.c pgtable/*.c pgtable/*/*.c device/*.c)))
LIBMM_O := $(LIBMM_C:%.c=$(LIBMM_OUTPUT)/%.o)
LIBMM_A := $(LIBMM_OUTPUT)/libmm.a
LIBMM_RESTORE_O := $(LIBMM_OUTPUT)/restore/restore.o

CFLAGS += -I$(LIBMM_SRCDIR)/include
# The two call each other.
LDLIBS += -Wl,--start-group $(LIBMM_A) $(LIBMM_RESTORE) -Wl,--end-group -lnuma -lpthread -lm

$(LIBMM_O) $(LIBMM_RESTORE_O): $(LIBMM_OUTPUT)/%.o: $(LIBMM_SRCDIR)/%.c
	@mkdir -p $(dir $@)
	$(V1)$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c $< -o $@

$(LIBMM_A): $(LIBMM_O)
	@rm -f $@
	$(V1)$(AR) rcs $@ $^

$(LIBMM_OUTPUT)/restore.a: $(LIBMM_RESTORE_O)
	@rm -f $@
	$(V1)$(AR) rcs $@ $^

EXTRA_CLEAN += $(LIBMM_OUTPUT)
-include $(LIBMM_O:.o=.d) $(LIBMM_RESTORE_O:.o=.d)

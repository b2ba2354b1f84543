# SPDX-License-Identifier: GPL-2.0
#
# The measuring library, and the back end of libmm/restore.h that keeps a journal. Include this before
# libmm.mk, which then links that back end; it adds to CFLAGS and LDLIBS and gives VMLIB_A.

VMLIB_SRCDIR := $(abspath $(dir $(lastword $(MAKEFILE_LIST))))
VMLIB_OUTPUT ?= $(OUTPUT)/lib

VMLIB_C := $(patsubst $(VMLIB_SRCDIR)/%,%,$(wildcard $(addprefix $(VMLIB_SRCDIR)/,\
	*.c fingerprint/*.c)))
VMLIB_O := $(VMLIB_C:%.c=$(VMLIB_OUTPUT)/%.o)
VMLIB_A := $(VMLIB_OUTPUT)/vmlib.a
# Without jansson: tests link it, too. It reads /proc/PID/stat and starts programs as
# the rest does.
VMLIB_RESTORE_C := $(patsubst $(VMLIB_SRCDIR)/%,%,$(wildcard $(VMLIB_SRCDIR)/restore/*.c)) procstat.c \
	command.c
VMLIB_RESTORE_O := $(VMLIB_RESTORE_C:%.c=$(VMLIB_OUTPUT)/%.o)
VMLIB_RESTORE := $(VMLIB_OUTPUT)/restore.a
LIBMM_RESTORE := $(VMLIB_RESTORE)

CFLAGS += -I$(VMLIB_SRCDIR)/include
LDLIBS += $(VMLIB_A) -ljansson

$(sort $(VMLIB_O) $(VMLIB_RESTORE_O)): $(VMLIB_OUTPUT)/%.o: $(VMLIB_SRCDIR)/%.c
	@mkdir -p $(dir $@)
	$(V1)$(CC) $(CFLAGS) $(CPPFLAGS) -MMD -MP -c $< -o $@

$(VMLIB_A): $(filter-out $(VMLIB_RESTORE_O),$(VMLIB_O)) $(VMLIB_SRCDIR)/vmlib.mk
	@rm -f $@
	$(V1)$(AR) rcs $@ $(filter %.o,$^)

$(VMLIB_RESTORE): $(VMLIB_RESTORE_O) $(VMLIB_SRCDIR)/vmlib.mk
	@rm -f $@
	$(V1)$(AR) rcs $@ $(filter %.o,$^)

EXTRA_CLEAN += $(VMLIB_OUTPUT)
-include $(sort $(VMLIB_O:.o=.d) $(VMLIB_RESTORE_O:.o=.d))

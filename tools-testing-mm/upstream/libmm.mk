# SPDX-License-Identifier: GPL-2.0
#
# libmm: what the tests of the memory that the kernel maps for itself share. Included after lib.mk;
# LIBMM_TESTS are the programs that link it, LIBMM_LOCAL_HDRS the headers of their own.

LIBMM_C := $(wildcard libmm/*.c libmm/*/*.c libmm/*/*/*.c)
LIBMM_O := $(LIBMM_C:%.c=$(OUTPUT)/%.o)
LIBMM_A := $(OUTPUT)/libmm/libmm.a
LIBMM_TESTS := $(LIBMM_TESTS:%=$(OUTPUT)/%)
LIBMM_HDRS := $(wildcard libmm/include/libmm/*.h)

all: $(LIBMM_A)

$(LIBMM_TESTS): CFLAGS += -Ilibmm/include
$(LIBMM_TESTS): LDLIBS += -lnuma
# Not for the linker: see the rule of programs in lib.mk.
$(LIBMM_TESTS): LOCAL_HDRS += $(LIBMM_HDRS) $(LIBMM_LOCAL_HDRS)
$(LIBMM_TESTS): $(LIBMM_A) $(LIBMM_HDRS) $(LIBMM_LOCAL_HDRS)

$(LIBMM_O): $(OUTPUT)/%.o: %.c $(LIBMM_HDRS)
	$(call msg,CC,,$@)
	$(Q)mkdir -p $(dir $@)
	$(Q)$(CC) $(CFLAGS) -I. -Ilibmm/include $(CPPFLAGS) -c $< -o $@

$(LIBMM_A): $(LIBMM_O)
	$(call msg,AR,,$@)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

EXTRA_CLEAN += $(LIBMM_O) $(LIBMM_A)

# What a module needs beside libmm.
include $(wildcard libmm/*/*.mk)

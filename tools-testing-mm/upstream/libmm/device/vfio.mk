# SPDX-License-Identifier: GPL-2.0
#
# vfio.c opens devices by the library of selftests/vfio, which comes into libmm.a. It needs libuuid;
# other tests of mm do not.

include ../vfio/lib/libvfio.mk
LDLIBS := $(filter-out -luuid,$(LDLIBS))

$(LIBVFIO_O) $(OUTPUT)/libmm/device/vfio.o: CFLAGS += -I$(top_srcdir)/tools/include
$(LIBMM_A): $(LIBVFIO_O)
$(OUTPUT)/pfnmap_test: LDLIBS += -luuid

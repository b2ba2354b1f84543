/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kconfig: the configuration of the running kernel. It explains what a probe found; where a thing
 * can be tried, that decides.
 */
#ifndef LIBMM_KCONFIG_H
#define LIBMM_KCONFIG_H

#include <stdio.h>

/*
 * The configuration as text: /proc/config.gz through gzip(1), else /boot/config-RELEASE or
 * /lib/modules/RELEASE/config. To be closed by fclose(3). NULL where none can be read.
 */
FILE *kconfig_open(void);

/* 'y' (or set to a number or string), 'm', 'n', or '?' where no configuration can be read. */
char kconfig_value(const char *option);

#endif

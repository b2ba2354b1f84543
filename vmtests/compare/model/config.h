/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel configurations, option by option. */
#ifndef VMCOMPARE_CONFIG_H
#define VMCOMPARE_CONFIG_H

/*
 * Call differs() for every option that differs between the texts: first those that say most about
 * the kernel's memory, then the others, both sorted by name. An option that is "not set" and one
 * that is absent are both "n", because code cannot tell them apart. Names come without CONFIG_,
 * values are cleaned. Returns how many differ, or -EFBIG for a text with more than
 * CONFIG_OPTIONS_MAX options.
 */
#define CONFIG_OPTIONS_MAX 65536
long config_compare(const char *base, const char *new,
		    void (*differs)(void *arg, const char *name, const char *base, const char *new),
		    void *arg);

#endif

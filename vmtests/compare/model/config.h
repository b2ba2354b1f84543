/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel configurations, option by option. */
#ifndef VMCOMPARE_CONFIG_H
#define VMCOMPARE_CONFIG_H

/*
 * Call differs() for every option whose value is not the same in both texts: first those that
 * say most about the kernel's memory, then the others, each by name. An option that is "not set"
 * and one that is not there are both "n": the code sees no difference. A name comes without
 * CONFIG_, a value is cleaned. Returns how many differ, or -EFBIG for a text with more than
 * CONFIG_OPTIONS_MAX options.
 */
#define CONFIG_OPTIONS_MAX 65536
long config_compare(const char *base, const char *new,
		    void (*differs)(void *arg, const char *name, const char *base, const char *new),
		    void *arg);

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* known_settings: the settings that tests of kernel memory change, for leak checks and run.json. */
#ifndef VMTESTS_KNOWN_SETTINGS_H
#define VMTESTS_KNOWN_SETTINGS_H

/*
 * Visit every setting that a memory test may change and that can be read here, in a fixed order.
 * Returns 0, what @visit returned when not 0, or -errno.
 */
int known_settings_each(int (*visit)(const char *path, const char *value, void *arg), void *arg);

#endif

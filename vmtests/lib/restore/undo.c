// SPDX-License-Identifier: GPL-2.0
/*
 * undo: all kinds of records together.
 */
#include <stdbool.h>
#include <stddef.h>

#include <libmm/base.h>
#include <vmtests/journal.h>
#include <vmtests/undo.h>

#include "undo.h"

static const struct {
	const char *kind;
	int (*undo)(const char *target, const char *value);
} kinds[] = {
	{ UNDO_PROCESS, undo_process },
	{ UNDO_FILE, undo_file },
	{ UNDO_TREE, undo_tree },
	{ UNDO_MOUNT, undo_mount },
	{ UNDO_DM, undo_dm },
	{ UNDO_MODULE, undo_module },
	{ UNDO_CRYPTO, undo_crypto },
	{ UNDO_PCI_DRIVER, undo_pci_driver },
};

int undo_register(void)
{
	static bool registered;
	int ret = 0;

	if (registered)
		return 0;
	for (size_t i = 0; !ret && i < ARRAY_SIZE(kinds); i++)
		ret = journal_register(kinds[i].kind, kinds[i].undo);
	registered = !ret;
	return ret;
}

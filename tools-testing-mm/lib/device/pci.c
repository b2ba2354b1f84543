// SPDX-License-Identifier: GPL-2.0
/* pci: devices in sysfs. Source: Documentation/ABI/testing/sysfs-bus-pci. */
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <libmm/pci.h>
#include <libmm/sysfile.h>

#define NR_BARS		6
#define RESOURCE_MAX	4096

/* A name is one component of a path and nothing else. */
int pci_path(char *path, size_t size, const char *name, const char *file)
{
	int n;

	if (!*name || strchr(name, '/') || *name == '.')
		return -EINVAL;
	n = snprintf(path, size, "/sys/bus/pci/devices/%s/%s", name, file);
	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

int pci_bar_read(const char *name, unsigned int index, struct pci_bar *bar)
{
	char path[SYSFILE_PATH_MAX], text[RESOURCE_MAX], *line = text;
	uint64_t first, last;
	ssize_t len;
	int ret;

	if (index >= NR_BARS)
		return -EINVAL;
	ret = pci_path(path, sizeof(path), name, "resource");
	if (ret)
		return ret;
	len = __sysfile_read(path, text, sizeof(text));
	if (len < 0)
		return len;
	while (index-- && line) {
		line = strchr(line, '\n');
		line = line ? line + 1 : NULL;
	}
	if (!line || sscanf(line, "%" SCNx64 " %" SCNx64, &first, &last) != 2)
		return -EINVAL;
	bar->start = first;
	bar->size = last > first ? last - first + 1 : 0;
	return 0;
}

int pci_link(const char *name, const char *link, char *target, size_t size)
{
	char path[SYSFILE_PATH_MAX], full[SYSFILE_PATH_MAX], to[PATH_MAX] = "";
	int ret;

	ret = pci_path(path, sizeof(path), name, link);
	if (!ret)
		ret = __sysfile_path(full, sizeof(full), path);
	if (ret)
		return ret;
	if (readlink(full, to, sizeof(to) - 1) < 0 && errno != ENOENT)
		return -errno;
	return snprintf(target, size, "%s", *to ? basename(to) : "") < (int)size ?
	       0 : -ENAMETOOLONG;
}

int pci_memory_enable(int fd, off_t offset, bool enable)
{
	unsigned char command[2];

	offset += PCI_COMMAND;
	errno = EIO;	/* of a short read or write */
	if (pread(fd, command, sizeof(command), offset) != sizeof(command))
		return -errno;
	/* Configuration space is little endian. */
	command[0] = enable ? command[0] | PCI_COMMAND_MEMORY : command[0] & ~PCI_COMMAND_MEMORY;
	return pwrite(fd, command, sizeof(command), offset) == sizeof(command) ? 0 : -errno;
}

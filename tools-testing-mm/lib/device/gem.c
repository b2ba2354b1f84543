// SPDX-License-Identifier: GPL-2.0
/* gem: dumb buffers of vgem. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <libmm/gem.h>
#include <libmm/sysfile.h>

#define CARDS_MAX	64	/* minors of cards: drm_minor_alloc() */
#define WIDTH		1024	/* pixels of four bytes: any would do */

/* As in drm/drm_mode.h, which distributions leave out of the kernel's headers. */
struct create_dumb {
	uint32_t height, width, bpp, flags, handle, pitch;
	uint64_t size;
};

struct map_dumb {
	uint32_t handle, pad;
	uint64_t offset;
};

#define CREATE_DUMB	_IOWR('d', 0xb2, struct create_dumb)
#define MAP_DUMB	_IOWR('d', 0xb3, struct map_dumb)

/* Whether card @nr is vgem's: its device, on a bus that depends on the kernel, has that name. */
static bool card_is_vgem(unsigned int nr)
{
	char path[SYSFILE_PATH_MAX], name[64], target[PATH_MAX];
	ssize_t n;

	snprintf(name, sizeof(name), "/sys/class/drm/card%u/device", nr);
	if (__sysfile_path(path, sizeof(path), name))
		return false;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(basename(target), "vgem");
}

static struct probe card_open(int *fd)
{
	char path[SYSFILE_PATH_MAX], name[64];
	unsigned int nr = 0;

	while (nr < CARDS_MAX && !card_is_vgem(nr))
		nr++;
	if (nr == CARDS_MAX)
		return probe_no("no vgem: modprobe vgem");
	snprintf(name, sizeof(name), "/dev/dri/card%u", nr);
	*fd = __sysfile_path(path, sizeof(path), name) ? -1 : open(path, O_RDWR | O_CLOEXEC);
	return *fd < 0 ? probe_no("opening %s: %s", name, strerror(errno)) : probe_yes();
}

struct probe gem_open(struct gem *gem, uint64_t size)
{
	struct create_dumb create = {
		.width = WIDTH, .bpp = 32, .height = size / (4 * WIDTH),
	};
	struct map_dumb map = {};
	struct probe probe;

	*gem = (struct gem) { .fd = -1 };
	probe = card_open(&gem->fd);
	if (probe.answer != PROBE_YES)
		return probe;
	if (!ioctl(gem->fd, CREATE_DUMB, &create)) {
		map.handle = create.handle;
		if (!ioctl(gem->fd, MAP_DUMB, &map)) {
			gem->offset = map.offset;
			return probe_yes();
		}
	}
	probe = probe_no("vgem has no buffer of %" PRIu64 " bytes: %s", size, strerror(errno));
	gem_close(gem);
	return probe;
}

void gem_close(struct gem *gem)
{
	if (gem->fd >= 0)
		close(gem->fd);
	gem->fd = -1;
}

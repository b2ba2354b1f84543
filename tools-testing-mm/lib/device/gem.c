// SPDX-License-Identifier: GPL-2.0
/*
 * gem: dumb buffers of vgem.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <libmm/fail.h>
#include <libmm/gem.h>
#include <libmm/sysfile.h>

#define CARDS_MAX	64	/* minors of cards: drm_minor_alloc() */
#define WIDTH		1024	/* pixels of four bytes: any would do */

/* As in drm/drm_mode.h. */
struct create_dumb {
	uint32_t height;
	uint32_t width;
	uint32_t bpp;
	uint32_t flags;
	uint32_t handle;
	uint32_t pitch;
	uint64_t size;
};

struct map_dumb {
	uint32_t handle;
	uint32_t pad;
	uint64_t offset;
};

#define CREATE_DUMB	_IOWR('d', 0xb2, struct create_dumb)
#define MAP_DUMB	_IOWR('d', 0xb3, struct map_dumb)

/* Whether card @nr is vgem's: its device, on a bus that depends on the kernel, has that name. */
static int card_is_vgem(unsigned int nr)
{
	char path[SYSFILE_PATH_MAX], name[64], target[PATH_MAX];
	ssize_t n;

	snprintf(name, sizeof(name), "/sys/class/drm/card%u/device", nr);
	if (__sysfile_path(path, sizeof(path), name))
		return 0;
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return 0;
	target[n] = '\0';
	return !strcmp(basename(target), "vgem");
}

static int card_open(char *reason, size_t len)
{
	char path[SYSFILE_PATH_MAX], name[64];
	unsigned int nr = 0;
	int fd;

	while (nr < CARDS_MAX && !card_is_vgem(nr))
		nr++;
	if (nr == CARDS_MAX)
		return libmm_refuse(-ENODEV, reason, len, "no vgem: modprobe vgem");
	snprintf(name, sizeof(name), "/dev/dri/card%u", nr);
	if (__sysfile_path(path, sizeof(path), name))
		return libmm_refuse(-ENAMETOOLONG, reason, len, "%s has too long a path", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return libmm_refuse(-errno, reason, len, "opening %s: %s", name, strerror(errno));
	return fd;
}

int __gem_open(struct gem *gem, uint64_t size, char *reason, size_t len)
{
	struct create_dumb create = {
		.width = WIDTH, .bpp = 32, .height = size / (4 * WIDTH),
	};
	struct map_dumb map = {};
	int ret;

	*gem = (struct gem) { .fd = -1 };
	ret = card_open(reason, len);
	if (ret < 0)
		return ret;
	gem->fd = ret;
	ret = ioctl(gem->fd, CREATE_DUMB, &create) ? -errno : 0;
	map.handle = create.handle;
	if (!ret && ioctl(gem->fd, MAP_DUMB, &map))
		ret = -errno;
	if (!ret && create.size < size)
		ret = -EOVERFLOW;
	if (ret) {
		gem_close(gem);
		return libmm_refuse(ret, reason, len, "vgem has no buffer of %" PRIu64 " bytes: %s",
				    size, strerror(-ret));
	}
	gem->offset = map.offset;
	gem->size = create.size;
	return 0;
}

void gem_close(struct gem *gem)
{
	if (gem->fd >= 0)
		close(gem->fd);
	gem->fd = -1;
}

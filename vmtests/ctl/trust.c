// SPDX-License-Identifier: GPL-2.0
/*
 * trust: whether anybody else could make root write elsewhere than it was told.
 *
 * Whoever can write to a folder can put a symbolic link, or another folder, where root is about to
 * write. So every folder on the way, and the owner of every link in it, must be trusted: root,
 * whoever this process runs as, and the owner of this program, which root executes already. A
 * folder like /tmp, whose sticky bit keeps entries with their owners, may be on the way.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"

#define LINKS_MAX 40	/* as the kernel's own MAXSYMLINKS */

static bool owner_trusted(const struct stat *entry, const struct stat *program)
{
	return !entry->st_uid || entry->st_uid == geteuid() || entry->st_uid == program->st_uid;
}

/* A group that may replace this program is trusted with the rest too. */
static bool writable_by_others(const struct stat *dir, const struct stat *program)
{
	bool group_trusted = !dir->st_gid ||
			     (program->st_mode & 0020 && dir->st_gid == program->st_gid);

	return dir->st_mode & 0002 || (dir->st_mode & 0020 && !group_trusted);
}

/* May @entry (NULL: not there yet) of @dir be gone through? */
static bool step_trusted(const struct stat *dir, const struct stat *entry,
			 const struct stat *program)
{
	if (!owner_trusted(dir, program))
		return false;
	if (!writable_by_others(dir, program))
		return true;
	return dir->st_mode & S_ISVTX && (!entry || owner_trusted(entry, program));
}

/* "/a/b" -> "/a", "/a" and "/" -> "" */
static void parent_of(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/* Put what the link at @link says in front of @rest. */
static int link_follow(const char *link, char *rest)
{
	char target[PATH_MAX];
	ssize_t length = readlink(link, target, sizeof(target) - 1);
	int used;

	if (length < 0)
		return -errno;
	target[length] = '\0';
	used = snprintf(target + length, sizeof(target) - length, "/%s", rest);
	if (used < 0 || (size_t)used >= sizeof(target) - length)
		return -ENAMETOOLONG;
	strcpy(rest, target);
	return 0;
}

/* The first component of @rest, cut off it; NULL at its end. */
static char *component_next(char *rest, char name[NAME_MAX + 1])
{
	size_t length;

	rest += strspn(rest, "/");
	length = strcspn(rest, "/");
	if (!length || length > NAME_MAX)
		return NULL;
	memcpy(name, rest, length);
	name[length] = '\0';
	return rest + length;
}

static int path_absolute(const char *path, char *to)
{
	char cwd[PATH_MAX] = "";

	if (*path != '/' && !getcwd(cwd, sizeof(cwd)))
		return -errno;
	return ctl_path(to, cwd, path);
}

/* Where a walk has come to: @done, whose folder is @dir, and what is left. */
struct walk {
	char done[PATH_MAX], rest[PATH_MAX];
	struct stat dir, program;
	int links;
};

/* After a change of @done. */
static int walk_look(struct walk *w)
{
	return stat(*w->done ? w->done : "/", &w->dir) ? -errno : 0;
}

static int walk_link(struct walk *w, const char *link)
{
	int err = ++w->links > LINKS_MAX ? -ELOOP : link_follow(link, w->rest);

	if (err)
		return err;
	if (*w->rest == '/')
		w->done[0] = '\0';
	return walk_look(w);
}

/* Go on to @next, which is @name in w->dir. Returns 1 when it may not be, -ENOENT for none. */
static int walk_step(struct walk *w, const char *name, char *next)
{
	struct stat entry;
	bool there;

	if (!strcmp(name, "."))
		return 0;
	if (!strcmp(name, "..")) {
		parent_of(w->done);
		return walk_look(w);
	}
	if (ctl_path(next, w->done, name))
		return -ENAMETOOLONG;
	there = !lstat(next, &entry);
	if (!there && errno != ENOENT)
		return -errno;
	if (!step_trusted(&w->dir, there ? &entry : NULL, &w->program)) {
		if (!(w->dir.st_mode & S_ISVTX))
			parent_of(next);
		return 1;
	}
	if (!there)
		return -ENOENT;
	if (S_ISLNK(entry.st_mode))
		return walk_link(w, next);
	strcpy(w->done, next);
	return walk_look(w);
}

int path_untrusted(const char *path, char *culprit)
{
	char name[NAME_MAX + 1], *after;
	struct walk w = { .links = 0 };
	int ret;

	if (geteuid())
		return 0;
	ret = path_absolute(path, w.rest);
	if (!ret && stat("/proc/self/exe", &w.program))
		ret = -errno;
	if (!ret)
		ret = walk_look(&w);
	while (!ret && (after = component_next(w.rest, name))) {
		memmove(w.rest, after, strlen(after) + 1);
		ret = walk_step(&w, name, culprit);
	}
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	strcpy(culprit, *w.done ? w.done : "/");
	return !owner_trusted(&w.dir, &w.program) || writable_by_others(&w.dir, &w.program);
}

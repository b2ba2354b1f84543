// SPDX-License-Identifier: GPL-2.0
/*
 * fingerprint_kernel: which kernel this is, and its configuration.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmm/kconfig.h>
#include <libmm/sysfile.h>

#include "fingerprint_parts.h"

/* Distributions' configurations have some 300 kB. */
#define CONFIG_MAX (4 << 20)
/* Notes are padded to 4 bytes: Elf64_Nhdr in elf(5). */
#define NOTE_ALIGN 4
#define NOTE_GNU_BUILD_ID 3
#define BUILD_ID_MAX 64

struct note {
	uint32_t name_size;
	uint32_t desc_size;
	uint32_t type;
};

static int file_open(const char *path)
{
	char full[SYSFILE_PATH_MAX];
	int fd, err;

	err = __sysfile_path(full, sizeof(full), path);
	if (err)
		return err;
	fd = open(full, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static ssize_t file_read_binary(const char *path, unsigned char *buf, size_t size)
{
	int fd = file_open(path);
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read(fd, buf, size);
	if (len < 0)
		len = -errno;
	close(fd);
	return len;
}

static size_t note_align(size_t size)
{
	return (size + NOTE_ALIGN - 1) & ~(size_t)(NOTE_ALIGN - 1);
}

static json_t *hex_string(const unsigned char *bytes, size_t len)
{
	char hex[2 * BUILD_ID_MAX + 1];

	if (!len || len > BUILD_ID_MAX)
		return json_null();
	for (size_t i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return json_string(hex);
}

static json_t *build_id_find(const unsigned char *notes, size_t size)
{
	size_t at = 0;

	while (size - at >= sizeof(struct note)) {
		const unsigned char *name = notes + at + sizeof(struct note);
		size_t left = size - at - sizeof(struct note);
		struct note note;

		memcpy(&note, notes + at, sizeof(note));
		if (note.name_size > left || note_align(note.name_size) > left ||
		    note.desc_size > left - note_align(note.name_size))
			break;
		if (note.type == NOTE_GNU_BUILD_ID && note.name_size == sizeof("GNU") &&
		    !memcmp(name, "GNU", sizeof("GNU")))
			return hex_string(name + note_align(note.name_size), note.desc_size);
		left -= note_align(note.name_size);
		if (note_align(note.desc_size) > left)
			break;
		at = size - left + note_align(note.desc_size);
	}
	return json_null();
}

static json_t *build_id(void)
{
	unsigned char notes[FP_TEXT_MAX];
	ssize_t len = file_read_binary("/sys/kernel/notes", notes, sizeof(notes));

	return len < 0 ? json_null() : build_id_find(notes, len);
}

/* The whole configuration in *@text (to be freed). */
static int config_read(char **text)
{
	FILE *file = kconfig_open();
	size_t len;

	if (!file)
		return -ENOENT;
	*text = malloc(CONFIG_MAX);
	if (!*text) {
		fclose(file);
		return -ENOMEM;
	}
	len = fread(*text, 1, CONFIG_MAX - 1, file);
	(*text)[len] = '\0';
	fclose(file);
	return 0;
}

static int text_sha256(const char *text, char *hex)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	size_t len = strlen(text);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET))
		err = -EIO;
	if (!err)
		err = fp_sha256_fd(fd, hex);
	close(fd);
	return err;
}

static int config_add(json_t *kernel)
{
	char *text, hex[65];
	int err;

	if (config_read(&text))
		return json_object_set_new(kernel, "config", json_null()) ||
			json_object_set_new(kernel, "config_sha256", json_null());
	err = json_object_set_new(kernel, "config_sha256",
				  text_sha256(text, hex) ? json_null() : json_string(hex)) ||
		json_object_set_new(kernel, "config", fp_text(text));
	free(text);
	return err;
}

json_t *fp_kernel(void)
{
	json_t *kernel = json_pack("{s:o, s:o, s:o, s:o, s:o}",
				   "release", fp_file_text("/proc/sys/kernel/osrelease"),
				   "version", fp_file_text("/proc/sys/kernel/version"),
				   "build_id", build_id(),
				   "cmdline", fp_file_text("/proc/cmdline"),
				   "tainted", fp_file_number("/proc/sys/kernel/tainted"));

	if (kernel && config_add(kernel)) {
		json_decref(kernel);
		return NULL;
	}
	return kernel;
}

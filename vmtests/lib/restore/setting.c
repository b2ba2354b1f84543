// SPDX-License-Identifier: GPL-2.0
/* setting: files of the kernel that hold one value. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/sysfile.h>

#include <vmtests/setting.h>

/* Blanks and newlines as one space, and then the chosen word of "a [b] c". */
static size_t value_normalize(char *s)
{
	char *from, *to, *end;

	for (from = to = s; *from; from++) {
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to > s && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';

	from = *s == '[' ? s : strstr(s, " [");
	end = from ? strchr(from, ']') : NULL;
	if (!end || (end[1] && end[1] != ' '))
		return to - s;
	*end = '\0';
	from += from == s ? 1 : 2;
	memmove(s, from, end + 1 - from);
	return end - from;
}

ssize_t __setting_get(const char *path, char *buf, size_t size)
{
	char text[4096];
	ssize_t len;

	len = __sysfile_read(path, text, sizeof(text));
	if (len < 0)
		return len;
	len = value_normalize(text);
	if ((size_t)len >= size)
		return -EOVERFLOW;
	memcpy(buf, text, len + 1);
	return len;
}

/* Base 0, as most of the kernel reads numbers. */
bool setting_equal(const char *a, const char *b)
{
	char *end_a, *end_b;
	unsigned long long x = strtoull(a, &end_a, 0), y = strtoull(b, &end_b, 0);

	if (!strcmp(a, b))
		return true;
	return isdigit((unsigned char)*a) && isdigit((unsigned char)*b) && !*end_a && !*end_b &&
	       x == y;
}

static bool value_is(const char *now, const char *value)
{
	char wanted[SETTING_VALUE_MAX];

	if (strlen(value) >= sizeof(wanted))
		return false;
	strcpy(wanted, value);
	value_normalize(wanted);
	return setting_equal(wanted, now);
}

bool setting_is(const char *path, const char *value)
{
	char now[SETTING_VALUE_MAX];

	return __setting_get(path, now, sizeof(now)) >= 0 && value_is(now, value);
}

int __setting_write(const char *path, const char *value, char *got)
{
	ssize_t len;
	int err;

	if (strlen(value) >= SETTING_VALUE_MAX)
		return -EOVERFLOW;
	err = __sysfile_write(path, value);
	if (err)
		return err;
	len = __setting_get(path, got, SETTING_VALUE_MAX);
	if (len < 0)
		return len;
	return value_is(got, value) ? 0 : -EBADE;
}

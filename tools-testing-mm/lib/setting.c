// SPDX-License-Identifier: GPL-2.0
/*
 * setting: files of the kernel that hold one value.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libmm/setting.h>
#include <libmm/sysfile.h>

/* The chosen word of "a [b] c"; blanks and newlines as one space. */
static size_t value_normalize(char *s)
{
	char *open = s, *close, *from, *to;

	while ((open = strchr(open, '['))) {
		close = strchr(open, ']');
		if (close && (open == s || isspace((unsigned char)open[-1])) &&
		    (!close[1] || isspace((unsigned char)close[1]))) {
			memmove(s, open + 1, close - open - 1);
			s[close - open - 1] = '\0';
			break;
		}
		open++;
	}

	for (from = to = s; *from; from++) {
		if (!isspace((unsigned char)*from))
			*to++ = *from;
		else if (to > s && to[-1] != ' ')
			*to++ = ' ';
	}
	*to = '\0';
	return to - s;
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

static bool value_number(const char *s, unsigned long long *number)
{
	char *end;

	if (!isdigit((unsigned char)*s))
		return false;
	errno = 0;
	*number = strtoull(s, &end, s[0] == '0' && (s[1] | 0x20) == 'x' ? 16 : 10);
	return !errno && !*end;
}

bool setting_equal(const char *a, const char *b)
{
	unsigned long long x, y;

	return !strcmp(a, b) || (value_number(a, &x) && value_number(b, &y) && x == y);
}

/* @value as it would be read back; false when it is too long for SETTING_VALUE_MAX. */
static bool value_wanted(char *wanted, const char *value)
{
	size_t size = strlen(value) + 1;

	if (size > SETTING_VALUE_MAX)
		return false;
	memcpy(wanted, value, size);
	value_normalize(wanted);
	return true;
}

bool setting_is(const char *path, const char *value)
{
	char wanted[SETTING_VALUE_MAX], now[SETTING_VALUE_MAX];

	return value_wanted(wanted, value) && __setting_get(path, now, sizeof(now)) >= 0 &&
	       setting_equal(wanted, now);
}

int __setting_write(const char *path, const char *value, char *got)
{
	char wanted[SETTING_VALUE_MAX];
	ssize_t len;
	int ret;

	if (!value_wanted(wanted, value))
		return -EOVERFLOW;
	ret = __sysfile_write(path, value);
	if (ret)
		return ret;
	len = __setting_get(path, got, SETTING_VALUE_MAX);
	if (len < 0)
		return len;
	return setting_equal(wanted, got) ? 0 : -EBADE;
}

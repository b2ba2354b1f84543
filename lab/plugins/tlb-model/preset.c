// SPDX-License-Identifier: GPL-2.0
/*
 * Presets: text files that describe a TLB. docs/tlb-model.md has the format.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tlb.h"

#define LINE_MAX_BYTES	512
#define WORDS_MAX	32
#define ENTRIES_MAX	65536
#define COALESCE_MAX	4	/* log2: sixteen pages; more than any hardware's */

struct line {
	const char *path;
	unsigned int nr;
	unsigned int nr_words;
	char *word[WORDS_MAX];
	char *reason;
	size_t reason_len;
};

struct keyword {
	const char *name;
	unsigned int least_words;
	int (*parse)(struct tlb_config *config, struct line *line);
};

__attribute__((format(printf, 2, 3)))
static int line_refuse(struct line *line, const char *fmt, ...)
{
	int used = snprintf(line->reason, line->reason_len, "%s:%u: ", line->path, line->nr);
	va_list args;

	va_start(args, fmt);
	if (used >= 0 && (size_t)used < line->reason_len)
		vsnprintf(line->reason + used, line->reason_len - (size_t)used, fmt, args);
	va_end(args);
	return -EINVAL;
}

static int number_parse(struct line *line, const char *text, unsigned long least,
			unsigned long most, unsigned int *number)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)*text) || *end || errno || value < least || value > most)
		return line_refuse(line, "\"%s\": a number from %lu to %lu is needed", text, least,
				   most);
	*number = (unsigned int)value;
	return 0;
}

/* "4K", "2M", "1G": a power of two. */
static int size_parse(struct line *line, const char *text, uint64_t *sizes)
{
	static const char units[] = "KMG";
	unsigned long value;
	const char *unit;
	char *end;

	value = strtoul(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (!isdigit((unsigned char)*text) || !unit || end[1] || !value || value > 1024 ||
	    (value & (value - 1)))
		return line_refuse(line, "\"%s\" is no page size such as 4K, 2M or 1G", text);
	*sizes |= (uint64_t)value << (10 * (unit - units + 1));
	return 0;
}

static int kinds_parse(struct line *line, const char *text, bool *kinds)
{
	kinds[TLB_DATA] = !strcmp(text, "data") || !strcmp(text, "both");
	kinds[TLB_FETCH] = !strcmp(text, "fetch") || !strcmp(text, "both");
	if (!kinds[TLB_DATA] && !kinds[TLB_FETCH])
		return line_refuse(line, "\"%s\" is not data, fetch or both", text);
	return 0;
}

/* The entries and ways in words @first and @first + 1. */
static int geometry_parse(struct line *line, unsigned int first, struct tlb_array_config *array)
{
	int ret = number_parse(line, line->word[first], 1, ENTRIES_MAX, &array->entries);

	if (ret)
		return ret;
	if (!strcmp(line->word[first + 1], "full")) {
		array->ways = array->entries;
		return 0;
	}
	ret = number_parse(line, line->word[first + 1], 1, ENTRIES_MAX, &array->ways);
	if (!ret && array->entries % array->ways)
		return line_refuse(line, "%u entries do not divide into %u ways", array->entries,
				   array->ways);
	return ret;
}

static int array_new(struct tlb_config *config, struct line *line, struct tlb_array_config **array)
{
	if (config->nr_arrays == TLB_ARRAYS)
		return line_refuse(line, "more than %d arrays", TLB_ARRAYS);
	*array = &config->array[config->nr_arrays++];
	return 0;
}

/* l1|l2 KIND ENTRIES WAYS SIZE... */
static int tlb_parse(struct tlb_config *config, struct line *line)
{
	struct tlb_array_config *array = NULL;
	unsigned int i;
	int ret = array_new(config, line, &array);

	if (ret)
		return ret;
	array->role = strcmp(line->word[0], "l1") ? TLB_L2 : TLB_L1;
	ret = kinds_parse(line, line->word[1], array->kinds);
	if (!ret)
		ret = geometry_parse(line, 2, array);
	for (i = 4; i < line->nr_words && !ret; i++)
		ret = size_parse(line, line->word[i], &array->sizes);
	return ret;
}

/* walk-cache ENTRIES WAYS LEVEL... */
static int walk_cache_parse(struct tlb_config *config, struct line *line)
{
	struct tlb_array_config *array = NULL;
	unsigned int i, level = 0;
	int ret = array_new(config, line, &array);

	if (ret)
		return ret;
	array->role = TLB_WALK_CACHE;
	ret = geometry_parse(line, 1, array);
	for (i = 3; i < line->nr_words && !ret; i++) {
		ret = number_parse(line, line->word[i], 1, TLB_LEVELS - 1, &level);
		array->levels |= 1u << level;
	}
	return ret;
}

static int name_parse(struct tlb_config *config, struct line *line)
{
	if (strlen(line->word[1]) >= sizeof(config->name))
		return line_refuse(line, "the name is longer than %zu characters",
				   sizeof(config->name) - 1);
	strcpy(config->name, line->word[1]);
	return 0;
}

static int replacement_parse(struct tlb_config *config, struct line *line)
{
	static const char *const names[] = {
		[TLB_LRU] = "lru", [TLB_FIFO] = "fifo", [TLB_RANDOM] = "random",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(line->word[1], names[i]))
			continue;
		config->replacement = (enum tlb_replacement)i;
		return 0;
	}
	return line_refuse(line, "\"%s\" is not lru, fifo or random", line->word[1]);
}

static int contiguous_parse(struct tlb_config *config, struct line *line)
{
	config->contiguous = !strcmp(line->word[1], "yes");
	if (!config->contiguous && strcmp(line->word[1], "no"))
		return line_refuse(line, "\"%s\" is not yes or no", line->word[1]);
	return 0;
}

static int coalesce_parse(struct tlb_config *config, struct line *line)
{
	return number_parse(line, line->word[1], 0, COALESCE_MAX, &config->coalesce);
}

static const struct keyword keywords[] = {
	{ "name", 2, name_parse },
	{ "replacement", 2, replacement_parse },
	{ "contiguous", 2, contiguous_parse },
	{ "coalesce", 2, coalesce_parse },
	{ "l1", 5, tlb_parse },
	{ "l2", 5, tlb_parse },
	{ "walk-cache", 4, walk_cache_parse },
};

static int line_split(struct line *line, char *text)
{
	char *word, *rest = text;

	text[strcspn(text, "#\n")] = '\0';
	line->nr_words = 0;
	while ((word = strtok_r(rest, " \t", &rest))) {
		if (line->nr_words == WORDS_MAX)
			return line_refuse(line, "more than %d words", WORDS_MAX);
		line->word[line->nr_words++] = word;
	}
	return 0;
}

static int line_parse(struct tlb_config *config, struct line *line)
{
	size_t i;

	if (!line->nr_words)
		return 0;
	for (i = 0; i < sizeof(keywords) / sizeof(*keywords); i++) {
		if (strcmp(line->word[0], keywords[i].name))
			continue;
		if (line->nr_words < keywords[i].least_words)
			return line_refuse(line, "\"%s\" wants %u values or more",
					   line->word[0], keywords[i].least_words - 1);
		return keywords[i].parse(config, line);
	}
	return line_refuse(line, "unknown word \"%s\"", line->word[0]);
}

/* Data must have a first level; without a second, every miss of the first is a walk. */
static int config_check(const struct tlb_config *config, struct line *line)
{
	unsigned int i;

	if (!*config->name)
		return line_refuse(line, "no name");
	for (i = 0; i < config->nr_arrays; i++)
		if (config->array[i].role == TLB_L1 && config->array[i].kinds[TLB_DATA])
			return 0;
	return line_refuse(line, "no l1 for data");
}

static int file_parse(struct tlb_config *config, FILE *file, struct line *line)
{
	char text[LINE_MAX_BYTES];
	int ret = 0;

	while (!ret && fgets(text, sizeof(text), file)) {
		line->nr++;
		if (!strchr(text, '\n') && !feof(file))
			return line_refuse(line, "longer than %zu characters", sizeof(text) - 2);
		ret = line_split(line, text);
		if (!ret)
			ret = line_parse(config, line);
	}
	if (!ret && ferror(file)) {
		line_refuse(line, "cannot read on");
		return -EIO;
	}
	return ret ? ret : config_check(config, line);
}

int __tlb_config_read(struct tlb_config *config, const char *path, char *reason, size_t len)
{
	struct line line = { .path = path, .reason = reason, .reason_len = len };
	FILE *file = fopen(path, "re");
	int ret;

	memset(config, 0, sizeof(*config));
	if (!file) {
		ret = -errno;
		snprintf(reason, len, "cannot open the preset %s: %s", path, strerror(-ret));
		return ret;
	}
	ret = file_parse(config, file, &line);
	fclose(file);
	return ret;
}

int __tlb_config_resize(struct tlb_config *config, unsigned int entries)
{
	unsigned int i, resized = 0;

	if (!entries || entries > ENTRIES_MAX)
		return -EINVAL;
	for (i = 0; i < config->nr_arrays; i++) {
		struct tlb_array_config *array = &config->array[i];

		if (array->role != TLB_L2)
			continue;
		if (array->ways == array->entries)
			array->ways = entries;
		if (entries % array->ways)
			return -EINVAL;
		array->entries = entries;
		resized++;
	}
	return resized ? 0 : -EINVAL;
}

void tlb_config_drop_l1(struct tlb_config *config)
{
	unsigned int i, kept = 0;

	for (i = 0; i < config->nr_arrays; i++)
		if (config->array[i].role != TLB_L1)
			config->array[kept++] = config->array[i];
	config->nr_arrays = kept;
}

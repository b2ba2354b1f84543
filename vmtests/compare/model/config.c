// SPDX-License-Identifier: GPL-2.0
/* The options in which two .config texts differ. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/grammar.h>

#include "model/config.h"
#include "util.h"

/*
 * Prefixes of the options that a reader wants to see first: those that decide how the kernel maps
 * its memory and which checks it makes, and those that say what built it.
 */
static const char *const telling[] = {
	"ARCH_HAS_LAZY_MMU", "ARCH_SUPPORTS_HUGE_PFNMAP", "ARM64_16K_PAGES", "ARM64_4K_PAGES",
	"ARM64_64K_PAGES", "ARM64_CONTPTE", "ARM64_PA_BITS", "ARM64_VA_BITS", "BPF_JIT", "CC_OPTIMIZE",
	"CC_VERSION_TEXT", "CFI", "CPA_DEBUG", "DEBUG_LIST", "DEBUG_PAGEALLOC", "DEBUG_VIRTUAL",
	"DEBUG_VM", "EXECMEM", "HUGETLB_PAGE", "INIT_ON_", "KASAN", "KCSAN", "KFENCE", "KMSAN",
	"LOCKDEP", "LRU_GEN", "LTO", "MITIGATION_PAGE_TABLE_ISOLATION", "NUMA", "PAGE_OWNER",
	"PAGE_POISONING", "PAGE_TABLE_CHECK", "PREEMPT", "PROVE_LOCKING", "PTDUMP", "RODATA_FULL",
	"SECRETMEM", "SLUB_DEBUG", "SPARSEMEM", "STRICT_KERNEL_RWX", "STRICT_MODULE_RWX",
	"TRANSPARENT_HUGEPAGE", "UNMAP_KERNEL_AT_EL0", "X86_DIRECT_GBPAGES",
};

struct option {
	char *name, *value;
};

struct config {
	struct option *v;
	size_t n, cap;
};

static void config_free(struct config *config)
{
	for (size_t i = 0; i < config->n; i++) {
		free(config->v[i].name);
		free(config->v[i].value);
	}
	free(config->v);
}

/* "CONFIG_X=value". "# CONFIG_X is not set" means the same as no line. */
static void config_line(struct config *config, const char *line, size_t len)
{
	static const char prefix[] = "CONFIG_";
	size_t skip = sizeof(prefix) - 1;
	char *text, *equals;

	if (len <= skip || strncmp(line, prefix, skip))
		return;
	text = xcalloc(len - skip + 1, 1);
	memcpy(text, line + skip, len - skip);
	equals = strchr(text, '=');
	if (equals) {
		*equals = '\0';
		if (name_valid(text) && strcmp(equals + 1, "n")) {
			array_grow(config->v, config->n, config->cap);
			config->v[config->n++] = (struct option){ xstrdup(text),
								  text_clean(equals + 1) };
		}
	}
	free(text);
}

static int option_cmp(const void *a, const void *b)
{
	const struct option *l = a, *r = b;

	return strcmp(l->name, r->name);
}

static int config_parse(struct config *config, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (config->n >= CONFIG_OPTIONS_MAX)
			return -EFBIG;
		config_line(config, text, len);
		text += len + (text[len] == '\n');
	}
	if (config->n)
		qsort(config->v, config->n, sizeof(*config->v), option_cmp);
	return 0;
}

static bool option_telling(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(telling); i++)
		if (!strncmp(name, telling[i], strlen(telling[i])))
			return true;
	return false;
}

/* Call differs() for the options that differ and are telling, or for those that are not. */
static long config_walk(const struct config *a, const struct config *b, bool tell,
			void (*differs)(void *arg, const char *name, const char *base,
					const char *new),
			void *arg)
{
	long n = 0;

	for (size_t i = 0, j = 0; i < a->n || j < b->n;) {
		int c = i == a->n ? 1 : j == b->n ? -1 : strcmp(a->v[i].name, b->v[j].name);
		const struct option *any = c <= 0 ? &a->v[i] : &b->v[j];
		const char *left = c <= 0 ? a->v[i].value : "n";
		const char *right = c >= 0 ? b->v[j].value : "n";

		if (strcmp(left, right) && option_telling(any->name) == tell) {
			differs(arg, any->name, left, right);
			n++;
		}
		i += c <= 0;
		j += c >= 0;
	}
	return n;
}

long config_compare(const char *base, const char *new,
		    void (*differs)(void *arg, const char *name, const char *base, const char *new),
		    void *arg)
{
	struct config a = { 0 }, b = { 0 };
	long n = -EFBIG;

	if (!config_parse(&a, base) && !config_parse(&b, new))
		n = config_walk(&a, &b, true, differs, arg) +
		    config_walk(&a, &b, false, differs, arg);
	config_free(&a);
	config_free(&b);
	return n;
}

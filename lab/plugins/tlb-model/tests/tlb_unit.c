// SPDX-License-Identifier: GPL-2.0
/*
 * The TLB model against closed forms, on page tables that are only a rule.
 *
 * The forms, for LRU and an endless walk over k pages in turn: up to as many pages as there are
 * entries all but the first round hits; one more and nothing ever hits, in a fully associative
 * array and in every set of a set-associative one that holds more pages than ways. A set of w ways
 * that is walked over by m > w pages misses m times a round, one with m <= w pages never.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

#include "tlb.h"

#define SHIFT_4K	12
#define SHIFT_64K	16
#define SHIFT_2M	21
#define SHIFT_1G	30
#define BIT64(n)	(UINT64_C(1) << (n))
#define BASE		UINT64_C(0xffff000000000000)
#define ROUNDS		5
#define LEVEL_1G	2
#define SQUARES		20000u
#define SQUARES_PAGES	3001u	/* a prime */

/* Every address is translated by a leaf of @level that is part of a group of 2^@span bytes. */
struct rule {
	unsigned int level;
	unsigned int span;
	uint64_t desc;
	uint64_t hole;		/* an address that nothing translates; 0: none */
	unsigned long asked;
};

struct counts {
	unsigned long l1, l2, walks, reads, none;
};

static bool rule_translate(void *arg, unsigned int space, uint64_t va, struct tlb_translation *t)
{
	struct rule *rule = arg;
	unsigned int level;

	(void)space;
	rule->asked++;
	if (rule->hole && va >> rule->span == rule->hole >> rule->span)
		return false;
	*t = (struct tlb_translation) {
		/* Each descriptor of a group is another. */
		.desc = rule->desc + (va >> (SHIFT_4K + 9 * rule->level)), .span = rule->span,
		.leaf = rule->level, .root = TLB_LEVELS - 1,
	};
	for (level = rule->level + 1; level < TLB_LEVELS; level++)
		t->table[level] = 1 + (va >> (SHIFT_4K + 9 * level));
	return true;
}

static void access_count(struct tlb *tlb, uint64_t va, struct counts *counts)
{
	struct tlb_walk walk;

	switch (tlb_access(tlb, TLB_DATA, TLB_SPACE_GLOBAL, va, &walk)) {
	case TLB_HIT_L1:
		counts->l1++;
		break;
	case TLB_HIT_L2:
		counts->l2++;
		break;
	case TLB_WALK:
		counts->walks++;
		counts->reads += tlb_walk_reads(&walk);
		break;
	case TLB_NO_TRANSLATION:
		counts->none++;
		break;
	}
}

/* @pages addresses that are 2^@shift apart, in turn, @rounds times. */
static struct counts pages_walk(struct tlb *tlb, unsigned int pages, unsigned int shift,
				unsigned int rounds)
{
	struct counts counts = { 0 };
	unsigned int round, page;

	for (round = 0; round < rounds; round++)
		for (page = 0; page < pages; page++)
			access_count(tlb, BASE + ((uint64_t)page << shift), &counts);
	return counts;
}

/* The nth address of a walk that comes back to some pages soon, to some late and to some never. */
static uint64_t squares_address(unsigned int n, unsigned int shift)
{
	return BASE + ((uint64_t)n * n % SQUARES_PAGES << shift);
}

/* Returns how often @tlb walks. @second, if any, is told what misses the first level of @tlb. */
static unsigned long squares_walk(struct tlb *tlb, struct tlb *second, unsigned int shift,
				  unsigned long *second_walks)
{
	unsigned long walks = 0;
	struct tlb_walk walk;
	unsigned int n;

	*second_walks = 0;
	for (n = 0; n < SQUARES; n++) {
		uint64_t va = squares_address(n, shift);
		enum tlb_result result = tlb_access(tlb, TLB_DATA, TLB_SPACE_GLOBAL, va, &walk);

		walks += result == TLB_WALK;
		if (second && result != TLB_HIT_L1)
			*second_walks += tlb_access(second, TLB_DATA, TLB_SPACE_GLOBAL, va,
						    &walk) == TLB_WALK;
	}
	return walks;
}

static struct tlb_array_config array_config(enum tlb_role role, unsigned int entries,
					    unsigned int ways, uint64_t sizes)
{
	return (struct tlb_array_config) {
		.role = role, .kinds = { true, true }, .entries = entries, .ways = ways,
		.sizes = sizes,
	};
}

#define ALL_SIZES (BIT64(SHIFT_4K) | BIT64(SHIFT_64K) | BIT64(SHIFT_2M) | BIT64(SHIFT_1G))

FIXTURE(tlb)
{
	struct tlb_config config;
	struct rule rule;
	struct tlb *tlb;
};

FIXTURE_SETUP(tlb)
{
	self->config = (struct tlb_config) { .name = "test", .nr_arrays = 1 };
	self->config.array[0] = array_config(TLB_L1, 48, 48, ALL_SIZES);
	self->rule = (struct rule) { .level = 0, .span = SHIFT_4K, .desc = 1 };
	self->tlb = NULL;
}

FIXTURE_TEARDOWN(tlb)
{
	tlb_free(self->tlb);
}

#define START(self)								\
	do {									\
		tlb_free((self)->tlb);						\
		(self)->tlb = tlb_new(&(self)->config, SHIFT_4K, rule_translate,	\
				      &(self)->rule);				\
		ASSERT_NE(NULL, (self)->tlb);					\
	} while (0)

FIXTURE_VARIANT(tlb)
{
	unsigned int level, span;
};

FIXTURE_VARIANT_ADD(tlb, pages_4k)
{
	.level = 0, .span = SHIFT_4K,
};

FIXTURE_VARIANT_ADD(tlb, contiguous_64k)
{
	.level = 0, .span = SHIFT_64K,
};

FIXTURE_VARIANT_ADD(tlb, blocks_2m)
{
	.level = 1, .span = SHIFT_2M,
};

TEST_F(tlb, fully_associative)
{
	struct counts counts;

	self->rule.level = variant->level;
	self->rule.span = variant->span;
	START(self);
	counts = pages_walk(self->tlb, 48, variant->span, ROUNDS);
	ASSERT_EQ(48, counts.walks);
	ASSERT_EQ(48 * (ROUNDS - 1), counts.l1);

	START(self);
	counts = pages_walk(self->tlb, 49, variant->span, ROUNDS);
	ASSERT_EQ(49 * ROUNDS, counts.walks);
	ASSERT_EQ(49 * ROUNDS * (TLB_LEVELS - variant->level), counts.reads);
}

/* 64 sets of 4: 256 pages fit; the 257th makes five in one set, and that set alone misses. */
TEST_F(tlb, set_associative)
{
	struct counts counts;

	self->rule.level = variant->level;
	self->rule.span = variant->span;
	self->config.array[0] = array_config(TLB_L1, 256, 4, ALL_SIZES);
	START(self);
	counts = pages_walk(self->tlb, 256, variant->span, ROUNDS);
	ASSERT_EQ(256, counts.walks);

	START(self);
	counts = pages_walk(self->tlb, 257, variant->span, ROUNDS);
	ASSERT_EQ(257 + 5 * (ROUNDS - 1), counts.walks);
	ASSERT_EQ((257 - 5) * (ROUNDS - 1), counts.l1);
}

/* A stride of one page for each set puts all pages into the same set. */
TEST_F(tlb, one_set)
{
	struct counts counts;

	self->rule.level = variant->level;
	self->rule.span = variant->span;
	self->config.array[0] = array_config(TLB_L1, 256, 4, ALL_SIZES);
	START(self);
	counts = pages_walk(self->tlb, 4, variant->span + 6, ROUNDS);
	ASSERT_EQ(4, counts.walks);
	START(self);
	counts = pages_walk(self->tlb, 5, variant->span + 6, ROUNDS);
	ASSERT_EQ(5 * ROUNDS, counts.walks);
}

/* Within one entry nothing but the first access misses, whatever its size. */
TEST_F(tlb, within_an_entry)
{
	struct counts counts;

	self->rule.level = variant->level;
	self->rule.span = variant->span;
	START(self);
	counts = pages_walk(self->tlb, 1u << (variant->span - SHIFT_4K), SHIFT_4K, ROUNDS);
	ASSERT_EQ(1, counts.walks);
}

/* An array that has no room for the size keeps parts of the largest size that it has. */
TEST_F(tlb, fractured)
{
	struct counts counts;

	self->rule.level = variant->level;
	self->rule.span = variant->span;
	self->config.array[0] = array_config(TLB_L1, 4096, 4096, BIT64(SHIFT_4K));
	START(self);
	counts = pages_walk(self->tlb, 1u << (variant->span - SHIFT_4K), SHIFT_4K, ROUNDS);
	ASSERT_EQ(1u << (variant->span - SHIFT_4K), counts.walks);
}

/* Between the reach of both, each access misses the first level and hits the second. */
TEST_F(tlb, second_level)
{
	struct counts counts;

	self->rule.level = variant->level;
	self->rule.span = variant->span;
	self->config.nr_arrays = 2;
	self->config.array[1] = array_config(TLB_L2, 1024, 8, ALL_SIZES);
	START(self);
	counts = pages_walk(self->tlb, 1024, variant->span, ROUNDS);
	ASSERT_EQ(1024, counts.walks);
	ASSERT_EQ(1024 * (ROUNDS - 1), counts.l2);
	ASSERT_EQ(0, counts.l1);
}

/* A second level that is told only what a first one missed walks as often as within one TLB. */
TEST_F(tlb, second_level_alone)
{
	unsigned long whole, other, alone, none;
	struct tlb_config resized;
	struct tlb *second;

	self->rule.level = variant->level;
	self->rule.span = variant->span;
	self->config.nr_arrays = 2;
	self->config.array[1] = array_config(TLB_L2, 256, 8, ALL_SIZES);
	START(self);
	whole = squares_walk(self->tlb, NULL, variant->span, &none);

	resized = self->config;
	tlb_config_drop_l1(&resized);
	ASSERT_EQ(1, resized.nr_arrays);
	second = tlb_new(&resized, SHIFT_4K, rule_translate, &self->rule);
	ASSERT_NE(NULL, second);
	ASSERT_EQ(0, __tlb_config_resize(&self->config, 1024));
	START(self);
	other = squares_walk(self->tlb, second, variant->span, &alone);
	tlb_free(second);
	ASSERT_EQ(whole, alone);
	ASSERT_LT(other, whole);
}

TEST(resize)
{
	struct tlb_config config = { .name = "test", .nr_arrays = 1 };

	config.array[0] = array_config(TLB_L1, 48, 48, ALL_SIZES);
	ASSERT_EQ(-EINVAL, __tlb_config_resize(&config, 512));
	config.nr_arrays = 2;
	config.array[1] = array_config(TLB_L2, 512, 8, ALL_SIZES);
	ASSERT_EQ(-EINVAL, __tlb_config_resize(&config, 0));
	ASSERT_EQ(-EINVAL, __tlb_config_resize(&config, 12));
	ASSERT_EQ(0, __tlb_config_resize(&config, 64));
	ASSERT_EQ(64, config.array[1].entries);
	ASSERT_EQ(8, config.array[1].ways);
	ASSERT_EQ(48, config.array[0].entries);
	config.array[1].ways = 64;
	ASSERT_EQ(0, __tlb_config_resize(&config, 12));
	ASSERT_EQ(12, config.array[1].ways);
}

/* Two ways. Page 0 is used before page 2 comes: LRU keeps it then, and a fifo does not. */
TEST(fifo_forgets_what_is_used)
{
	struct tlb_config config = { .name = "test", .nr_arrays = 1 };
	struct rule rule = { .span = SHIFT_4K, .desc = 1 };
	struct counts lru = { 0 }, fifo = { 0 };
	static const unsigned int order[] = { 0, 1, 0, 2, 0 };
	struct tlb *tlb;
	size_t i;

	config.array[0] = array_config(TLB_L1, 2, 2, ALL_SIZES);
	tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);
	ASSERT_NE(NULL, tlb);
	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		access_count(tlb, BASE + ((uint64_t)order[i] << SHIFT_4K), &lru);
	tlb_free(tlb);
	config.replacement = TLB_FIFO;
	tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);
	ASSERT_NE(NULL, tlb);
	for (i = 0; i < sizeof(order) / sizeof(*order); i++)
		access_count(tlb, BASE + ((uint64_t)order[i] << SHIFT_4K), &fifo);
	tlb_free(tlb);
	ASSERT_EQ(3, lru.walks);
	ASSERT_EQ(4, fifo.walks);
}

/* Within one table a walk reads one descriptor; the first one reads all levels. */
TEST(walk_cache)
{
	struct tlb_config config = { .name = "test", .nr_arrays = 2 };
	struct rule rule = { .span = SHIFT_4K, .desc = 1 };
	struct counts counts;
	struct tlb *tlb;

	config.array[0] = array_config(TLB_L1, 1, 1, ALL_SIZES);
	config.array[1] = (struct tlb_array_config) {
		.role = TLB_WALK_CACHE, .entries = 4, .ways = 4, .levels = 1u << 1,
	};
	tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);
	ASSERT_NE(NULL, tlb);
	counts = pages_walk(tlb, 512, SHIFT_4K, 2);
	ASSERT_EQ(1024, counts.walks);
	ASSERT_EQ(1024 + TLB_LEVELS - 1, counts.reads);
	/* Four tables fit, five do not. */
	counts = pages_walk(tlb, 4, SHIFT_2M, 1);
	counts = pages_walk(tlb, 4, SHIFT_2M, ROUNDS);
	ASSERT_EQ(4 * ROUNDS, counts.reads);
	counts = pages_walk(tlb, 5, SHIFT_2M, 1);
	counts = pages_walk(tlb, 5, SHIFT_2M, ROUNDS);
	ASSERT_EQ(5 * ROUNDS * TLB_LEVELS, counts.reads);
	tlb_free(tlb);
}

/* An array by size, as with one for 4K and one for 2M: neither takes room from the other. */
TEST(arrays_by_size)
{
	struct tlb_config config = { .name = "test", .nr_arrays = 2 };
	struct rule rule = { .span = SHIFT_4K, .desc = 1 };
	struct counts counts;
	struct tlb *tlb;

	config.array[0] = array_config(TLB_L1, 8, 8, BIT64(SHIFT_4K));
	config.array[1] = array_config(TLB_L1, 4, 4, BIT64(SHIFT_2M));
	tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);
	ASSERT_NE(NULL, tlb);
	pages_walk(tlb, 8, SHIFT_4K, 1);
	rule.level = 1;
	rule.span = SHIFT_2M;
	/* From the next 2M on: what the 4K entries translate is translated. */
	counts = (struct counts) { 0 };
	for (unsigned int round = 0; round < ROUNDS; round++)
		for (unsigned int i = 1; i <= 4; i++)
			access_count(tlb, BASE + ((uint64_t)i << SHIFT_2M), &counts);
	ASSERT_EQ(4, counts.walks);
	counts = pages_walk(tlb, 8, SHIFT_4K, 1);
	ASSERT_EQ(8, counts.l1);
	tlb_free(tlb);
}

TEST(spaces_are_apart)
{
	struct tlb_config config = { .name = "test", .nr_arrays = 1 };
	struct rule rule = { .span = SHIFT_4K, .desc = 1 };
	struct tlb_walk walk;
	struct tlb *tlb;

	config.array[0] = array_config(TLB_L1, 8, 8, ALL_SIZES);
	tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);
	ASSERT_NE(NULL, tlb);
	ASSERT_EQ(TLB_WALK, tlb_access(tlb, TLB_DATA, 1, 0x1000, &walk));
	ASSERT_EQ(TLB_WALK, tlb_access(tlb, TLB_DATA, 2, 0x1000, &walk));
	ASSERT_EQ(TLB_HIT_L1, tlb_access(tlb, TLB_DATA, 1, 0x1000, &walk));
	ASSERT_EQ(TLB_HIT_L1, tlb_access(tlb, TLB_DATA, 2, 0x1000, &walk));
	tlb_free(tlb);
}

/* Distrust costs nothing while the tables are what they were; a changed descriptor is a miss. */
TEST(distrust)
{
	struct tlb_config config = { .name = "test", .nr_arrays = 2 };
	struct rule rule = { .span = SHIFT_4K, .desc = 1 };
	struct counts counts;
	struct tlb *tlb;

	config.array[0] = array_config(TLB_L1, 8, 8, ALL_SIZES);
	config.array[1] = array_config(TLB_L2, 64, 8, ALL_SIZES);
	tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);
	ASSERT_NE(NULL, tlb);
	pages_walk(tlb, 8, SHIFT_4K, 1);
	tlb_distrust(tlb);
	rule.asked = 0;
	counts = pages_walk(tlb, 8, SHIFT_4K, ROUNDS);
	ASSERT_EQ(8 * ROUNDS, counts.l1);
	ASSERT_EQ(8, rule.asked);

	rule.desc += BIT64(40);
	counts = pages_walk(tlb, 8, SHIFT_4K, 1);
	ASSERT_EQ(8, counts.l1);
	tlb_distrust(tlb);
	counts = pages_walk(tlb, 8, SHIFT_4K, 1);
	ASSERT_EQ(8, counts.walks);

	rule.hole = BASE + BIT64(SHIFT_4K);
	tlb_distrust(tlb);
	counts = pages_walk(tlb, 8, SHIFT_4K, 1);
	ASSERT_EQ(7, counts.l1);
	ASSERT_EQ(1, counts.none);

	tlb_flush(tlb);
	counts = pages_walk(tlb, 8, SHIFT_4K, 1);
	ASSERT_EQ(7, counts.walks);
	tlb_free(tlb);
}

/* A group's entry that came from the second level is asked about where it was made. */
TEST(distrust_of_a_group)
{
	struct tlb_config config = { .name = "test", .nr_arrays = 2 };
	struct rule rule = { .span = SHIFT_64K, .desc = 1 };
	struct counts counts = { 0 };
	struct tlb *tlb;

	config.array[0] = array_config(TLB_L1, 1, 1, BIT64(SHIFT_4K));
	config.array[1] = array_config(TLB_L2, 64, 8, ALL_SIZES);
	tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);
	ASSERT_NE(NULL, tlb);
	access_count(tlb, BASE, &counts);
	access_count(tlb, BASE + 5 * BIT64(SHIFT_4K), &counts);
	tlb_distrust(tlb);
	access_count(tlb, BASE + 5 * BIT64(SHIFT_4K), &counts);
	ASSERT_EQ(1, counts.walks);
	ASSERT_EQ(1, counts.l2);
	ASSERT_EQ(1, counts.l1);
	tlb_free(tlb);
}

/* Of a uniform choice among w ways, some pages survive a walk over one page too many. */
TEST(random_repeats)
{
	struct tlb_config config = { .name = "test", .replacement = TLB_RANDOM, .nr_arrays = 1 };
	struct rule rule = { .span = SHIFT_4K, .desc = 1 };
	unsigned long walks[2];
	unsigned int i;

	config.array[0] = array_config(TLB_L1, 8, 8, ALL_SIZES);
	for (i = 0; i < 2; i++) {
		struct tlb *tlb = tlb_new(&config, SHIFT_4K, rule_translate, &rule);

		ASSERT_NE(NULL, tlb);
		walks[i] = pages_walk(tlb, 9, SHIFT_4K, 100).walks;
		tlb_free(tlb);
	}
	ASSERT_EQ(walks[0], walks[1]);
	ASSERT_GT(900, walks[0]);
	ASSERT_LT(100, walks[0]);
}

static int text_read(const char *text, struct tlb_config *config, char *reason, size_t len)
{
	char path[] = "/tmp/tlb_unit.XXXXXX";
	int fd = mkstemp(path), ret;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return -EIO;
	close(fd);
	ret = __tlb_config_read(config, path, reason, len);
	unlink(path);
	return ret;
}

TEST(preset)
{
	struct tlb_config config;
	char reason[256];

	ASSERT_EQ(0, text_read("name a # why\nreplacement fifo\ncontiguous yes\ncoalesce 2\n"
			       "l1 data 48 full 4K 2M\nl2 both 2048 8 4K 1G\nwalk-cache 16 4 1 2\n",
			       &config, reason, sizeof(reason)));
	ASSERT_EQ(0, strcmp("a", config.name));
	ASSERT_EQ(TLB_FIFO, config.replacement);
	ASSERT_TRUE(config.contiguous);
	ASSERT_EQ(2, config.coalesce);
	ASSERT_EQ(3, config.nr_arrays);
	ASSERT_EQ(48, config.array[0].ways);
	ASSERT_FALSE(config.array[0].kinds[TLB_FETCH]);
	ASSERT_EQ(BIT64(SHIFT_4K) | BIT64(SHIFT_2M), config.array[0].sizes);
	ASSERT_EQ(TLB_L2, config.array[1].role);
	ASSERT_TRUE(config.array[1].kinds[TLB_FETCH]);
	ASSERT_EQ(6, config.array[2].levels);
}

TEST(preset_refused)
{
	static const struct {
		const char *text, *says;
	} wrong[] = {
		{ "name a\n", "no l1 for data" },
		{ "l1 data 48 full 4K\n", "no name" },
		{ "name a\nl1 data 48 7 4K\n", ":2: 48 entries do not divide" },
		{ "name a\nl1 data 48 full 3K\n", "no page size" },
		{ "name a\nl1 data 48 full 4\n", "no page size" },
		{ "name a\nl1 data x full 4K\n", "\"x\": a number" },
		{ "name a\nl1 code 48 full 4K\n", "not data, fetch or both" },
		{ "name a\nl1 data 48\n", "wants 4 values" },
		{ "name a\nl3 data 48 full 4K\n", "unknown word \"l3\"" },
		{ "replacement plru\n", "not lru, fifo or random" },
		{ "walk-cache 4 4 5\n", "from 1 to 4" },
	};
	struct tlb_config config;
	char reason[256];
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		ASSERT_EQ(-EINVAL, text_read(wrong[i].text, &config, reason, sizeof(reason)));
		ASSERT_NE(NULL, strstr(reason, wrong[i].says)) {
			TH_LOG("%s: %s", wrong[i].text, reason);
		}
	}
	ASSERT_EQ(-ENOENT, __tlb_config_read(&config, "/nonexistent", reason, sizeof(reason)));
}

TEST_HARNESS_MAIN

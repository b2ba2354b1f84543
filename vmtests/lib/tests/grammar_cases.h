/* SPDX-License-Identifier: GPL-2.0 */
/* Names and units for the tests of the writer and of the reader: both must judge them the same. */
#ifndef VMTESTS_GRAMMAR_CASES_H
#define VMTESTS_GRAMMAR_CASES_H

#include <stdbool.h>

#define CHARACTERS_32 "0123456789abcdef0123456789abcdef"
#define CHARACTERS_128 \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct grammar_case {
	const char *text;
	bool good;
};

static const struct grammar_case grammar_names[] = {
	{ "a", true },
	{ "pmd.on.all.share25", true },
	{ "7.2.0-rc1+", true },
	{ "-_+", true },
	{ CHARACTERS_128, true },
	{ "", false },
	{ ".", false },
	{ "..", false },
	{ ".a", false },
	{ "a.", false },
	{ "a..b", false },
	{ "a b", false },
	{ "a/b", false },
	{ "a\n", false },
	{ "\"", false },
	{ "\xc3\xa4", false },
	{ CHARACTERS_128 "0", false },
	{ CHARACTERS_128 "/", false },
};

static const struct grammar_case grammar_benches[] = {
	{ "hvo/churn", true },
	{ CHARACTERS_128 "/" CHARACTERS_128, true },
	{ "", false },
	{ "/", false },
	{ "nogroup", false },
	{ "a/", false },
	{ "/b", false },
	{ "a/b/c", false },
	{ "a./b", false },
	{ "a/.b", false },
	{ "a b/c", false },
	{ "a/b\n", false },
	{ "\xc3\xa4/b", false },
	{ CHARACTERS_128 "0/b", false },
	{ "a/" CHARACTERS_128 "0", false },
};

static const struct grammar_case grammar_units[] = {
	{ "1", true },
	{ "%", true },
	{ "ns/page", true },
	{ CHARACTERS_32, true },
	{ "", false },
	{ "ns page", false },
	{ "ns\n", false },
	{ "\x7f", false },
	{ "\xc2\xb5s", false },
	{ CHARACTERS_32 "0", false },
};

#endif

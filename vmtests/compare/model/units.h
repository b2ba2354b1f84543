/* SPDX-License-Identifier: GPL-2.0 */
/* What a unit says of its values: how they are averaged, judged and printed. */
#ifndef VMCOMPARE_UNITS_H
#define VMCOMPARE_UNITS_H

enum unit_kind {
	UNIT_COUNT,	/* bytes, pages, splits/op: emulation does not change it */
	UNIT_TIME,	/* ns, ns/page, cycles */
	UNIT_RATE,	/* ops/s */
	UNIT_RATIO,	/* 1, %, x */
};

/* Of "ns/page", "ops/s", "bytes", "1" and so on. */
enum unit_kind unit_kind(const char *unit);

/* Four significant digits with a prefix: binary for bytes, decimal otherwise. At most 8 wide. */
void value_format(char buf[24], double v, const char *unit);
#endif

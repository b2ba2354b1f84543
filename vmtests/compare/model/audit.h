/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between the kernels and machines of two labels, besides what was measured. */
#ifndef VMCOMPARE_AUDIT_H
#define VMCOMPARE_AUDIT_H

#include <stdbool.h>
#include <stddef.h>

enum audit_class {
	AUDIT_TREATMENT,	/* what the comparison is about */
	AUDIT_UNFAIR,		/* voids every verdict */
	AUDIT_ALLOWED,		/* would void them without --allow */
	AUDIT_NOTE,
};

struct audit_line {
	enum audit_class class;
	const char *allow;	/* the name --allow takes */
	char *what, *base, *new;
	char *sentence;		/* says both, for text; NULL where base -> new will do */
	bool option;		/* of the kernel's configuration */
};

struct audit {
	const char *const *allow;	/* unfair differences that are allowed */
	size_t nallow;
	struct audit_line *v;
	size_t n, cap;
	size_t unfair, options;
};

/*
 * Add a line, which takes over the strings. An unfair one becomes AUDIT_ALLOWED if its name is
 * allowed. The line is valid until the next is added.
 */
struct audit_line *audit_add(struct audit *audit, enum audit_class class, const char *allow,
			     char *what, char *base, char *new);
void audit_free(struct audit *audit);

#endif

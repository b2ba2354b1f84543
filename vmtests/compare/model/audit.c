// SPDX-License-Identifier: GPL-2.0
/* The lines of an audit. */
#include <stdlib.h>
#include <string.h>

#include "model/audit.h"
#include "util.h"

static bool allowed(const struct audit *audit, const char *name)
{
	for (size_t i = 0; i < audit->nallow; i++)
		if (!strcmp(audit->allow[i], name))
			return true;
	return false;
}

struct audit_line *audit_add(struct audit *audit, enum audit_class class, const char *allow,
			     char *what, char *base, char *new)
{
	struct audit_line *line;

	if (class == AUDIT_UNFAIR && allowed(audit, allow))
		class = AUDIT_ALLOWED;
	audit->unfair += class == AUDIT_UNFAIR;
	array_grow(audit->v, audit->n, audit->cap);
	line = &audit->v[audit->n++];
	*line = (struct audit_line){ .class = class, .allow = allow, .what = what, .base = base,
				     .new = new };
	return line;
}

void audit_free(struct audit *audit)
{
	for (size_t i = 0; i < audit->n; i++) {
		free(audit->v[i].what);
		free(audit->v[i].base);
		free(audit->v[i].new);
		free(audit->v[i].sentence);
	}
	free(audit->v);
	*audit = (struct audit){ 0 };
}

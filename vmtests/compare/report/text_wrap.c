// SPDX-License-Identifier: GPL-2.0
/* Lines of the plain form, none wider than TEXT_WIDTH. */
#include <stdlib.h>
#include <string.h>

#include "report/text.h"

void text_wrap(FILE *out, size_t at, size_t indent, const char *s)
{
	while (*s) {
		size_t len = strcspn(s, " "), room = at < TEXT_WIDTH ? TEXT_WIDTH - at : 0;

		if (len + 1 > room && at > indent) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
			continue;
		}
		if (len > TEXT_WIDTH - indent)
			len = TEXT_WIDTH - indent;
		fprintf(out, "%s%.*s", at > indent ? " " : "", (int)len, s);
		at += len + (at > indent);
		s += len;
		s += strspn(s, " ");
	}
	fputc('\n', out);
}

void text_paragraph(FILE *out, const char *head, size_t indent, char *body)
{
	fprintf(out, "%-*s", (int)indent, head);
	text_wrap(out, strlen(head) > indent ? strlen(head) : indent, indent, body);
	free(body);
}

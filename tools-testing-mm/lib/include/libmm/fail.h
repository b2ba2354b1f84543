/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a function of libmm fails: f() ends the test, __f() returns -errno, and with a reason where
 * the errno alone would not tell what to do.
 */
#ifndef LIBMM_FAIL_H
#define LIBMM_FAIL_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Token for token as kselftest.h has it, which defines it in any case: no redefinition then. */
#ifndef __printf
#define __printf(a, b)	__attribute__((format(printf, a, b)))
#endif

/* Say why on stderr and abort(), which a harness reports as the failure of the running test. */
__attribute__((noreturn)) __printf(1, 2)
static inline void libmm_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	abort();
}

/* Put one sentence into @reason (@len bytes, cut to fit) and return @err. */
__printf(4, 5)
static inline int libmm_refuse(int err, char *reason, size_t len, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, len, fmt, ap);
	va_end(ap);
	return err;
}

#endif

/* SPDX-License-Identifier: GPL-2.0 */
/* base: what every file may want and the C library does not have. */
#ifndef LIBMM_BASE_H
#define LIBMM_BASE_H

#include <unistd.h>

/* As kselftest.h has it, which defines it unless it is defined. */
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(arr) (sizeof(arr) / sizeof((arr)[0]))
#endif

static inline size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

#endif

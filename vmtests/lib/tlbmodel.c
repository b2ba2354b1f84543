// SPDX-License-Identifier: GPL-2.0
/*
 * Windows of an emulator's TLB model, from within the guest.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libmm/kcore.h>
#include <libmm/kpgtable.h>
#include <libmm/krange.h>
#include <vmtests/census_kernel.h>
#include <vmtests/tlbmodel.h>

_Static_assert(sizeof(struct tlbmodel_message) <= 1024, "a message must not cross a page");

/* Changed by the model while message_mark() runs, which tells the compiler that memory changes. */
static struct tlbmodel_message message;
static bool present;

/* Aligned, so that the sequence lies in one page and the emulator meets it in one piece. */
__attribute__((noinline, aligned(64)))
static void message_mark(const struct tlbmodel_message *at)
{
#if defined(__aarch64__)
	__asm__ volatile("movz xzr, %1\n\tmovz xzr, %2\n\tldr xzr, [%0]"
			 : : "r"(at), "i"(TLBMODEL_MARK_1), "i"(TLBMODEL_MARK_2) : "memory");
#elif defined(__x86_64__)
	uint64_t unused;

	__asm__ volatile("nopl %c2(%%rax,%%rax,1)\n\tmovq (%1), %0"
			 : "=r"(unused) : "r"(at), "i"(TLBMODEL_MARK) : "memory");
#else
	(void)at;
#endif
}

static bool message_send(enum tlbmodel_command command)
{
	message.magic = TLBMODEL_ASK;
	message.version = TLBMODEL_VERSION;
	message.command = command;
	message_mark(&message);
	return message.magic == TLBMODEL_ANSWER;
}

static int ranges_read(const struct kcore *kc, struct tlbmodel_range *range, char *reason,
		       size_t len)
{
	int ret = krange_find(kc, "linear", &range[TLBMODEL_LINEAR].start,
			      &range[TLBMODEL_LINEAR].end, reason, len);

	if (!ret)
		ret = census_kernel_range(kc, "vmemmap", &range[TLBMODEL_VMEMMAP].start,
					  &range[TLBMODEL_VMEMMAP].end, reason, len);
	return ret;
}

static int kernel_read(const struct kcore *kc, struct tlbmodel_kernel *kernel, char *reason,
		       size_t len)
{
	const struct kpg_geometry *geo;
	struct kpgtable *pgt;
	uint64_t t1sz = 0;
	int ret = kpgtable_open(&pgt, kc, reason, len);

	if (ret)
		return ret;
	geo = kpgtable_geometry(pgt);
	/* arm64 alone has the last. */
	if (kc->machine == EM_AARCH64)
		kcore_number(kc, "TCR_EL1_T1SZ", &t1sz);
	kernel->page_shift = geo->page_shift;
	kernel->levels = geo->levels;
	kernel->va_bits = geo->page_shift == 16 ? geo->index_bits : geo->va_bits;
	kernel->t1sz = (uint32_t)t1sz;
	kernel->encrypted = geo->encrypted;
	kernel->root = kpgtable_root(pgt);
	ret = ranges_read(kc, kernel->range, reason, len);
	kpgtable_close(pgt);
	return ret;
}

int __tlbmodel_open(char *reason, size_t len)
{
	struct kcore *kc;
	int ret;

	/* An empty question first: /proc/kcore is not opened where nobody listens. */
	if (!message_send(TLBMODEL_HELLO))
		return -ENODEV;
	ret = kcore_open(&kc, reason, len);
	if (ret)
		return ret;
	ret = kernel_read(kc, &message.kernel, reason, len);
	kcore_close(kc);
	if (ret)
		return ret;
	message_send(TLBMODEL_HELLO);
	if (message.status) {
		snprintf(reason, len, "the TLB model refuses this kernel's page tables: %s",
			 strerror(-message.status));
		return message.status;
	}
	present = true;
	return 0;
}

void tlbmodel_close(void)
{
	present = false;
}

bool tlbmodel_present(void)
{
	return present;
}

unsigned int tlbmodel_reach_entries(unsigned int nr)
{
	return present && nr < TLBMODEL_REACHES ? message.reach_entries[nr] : 0;
}

void tlbmodel_begin(void)
{
	if (present)
		message_send(TLBMODEL_BEGIN);
}

void tlbmodel_end(struct tlbmodel_counts *counts)
{
	const uint64_t *from = (const uint64_t *)&message.counts;
	uint64_t *to = (uint64_t *)counts;
	size_t i;

	if (!present || !message_send(TLBMODEL_END))
		return;
	for (i = 0; i < sizeof(*counts) / sizeof(*to); i++)
		to[i] += from[i];
}

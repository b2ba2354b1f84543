// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's complaints are told from its chatter, and from what others write into its log.
 *
 * The lines are as the kernel's printk() formats give them; which source file has the format stands
 * beside each.
 */
#include <errno.h>

#include <vmtests/klog.h>

#include "kselftest_harness.h"
#include "fakeroot.h"

#define KMSG "/dev/kmsg"
#define TAINTED "/proc/sys/kernel/tainted"

static const char * const complaints[] = {
	/* kernel/panic.c, 6.1 and 7.2 */
	"WARNING: CPU: 1 PID: 77 at mm/hugetlb.c:123 hugetlb_vmemmap_restore+0x1/0x2",
	"WARNING: mm/hugetlb_vmemmap.c:480 at hugetlb_vmemmap_restore+0x1/0x2, CPU#1: bash/77",
	"WARNING: at hugetlb_vmemmap_restore+0x1/0x2, CPU#1: bash/77",
	"Kernel panic - not syncing: Fatal exception",
	/* lib/bug.c */
	"kernel BUG at mm/page_alloc.c:123!",
	/* arch/x86/mm/fault.c, arch/x86/kernel/dumpstack.c, traps.c */
	"BUG: kernel NULL pointer dereference, address: 0000000000000008",
	"BUG: unable to handle page fault for address: ffffea0000000000",
	"Oops: Oops: 0002 [#1] SMP NOPTI",
	"Oops: general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1] SMP",
	"general protection fault, probably for non-canonical address 0xdead: 0000 [#1] PREEMPT SMP",
	"invalid opcode: 0000 [#1] PREEMPT SMP NOPTI",
	"divide error: 0000 [#12] SMP",
	/* arch/arm64/mm/fault.c, arch/arm64/kernel/traps.c */
	"Unable to handle kernel paging request at virtual address ffff000012345678",
	"Unable to handle kernel write to read-only memory at virtual address ffff000012345678",
	"Internal error: Oops: 000000009600014f [#1] SMP",
	"Internal error: Oops - BUG: 00000000f2000800 [#1] SMP",
	/* mm/page_alloc.c, mm/memory.c, mm/filemap.c, kernel/fork.c, mm/slub.c, mm/page_poison.c */
	"BUG: Bad page state in process bash  pfn:12345",
	"BUG: Bad page map in process bash  pte:123 pmd:456",
	"BUG: Bad page cache in process bash  pfn:12345",
	"BUG: Bad rss-counter state mm:00000000abcdef type:MM_FILEPAGES val:1",
	"BUG kmalloc-64 (Not tainted): Poison overwritten",
	"BUG kmalloc-64 (Tainted: G        W         ): Redzone overwritten",
	"pagealloc: memory corruption",
	"pagealloc: single bit error",
	/* arch headers and mm/swapfile.c: behind a file and line, or a function */
	"mm/pgtable-generic.c:50: bad pmd 00000000abcdef(8000000012345067)",
	"arch/arm64/mm/mmu.c:99: bad pud 0068000040000f05.",
	"_swap_info_get: Bad swap file entry 1000000000000123",
	/* the sanitizers */
	"BUG: KASAN: slab-use-after-free in foo+0x1/0x2",
	"BUG: KFENCE: out-of-bounds read in foo+0x1/0x2",
	"BUG: KMSAN: uninit-value in foo+0x1/0x2",
	"BUG: KCSAN: data-race in foo / bar",
	"UBSAN: array-index-out-of-bounds in mm/foo.c:1:2",
	/* kernel/watchdog.c, watchdog_perf.c, workqueue.c, hung_task.c, rcu */
	"watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [bash:77]",
	"watchdog: CPU0: Watchdog detected hard LOCKUP on cpu 1",
	"NMI watchdog: Watchdog detected hard LOCKUP on cpu 1",
	"BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!",
	"INFO: task bash:77 blocked for more than 120 seconds.",
	"INFO: task bash:77 blocked in I/O wait for more than 120 seconds.",
	"rcu: INFO: rcu_preempt self-detected stall on CPU",
	"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
	"rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-... } 10 jiffies s: 1",
	"INFO: rcu_tasks detected stalls on tasks:",
	/* lib/list_debug.c, lib/refcount.c */
	"list_add corruption. prev is NULL.",
	"list_add double add: new=1, prev=1, next=2.",
	"list_del corruption. prev->next should be 1, but was 2. (prev=3)",
	"refcount_t: underflow; use-after-free.",
	/* kernel/locking/lockdep.c, kernel/sched/core.c */
	"WARNING: possible recursive locking detected",
	"WARNING: possible circular locking dependency detected",
	"WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected",
	"WARNING: inconsistent lock state",
	"WARNING: bad unlock balance detected!",
	"WARNING: held lock freed!",
	"WARNING: bash/77 still has locks held!",
	"WARNING: suspicious RCU usage",
	"[ BUG: Invalid wait context ]",
	"BUG: sleeping function called from invalid context at mm/vmalloc.c:1",
	"BUG: scheduling while atomic: bash/77/0x00000002",
	/* mm/ptdump.c, mm/kmemleak.c */
	"x86/mm: Checked W+X mappings: FAILED, 12 W+X pages found.",
	"kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
};

static const char * const chatter[] = {
	"",
	"debug: BUG",
	"DEBUG: something happened",
	"BUGs are our friends",
	"BUG reports go to linux-mm",
	"usb 1-1: WARNING: this device is slow",
	"WARNING: Flushing system-wide workqueues will be prohibited in near future.",
	"WARNING! power/level is deprecated; use power/control instead",
	"Warning: unable to open an initial console.",
	"process 'BUG: ' launched '/bin/x' with NULL argv: empty string added",
	"traps: BUG[77] general protection fault ip:401000 sp:7ffd error:0 in x[401000+1000]",
	"x[77]: segfault at 0 ip 0000000000401000 sp 00007ffd error 6 in x[401000+1000]",
	"bash: page allocation failure: order:9, mode:0xcc0(GFP_KERNEL), nodemask=(null)",
	"bash invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0",
	"Out of memory: Killed process 77 (bash) total-vm:1kB, anon-rss:1kB",
	"BUG: MAX_LOCKDEP_CHAINS too low!",
	"mce: [Hardware Error]: Machine check events logged",
	"Memory failure: 0x12345: recovery action for clean LRU page: Recovered",
	"x86/mm: Checked W+X mappings: passed, no W+X pages found.",
	"rcu: INFO: Stall ended before state dump start",
	"rcu: Hierarchical RCU implementation.",
	"INFO: lockdep is turned off.",
	"watchdog: Delayed init of the lockup detector failed: -19",
	"Kernel command line: oops=panic panic_on_warn=1",
	"soft_offline: 0x12345: page migration failed",
	"sd 0:0:0:0: [sda] [#1] something",
	"item: beef [#x]",
	"ACPI BIOS Error (bug): Could not resolve symbol",
	"[Firmware Bug]: TSC doesn't count with P0 frequency!",
};

static struct fakeroot root;

struct seen {
	char text[1024];
};

static void line_collect(const char *text, bool bad, void *arg)
{
	struct seen *seen = arg;

	strcat(strcat(strcat(seen->text, bad ? "!" : "."), text), "|");
}

FIXTURE(klog) {
	struct klog_mark mark;
	struct seen seen;
};

FIXTURE_SETUP(klog)
{
	memset(&self->mark, 0, sizeof(self->mark));
	self->seen.text[0] = '\0';
	fakeroot_create(&root);
	fakeroot_write(&root, TAINTED, "512\n");
}

FIXTURE_TEARDOWN(klog)
{
	fakeroot_remove(&root);
}

TEST_F(klog, complaints_are_recognised)
{
	char forged[512];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(complaints); i++) {
		EXPECT_TRUE(klog_line_is_bad(complaints[i])) {
			TH_LOG("%s", complaints[i]);
		}
		snprintf(forged, sizeof(forged), KLOG_FORGED_PREFIX "%s", complaints[i]);
		EXPECT_TRUE(klog_line_is_bad(forged));
	}
}

TEST_F(klog, chatter_is_not)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(chatter); i++) {
		EXPECT_FALSE(klog_line_is_bad(chatter[i])) {
			TH_LOG("%s", chatter[i]);
		}
	}
}

TEST_F(klog, mark_is_behind_the_last_record)
{
	fakeroot_write(&root, KMSG, "6,100,1,-;first\n SUBSYSTEM=pci\n DEVICE=+pci:0\n"
		       "6,101,2,-;x\n");
	ASSERT_EQ(0, __klog_mark(&self->mark));
	EXPECT_EQ(102U, self->mark.seq);
	EXPECT_EQ(512U, self->mark.taint);
}

TEST_F(klog, only_what_is_behind_the_mark_counts)
{
	fakeroot_write(&root, KMSG, "4,7,1,-;BUG: old\n6,8,2,-;hello\n BUG: dictionary\n"
		       "4,9,3,-;BUG: new\n4,10,4,-,caller=T1; stack\n");
	self->mark.seq = 8;
	EXPECT_EQ(1, __klog_since(&self->mark, line_collect, &self->seen));
	EXPECT_STREQ(".hello|!BUG: new|. stack|", self->seen.text);
	self->mark.seq = 11;
	EXPECT_EQ(0, __klog_since(&self->mark, NULL, NULL));
}

TEST_F(klog, user_space_counts_only_when_it_says_that_it_forges)
{
	/* 12 is facility 1 (user) at level 4. */
	fakeroot_write(&root, KMSG, "12,0,1,-;BUG: from a daemon\n"
		       "12,1,2,-;" KLOG_FORGED_PREFIX "BUG: from a test\n"
		       "12,2,2,-;" KLOG_FORGED_PREFIX "hello\n");
	EXPECT_EQ(1, __klog_since(&self->mark, line_collect, &self->seen));
	EXPECT_STREQ(".BUG: from a daemon|!" KLOG_FORGED_PREFIX "BUG: from a test|."
		     KLOG_FORGED_PREFIX "hello|", self->seen.text);
}

TEST_F(klog, record_of_several_lines_and_odd_bytes)
{
	fakeroot_write(&root, KMSG, "4,0,1,-;\\x0aBUG: a\tb\033[1m\\x0aBUG: c\n");
	EXPECT_EQ(2, __klog_since(&self->mark, line_collect, &self->seen));
	EXPECT_STREQ("!BUG: a b [1m|!BUG: c|", self->seen.text);
}

TEST_F(klog, overrun_is_told)
{
	fakeroot_write(&root, KMSG, "4,20,1,-;BUG: late\n");
	self->mark.seq = 10;
	EXPECT_EQ(-EPIPE, __klog_since(&self->mark, line_collect, &self->seen));
	EXPECT_STREQ("!BUG: late|", self->seen.text);

	fakeroot_write(&root, KMSG, "6,9,1,-;a\n6,10,1,-;b\n6,12,1,-;c\n");
	EXPECT_EQ(-EPIPE, __klog_since(&self->mark, NULL, NULL));
	self->mark.seq = 12;
	EXPECT_EQ(0, __klog_since(&self->mark, NULL, NULL));
}

TEST_F(klog, mark_of_another_boot_is_told)
{
	fakeroot_write(&root, KMSG, "6,3,1,-;a\n");
	self->mark.seq = 100;
	EXPECT_EQ(-ESTALE, __klog_since(&self->mark, NULL, NULL));
}

TEST_F(klog, missing_log_is_told)
{
	EXPECT_EQ(-ENOENT, __klog_mark(&self->mark));
	EXPECT_EQ(-ENOENT, __klog_since(&self->mark, NULL, NULL));
}

TEST_F(klog, taint_is_a_difference)
{
	self->mark.taint = 512;
	EXPECT_EQ(0U, klog_taint_since(&self->mark));
	fakeroot_write(&root, TAINTED, "544\n");
	EXPECT_EQ(32U, klog_taint_since(&self->mark));
	fakeroot_must(!unlink(fakeroot_path(&root, TAINTED)), "unlink");
	EXPECT_EQ(~512ULL, klog_taint_since(&self->mark));
}

TEST_HARNESS_MAIN

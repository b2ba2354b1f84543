// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU's that feeds every memory access of a guest to a TLB model, one for each CPU.
 *
 * usage: -plugin tlb-model.so,preset=FILE,ram=FILE[,reach=ENTRIES[:ENTRIES]...]
 *                [,trace=FILE[,trace-most=N]]
 *        with -object memory-backend-file,id=ram,mem-path=FILE,share=on and -machine
 *        memory-backend=ram
 *
 * reach: count beside the model's own the linear map's walks with second levels of so many entries.
 * trace: record what the first CPU's TLB is asked, from an empty TLB at the first window on, at
 * most N accesses (default 1000000); trace.h has the format.
 *
 * The guest opens and closes windows (vmtests/tlbmodel.h); outside of them, accesses cost a call
 * and are not modelled. The first message tells where the kernel's page tables are. Those of user
 * space are found by what they must contain, whenever a CPU has changed them: guest.h.
 *
 * A CPU's state is used by its own thread alone, but for its counts, which the thread that closes a
 * window adds up while the others run: they are whole words that only grow.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vmtests/tlbmodel.h>

#include "guest.h"
#include "insn.h"
#include "qemu_api.h"
#include "spaces.h"
#include "tlb.h"
#include "trace.h"

#define EXPORT		__attribute__((visibility("default")))
#define REASON_MAX	512
#define CPUS_MAX	64
#define PAGE_SHIFT_MIN	12
#define TRACE_MOST	1000000

/* The least significant bits of a block's argument: how many instructions it has. */
#define BLOCK_INSNS_BITS	12

struct cpu {
	struct tlb *tlb;
	struct tlb *reach[TLBMODEL_REACHES];	/* second levels that miss what tlb's first did */
	unsigned int space;
	bool space_known;
	enum tlbmodel_mode mode;
	uint64_t fetched;		/* the page of the last fetch */
	uint64_t seen_flushes;
	uint64_t seen_invalidations;
	uint64_t walk_pa;		/* where the last translation led */
	struct tlbmodel_counts counts;
} __attribute__((aligned(128)));

static struct {
	struct tlb_config config;
	unsigned int nr_reaches;
	uint32_t reach_entries[TLBMODEL_REACHES];
	struct tlb_config reach_config[TLBMODEL_REACHES];
	struct guest guest;
	struct spaces *spaces;
	struct tlbmodel_kernel kernel;
	enum insn_meaning (*insn_meaning)(const uint8_t *data, size_t size);
	bool tagged;			/* addresses have a top byte that means nothing */
	bool ready;
	bool active;
	uint64_t flushes;		/* that all CPUs have to follow */
	uint64_t invalidations;
	unsigned int nr_cpus;
	struct cpu cpu[CPUS_MAX];
	struct tlbmodel_counts begun;
	const char *trace_path;
	uint64_t trace_most;
	struct trace *trace;		/* of CPU 0 and its thread */
	struct tlbmodel_counts traced_from;
} model;

EXPORT int qemu_plugin_version = QEMU_API_VERSION;

static void say(const char *text)
{
	fprintf(stderr, "tlb-model: %s\n", text);
}

static bool cpu_translate(void *arg, unsigned int space, uint64_t va, struct tlb_translation *t)
{
	struct cpu *cpu = arg;
	enum kpg_level top = (enum kpg_level)(model.guest.geo.levels - 1);

	if (space == TLB_SPACE_GLOBAL)
		return guest_translate(&model.guest, model.guest.kernel_root, top, va, t,
				       &cpu->walk_pa);
	return spaces_translate(model.spaces, space, va, t, &cpu->walk_pa);
}

/* The emulator's own answer; false when it is no RAM. */
static bool emulator_pa(qemu_plugin_meminfo_t info, uint64_t va, uint64_t *pa)
{
	struct qemu_plugin_hwaddr *at = qemu_plugin_get_hwaddr(info, va);
	uint64_t said;

	if (!at || qemu_plugin_hwaddr_is_io(at))
		return false;
	said = qemu_plugin_hwaddr_phys_addr(at);
	/*
	 * Where RAM is one region at its address, this is that; where it is reached through
	 * aliases, as on q35, it is the place within the region.
	 */
	*pa = model.guest.low_base ? said : guest_pa(&model.guest, said);
	return true;
}

/* The user space that @cpu is in, from an access of it that the emulator has translated. */
static bool space_find(struct cpu *cpu, qemu_plugin_meminfo_t info, uint64_t va)
{
	uint64_t pa;

	if (!emulator_pa(info, va, &pa))
		return false;
	cpu->space = spaces_find(model.spaces, va, pa);
	cpu->space_known = cpu->space;
	return cpu->space_known;
}

static bool in_range(const struct tlbmodel_range *range, uint64_t va)
{
	return va >= range->start && va < range->end;
}

static bool is_kernel_address(uint64_t va)
{
	return va >> 63;
}

static enum tlbmodel_class class_of(uint64_t va)
{
	if (!is_kernel_address(va))
		return TLBMODEL_USER;
	if (in_range(&model.kernel.range[TLBMODEL_LINEAR], va))
		return TLBMODEL_LINEAR;
	if (in_range(&model.kernel.range[TLBMODEL_VMEMMAP], va))
		return TLBMODEL_VMEMMAP;
	return TLBMODEL_KERNEL;
}

/* Without a tag in the top byte, which arm64 ignores; x86 has addresses of 57 bits. */
static uint64_t address_canonical(uint64_t va)
{
	return model.tagged ? (uint64_t)((int64_t)(va << 8) >> 8) : va;
}

static void cpu_flush(struct cpu *cpu)
{
	unsigned int i;

	tlb_flush(cpu->tlb);
	for (i = 0; i < model.nr_reaches; i++)
		tlb_flush(cpu->reach[i]);
}

static void cpu_distrust(struct cpu *cpu)
{
	unsigned int i;

	tlb_distrust(cpu->tlb);
	for (i = 0; i < model.nr_reaches; i++)
		tlb_distrust(cpu->reach[i]);
}

static bool is_traced(const struct cpu *cpu)
{
	return model.trace && cpu == &model.cpu[0];
}

static void trace_begin(struct cpu *cpu)
{
	model.trace = trace_create(model.trace_path, model.trace_most, cpu_translate, cpu);
	if (!model.trace)
		say("cannot write the trace");
	model.trace_path = NULL;
	model.traced_from = cpu->counts;
	cpu->fetched = 0;
	cpu_flush(cpu);
}

static void trace_end(const struct cpu *cpu)
{
	const struct tlbmodel_counts *from = &model.traced_from, *to = &cpu->counts;
	struct trace_counts counts = { .reads = 0 };
	unsigned int mode, class, level;

	for (mode = 0; mode < TLBMODEL_MODES; mode++) {
		for (class = 0; class < TLBMODEL_CLASSES; class++) {
			counts.l1_misses[TLB_DATA] += to->l1_misses[mode][class] -
						      from->l1_misses[mode][class];
			counts.walks[TLB_DATA] += to->walks[mode][class] - from->walks[mode][class];
		}
		counts.l1_misses[TLB_FETCH] += to->fetch_l1_misses[mode] -
					       from->fetch_l1_misses[mode];
		counts.walks[TLB_FETCH] += to->fetch_walks[mode] - from->fetch_walks[mode];
	}
	for (level = 0; level < TLBMODEL_LEVELS; level++)
		counts.reads += to->reads_by_level[level] - from->reads_by_level[level];
	if (__trace_close(model.trace, &counts))
		say("the trace is not whole: is the disk full?");
	model.trace = NULL;
}

/* Before the model is told: its counts must not hold an access that the trace does not. */
static void access_trace(struct cpu *cpu, enum tlb_access_kind kind, unsigned int space,
			 uint64_t va)
{
	if (!is_traced(cpu))
		return;
	if (trace_full(model.trace))
		trace_end(cpu);
	else
		trace_access(model.trace, kind, space, va);
}

static void cpu_follow(struct cpu *cpu)
{
	uint64_t flushes = __atomic_load_n(&model.flushes, __ATOMIC_RELAXED);
	uint64_t invalidations = __atomic_load_n(&model.invalidations, __ATOMIC_RELAXED);

	if (model.trace_path && cpu == &model.cpu[0])
		trace_begin(cpu);
	if (cpu->seen_flushes != flushes) {
		cpu->seen_flushes = flushes;
		cpu->fetched = 0;
		if (is_traced(cpu))
			trace_flush(model.trace);
		cpu_flush(cpu);
	}
	if (cpu->seen_invalidations != invalidations) {
		cpu->seen_invalidations = invalidations;
		cpu->fetched = 0;
		if (is_traced(cpu))
			trace_distrust(model.trace);
		cpu_distrust(cpu);
	}
}

static void reads_count(struct cpu *cpu, const struct tlb_walk *walk)
{
	unsigned int level;

	for (level = walk->leaf; level <= walk->first; level++)
		cpu->counts.reads_by_level[level]++;
}

static void data_count(struct cpu *cpu, qemu_plugin_meminfo_t info, uint64_t va,
		       enum tlb_result result, const struct tlb_walk *walk)
{
	enum tlbmodel_class class = class_of(va);
	uint64_t pa;

	if (result == TLB_NO_TRANSLATION) {
		cpu->counts.untranslated++;
		return;
	}
	cpu->counts.l1_misses[cpu->mode][class]++;
	if (result != TLB_WALK)
		return;
	cpu->counts.walks[cpu->mode][class]++;
	cpu->counts.reads[cpu->mode][class] += tlb_walk_reads(walk);
	reads_count(cpu, walk);
	if (emulator_pa(info, va, &pa) && pa != cpu->walk_pa)
		cpu->counts.disagreed++;
}

/* After an access that missed the first level, and what was counted of it. */
static void reaches_access(struct cpu *cpu, enum tlb_access_kind kind, unsigned int space,
			   uint64_t va)
{
	bool counts = kind == TLB_DATA && cpu->mode == TLBMODEL_IN_KERNEL &&
		      class_of(va) == TLBMODEL_LINEAR;
	struct tlb_walk walk;
	unsigned int i;

	for (i = 0; i < model.nr_reaches; i++)
		if (tlb_access(cpu->reach[i], kind, space, va, &walk) == TLB_WALK && counts)
			cpu->counts.reach_walks[i]++;
}

static void on_access(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t va, void *arg)
{
	struct cpu *cpu = &model.cpu[vcpu];
	unsigned int space = TLB_SPACE_GLOBAL;
	enum tlb_result result;
	struct tlb_walk walk;

	(void)arg;
	if (!__atomic_load_n(&model.active, __ATOMIC_RELAXED))
		return;
	cpu_follow(cpu);
	va = address_canonical(va);
	cpu->counts.accesses[cpu->mode]++;
	if (!is_kernel_address(va)) {
		if (!cpu->space_known && !space_find(cpu, info, va)) {
			cpu->counts.untranslated++;
			return;
		}
		space = cpu->space;
	}
	access_trace(cpu, TLB_DATA, space, va);
	result = tlb_access(cpu->tlb, TLB_DATA, space, va, &walk);
	if (result == TLB_HIT_L1)
		return;
	data_count(cpu, info, va, result, &walk);
	reaches_access(cpu, TLB_DATA, space, va);
}

/* Fetches from another page than the last one's. */
static void fetch_model(struct cpu *cpu, uint64_t va)
{
	unsigned int space = is_kernel_address(va) ? TLB_SPACE_GLOBAL : cpu->space;
	struct tlb_walk walk;

	/* A fetch's physical address cannot be asked for: the next access finds the space. */
	if (space != TLB_SPACE_GLOBAL && !cpu->space_known)
		return;
	cpu->fetched = va;
	access_trace(cpu, TLB_FETCH, space, va);
	switch (tlb_access(cpu->tlb, TLB_FETCH, space, va, &walk)) {
	case TLB_HIT_L1:
		return;
	case TLB_NO_TRANSLATION:
		cpu->counts.untranslated++;
		return;
	case TLB_HIT_L2:
		break;
	case TLB_WALK:
		cpu->counts.fetch_walks[cpu->mode]++;
		reads_count(cpu, &walk);
		break;
	}
	cpu->counts.fetch_l1_misses[cpu->mode]++;
	reaches_access(cpu, TLB_FETCH, space, va);
}

/* A run of instructions in one page begins: @arg is its page and how many there are. */
static void on_block(unsigned int vcpu, void *arg)
{
	struct cpu *cpu = &model.cpu[vcpu];
	uint64_t va = (uint64_t)(uintptr_t)arg >> BLOCK_INSNS_BITS << PAGE_SHIFT_MIN;

	cpu->mode = is_kernel_address(va) ? TLBMODEL_IN_KERNEL : TLBMODEL_IN_USER;
	if (!__atomic_load_n(&model.active, __ATOMIC_RELAXED))
		return;
	cpu->counts.insns[cpu->mode] += (uintptr_t)arg & ((1u << BLOCK_INSNS_BITS) - 1);
	cpu_follow(cpu);
	if (va != cpu->fetched)
		fetch_model(cpu, va);
}

static void on_flush(unsigned int vcpu, void *arg)
{
	(void)arg;
	__atomic_fetch_add(&model.flushes, 1, __ATOMIC_RELAXED);
	model.cpu[vcpu].counts.invalidations++;
}

static void on_invalidate(unsigned int vcpu, void *arg)
{
	(void)arg;
	__atomic_fetch_add(&model.invalidations, 1, __ATOMIC_RELAXED);
	model.cpu[vcpu].counts.invalidations++;
}

static void on_unseen(unsigned int vcpu, void *arg)
{
	(void)arg;
	model.cpu[vcpu].counts.unseen++;
}

static void on_space(unsigned int vcpu, void *arg)
{
	(void)arg;
	model.cpu[vcpu].space_known = false;
	model.cpu[vcpu].fetched = 0;
}

static void counts_sum(struct tlbmodel_counts *sum)
{
	uint64_t *to = (uint64_t *)sum;
	unsigned int cpu;
	size_t i;

	memset(sum, 0, sizeof(*sum));
	for (cpu = 0; cpu < model.nr_cpus; cpu++) {
		const uint64_t *from = (const uint64_t *)&model.cpu[cpu].counts;

		for (i = 0; i < sizeof(*sum) / sizeof(*to); i++)
			to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	}
}

static int geometry_set(const struct tlbmodel_kernel *kernel)
{
	struct kpg_geometry *geo = &model.guest.geo;

	if (model.guest.low_base)
		return kpg_geometry_arm64(geo, kernel->page_shift, kernel->va_bits, kernel->t1sz);
	return kpg_geometry_x86(geo, kernel->levels, kernel->encrypted);
}

static bool tlb_make(struct tlb **tlb, const struct tlb_config *config, struct cpu *cpu)
{
	if (!*tlb)
		*tlb = tlb_new(config, model.guest.geo.page_shift, cpu_translate, cpu);
	return *tlb;
}

static int tlbs_make(void)
{
	unsigned int i, reach;

	for (i = 0; i < model.nr_cpus; i++) {
		struct cpu *cpu = &model.cpu[i];

		if (!tlb_make(&cpu->tlb, &model.config, cpu))
			return -ENOMEM;
		for (reach = 0; reach < model.nr_reaches; reach++)
			if (!tlb_make(&cpu->reach[reach], &model.reach_config[reach], cpu))
				return -ENOMEM;
	}
	return 0;
}

/* The kernel of one boot stays where it is, so every program says the same. */
static int hello(const struct tlbmodel_kernel *kernel)
{
	int ret;

	if (model.ready)
		return 0;
	ret = geometry_set(kernel);
	if (ret)
		return ret;
	model.kernel = *kernel;
	model.guest.kernel_root = kernel->root;
	ret = tlbs_make();
	model.ready = !ret;
	return ret;
}

static void window_begin(void)
{
	if (!model.ready)
		return;
	/* What happened since the last window was not followed. */
	__atomic_fetch_add(&model.invalidations, 1, __ATOMIC_RELAXED);
	counts_sum(&model.begun);
	__atomic_store_n(&model.active, true, __ATOMIC_RELAXED);
}

static void window_end(struct tlbmodel_counts *counts)
{
	const uint64_t *begun = (const uint64_t *)&model.begun;
	uint64_t *to = (uint64_t *)counts;
	size_t i;

	__atomic_store_n(&model.active, false, __ATOMIC_RELAXED);
	counts_sum(counts);
	for (i = 0; i < sizeof(*counts) / sizeof(*to); i++)
		to[i] -= begun[i];
}

static void message_answer(struct tlbmodel_message *message)
{
	switch (message->command) {
	case TLBMODEL_HELLO:
		message->status = hello(&message->kernel);
		snprintf(message->preset, sizeof(message->preset), "%s", model.config.name);
		memcpy(message->reach_entries, model.reach_entries, sizeof(message->reach_entries));
		break;
	case TLBMODEL_BEGIN:
		window_begin();
		break;
	case TLBMODEL_END:
		window_end(&message->counts);
		break;
	}
	__atomic_store_n(&message->magic, TLBMODEL_ANSWER, __ATOMIC_RELEASE);
}

static void on_message(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t va, void *arg)
{
	struct tlbmodel_message *message;
	uint64_t pa, offset;

	(void)vcpu;
	(void)arg;
	if (!emulator_pa(info, va, &pa) || !guest_offset(&model.guest, pa, &offset)) {
		say("a message that is not in the guest's RAM: is ram= the file of all of it?");
		return;
	}
	message = (struct tlbmodel_message *)(model.guest.ram + offset);
	if (message->magic != TLBMODEL_ASK || message->version != TLBMODEL_VERSION) {
		say("a message of another version, or RAM is not laid out as expected");
		return;
	}
	message_answer(message);
}

static void insn_instrument(struct qemu_plugin_insn *insn, enum insn_meaning meaning,
			    bool is_message)
{
	static const qemu_plugin_exec_fn on[INSN_MEANINGS] = {
		[INSN_INVALIDATE] = on_invalidate, [INSN_FLUSH] = on_flush, [INSN_SPACE] = on_space,
		[INSN_UNSEEN] = on_unseen,
	};

	qemu_plugin_register_vcpu_mem_cb(insn, is_message ? on_message : on_access,
					 QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW, NULL);
	if (on[meaning])
		qemu_plugin_register_vcpu_insn_exec_cb(insn, on[meaning], QEMU_PLUGIN_CB_NO_REGS,
						       NULL);
}

static uint64_t insn_page(const struct qemu_plugin_insn *insn)
{
	return qemu_plugin_insn_vaddr(insn) >> PAGE_SHIFT_MIN;
}

static void *block_argument(uint64_t page, size_t insns)
{
	return (void *)(uintptr_t)(page << BLOCK_INSNS_BITS | insns);
}

/* Instructions of @tb from @first on that begin in one page. */
static size_t run_length(const struct qemu_plugin_tb *tb, size_t first, size_t nr)
{
	uint64_t page = insn_page(qemu_plugin_tb_get_insn(tb, first));
	size_t i = first;

	while (i < nr && insn_page(qemu_plugin_tb_get_insn(tb, i)) == page)
		i++;
	return i - first;
}

static void runs_instrument(struct qemu_plugin_tb *tb, size_t nr)
{
	size_t first, length;

	for (first = 0; first < nr; first += length) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, first);
		void *arg;

		length = run_length(tb, first, nr);
		arg = block_argument(insn_page(insn), length);
		if (!first)
			qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS,
							     arg);
		else
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_block,
							       QEMU_PLUGIN_CB_NO_REGS, arg);
	}
}

static void on_translation(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t nr = qemu_plugin_tb_n_insns(tb), i;
	enum insn_meaning before = INSN_PLAIN;
	bool marked = false;

	(void)id;
	runs_instrument(tb, nr);
	for (i = 0; i < nr; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		enum insn_meaning meaning = model.insn_meaning(qemu_plugin_insn_data(insn),
							       qemu_plugin_insn_size(insn));

		insn_instrument(insn, meaning, marked);
		marked = meaning == INSN_MARK &&
			 (model.insn_meaning == insn_x86 || before == INSN_MARK_FIRST);
		before = meaning;
	}
}

static void on_exit_of_qemu(qemu_plugin_id_t id, void *arg)
{
	unsigned int searches, failed;
	char text[REASON_MAX];

	(void)id;
	(void)arg;
	if (model.trace)
		trace_end(&model.cpu[0]);
	spaces_searches(model.spaces, &searches, &failed);
	if (!failed)
		return;
	snprintf(text, sizeof(text), "%u of %u searches for user page tables found none",
		 failed, searches);
	say(text);
}

/* The value of NAME=VALUE among the arguments. */
static const char *argument(int argc, char **argv, const char *name)
{
	size_t len = strlen(name);
	int i;

	for (i = 0; i < argc; i++)
		if (!strncmp(argv[i], name, len) && argv[i][len] == '=')
			return argv[i] + len + 1;
	return NULL;
}

static int arch_set(const char *target)
{
	model.tagged = !strcmp(target, "aarch64");
	if (model.tagged)
		model.insn_meaning = insn_arm64;
	else if (!strcmp(target, "x86_64"))
		model.insn_meaning = insn_x86;
	else
		return -ENOTSUP;
	return 0;
}

/* @list: "ENTRIES:ENTRIES...", or NULL. */
static int reaches_parse(const char *list, char *reason, size_t len)
{
	char *end;

	for (; list && *list; list = *end ? end + 1 : end) {
		unsigned long entries = strtoul(list, &end, 10);
		struct tlb_config *config = &model.reach_config[model.nr_reaches];

		if (model.nr_reaches == TLBMODEL_REACHES) {
			snprintf(reason, len, "reach: more than %d sizes", TLBMODEL_REACHES);
			return -E2BIG;
		}
		*config = model.config;
		if ((*end && *end != ':') || entries > UINT32_MAX ||
		    __tlb_config_resize(config, (unsigned int)entries)) {
			snprintf(reason, len, "reach: \"%s\" does not begin with a number of entries that divides into the second level's ways",
				 list);
			return -EINVAL;
		}
		tlb_config_drop_l1(config);
		model.reach_entries[model.nr_reaches++] = (uint32_t)entries;
	}
	return 0;
}

static int preset_open(int argc, char **argv, char *reason, size_t len)
{
	int ret = __tlb_config_read(&model.config, argument(argc, argv, "preset"), reason, len);

	model.guest.contiguous = model.config.contiguous;
	model.guest.coalesce = model.config.coalesce;
	return ret ? ret : reaches_parse(argument(argc, argv, "reach"), reason, len);
}

static int guest_accept(const struct qemu_info *info, char *reason, size_t len)
{
	if (!info->system_emulation || arch_set(info->target_name)) {
		snprintf(reason, len, "guests of %s are not modelled", info->target_name);
		return -ENOTSUP;
	}
	if (info->system.max_vcpus > CPUS_MAX) {
		snprintf(reason, len, "%d CPUs, more than %d", info->system.max_vcpus, CPUS_MAX);
		return -E2BIG;
	}
	model.nr_cpus = (unsigned int)info->system.max_vcpus;
	return 0;
}

static int model_open(const struct qemu_info *info, int argc, char **argv, char *reason, size_t len)
{
	const char *ram = argument(argc, argv, "ram");
	int ret;

	if (!argument(argc, argv, "preset") || !ram) {
		snprintf(reason, len, "both preset=FILE and ram=FILE are needed");
		return -EINVAL;
	}
	ret = guest_accept(info, reason, len);
	if (!ret)
		ret = __guest_open(&model.guest, info->target_name, ram, reason, len);
	if (!ret)
		ret = preset_open(argc, argv, reason, len);
	if (ret)
		return ret;
	model.spaces = spaces_new(&model.guest);
	if (!model.spaces) {
		snprintf(reason, len, "no memory");
		return -ENOMEM;
	}
	return 0;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
			       char **argv);

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc,
			       char **argv)
{
	const char *most = argument(argc, argv, "trace-most");
	char reason[REASON_MAX];

	if (model_open(info, argc, argv, reason, sizeof(reason))) {
		say(reason);
		return 1;
	}
	model.trace_path = argument(argc, argv, "trace");
	model.trace_most = most ? strtoull(most, NULL, 10) : TRACE_MOST;
	qemu_plugin_register_vcpu_tb_trans_cb(id, on_translation);
	qemu_plugin_register_atexit_cb(id, on_exit_of_qemu, NULL);
	return 0;
}

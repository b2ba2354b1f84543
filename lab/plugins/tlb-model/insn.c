// SPDX-License-Identifier: GPL-2.0
/*
 * Sources: Arm ARM, "A64 system instruction class" (TLBI is SYS with CRn 8, or 9 for its nXS
 * forms), "DC ZVA" and "MOVZ"; Intel SDM volume 2, INVLPG, INVPCID, MOV to control registers, NOP.
 *
 * Limits: which address or space an instruction invalidates is in a register, and a plugin of this
 * interface reads none. So is what DC ZVA clears, and QEMU does not report it as an access.
 */
#include <stdbool.h>
#include <string.h>

#include <vmtests/tlbmodel.h>

#include "insn.h"

#define ARM64_SYS_MASK		0xfff8f000u
#define ARM64_TLBI		0xd5088000u
#define ARM64_TLBI_NXS		0xd5089000u
/* op1, CRn, op2 of TLBI VMALLE1, in any shareability. */
#define ARM64_VMALLE1_MASK	0xffffe0e0u
#define ARM64_VMALLE1		0xd5088000u
#define ARM64_MSR_TTBR0		0xd5182000u
#define ARM64_DC_ZVA		0xd50b7420u
#define ARM64_RT_MASK		0xffffffe0u
#define ARM64_MOVZ_XZR(imm)	(0xd280001fu | (uint32_t)(imm) << 5)

enum insn_meaning insn_arm64(const uint8_t *data, size_t size)
{
	uint32_t insn;

	if (size != sizeof(insn))
		return INSN_PLAIN;
	memcpy(&insn, data, sizeof(insn));
	if (insn == ARM64_MOVZ_XZR(TLBMODEL_MARK_1))
		return INSN_MARK_FIRST;
	if (insn == ARM64_MOVZ_XZR(TLBMODEL_MARK_2))
		return INSN_MARK;
	if ((insn & ARM64_RT_MASK) == ARM64_MSR_TTBR0)
		return INSN_SPACE;
	if ((insn & ARM64_RT_MASK) == ARM64_DC_ZVA)
		return INSN_UNSEEN;
	if ((insn & ARM64_VMALLE1_MASK) == ARM64_VMALLE1)
		return INSN_FLUSH;
	if ((insn & ARM64_SYS_MASK) == ARM64_TLBI || (insn & ARM64_SYS_MASK) == ARM64_TLBI_NXS)
		return INSN_INVALIDATE;
	return INSN_PLAIN;
}

static bool is_prefix(uint8_t byte)
{
	/* Operand size, repeats, and REX. */
	return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || (byte & 0xf0) == 0x40;
}

static enum insn_meaning control_register(uint8_t modrm)
{
	switch (modrm >> 3 & 7) {
	case 3:
		return INSN_SPACE;
	case 4:
		return INSN_FLUSH;
	default:
		return INSN_PLAIN;
	}
}

enum insn_meaning insn_x86(const uint8_t *data, size_t size)
{
	uint32_t mark;

	while (size && is_prefix(*data)) {
		data++;
		size--;
	}
	if (size < 3 || data[0] != 0x0f)
		return INSN_PLAIN;
	switch (data[1]) {
	case 0x01:	/* group 7: /7 with a memory operand is INVLPG */
		return (data[2] >> 3 & 7) == 7 && data[2] < 0xc0 ? INSN_INVALIDATE : INSN_PLAIN;
	case 0x1f:
		if (size != 8)
			return INSN_PLAIN;
		memcpy(&mark, data + 4, sizeof(mark));
		return mark == TLBMODEL_MARK ? INSN_MARK : INSN_PLAIN;
	case 0x22:
		return control_register(data[2]);
	case 0x38:	/* INVPCID */
		return data[2] == 0x82 ? INSN_INVALIDATE : INSN_PLAIN;
	default:
		return INSN_PLAIN;
	}
}

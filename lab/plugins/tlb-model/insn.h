/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The few instructions that the model must know, by their bytes.
 */
#ifndef TLB_MODEL_INSN_H
#define TLB_MODEL_INSN_H

#include <stddef.h>
#include <stdint.h>

enum insn_meaning {
	INSN_PLAIN,
	INSN_INVALIDATE,	/* something: an address, an address space */
	INSN_FLUSH,		/* everything */
	INSN_SPACE,		/* another user address space */
	INSN_MARK_FIRST,	/* of a message's sequence, where it takes two */
	INSN_UNSEEN,		/* accesses memory, and the emulator does not say where */
	INSN_MARK,		/* the next instruction loads from the message */
	INSN_MEANINGS
};

/* @data: @size bytes of one instruction. */
enum insn_meaning insn_arm64(const uint8_t *data, size_t size);
enum insn_meaning insn_x86(const uint8_t *data, size_t size);

#endif

// SPDX-License-Identifier: GPL-2.0
/* Takes out of a BPF program what its constants rule out. */
#include "loader/object/fold.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"

/* What is known of a register at one place. */
struct known {
	enum { NOTHING, ADDRESS, VALUE } what;
	__u32 value; /* ADDRESS: an offset into the constants */
};

/* By instruction. */
struct marks {
	bool *target;  /* jumped to, or called */
	bool *live;    /* reached */
	bool *kept;    /* live, and no jump to what follows */
	size_t *place; /* behind the removal; of one that is removed: that of the next one */
};

static bool is_wide(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static bool is_exit(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_JMP | BPF_EXIT);
}

static bool is_jump(const struct bpf_insn *instruction)
{
	const int class = BPF_CLASS(instruction->code), op = BPF_OP(instruction->code);

	return (class == BPF_JMP || class == BPF_JMP32) && op != BPF_CALL && op != BPF_EXIT;
}

static bool is_goto(const struct bpf_insn *instruction)
{
	return instruction->code == (BPF_JMP | BPF_JA);
}

/* A call of a function of the program, or the address of one. */
static bool is_call(const struct bpf_insn *instruction)
{
	return (instruction->code == (BPF_JMP | BPF_CALL) &&
		instruction->src_reg == BPF_PSEUDO_CALL) ||
	       (is_wide(instruction) && instruction->src_reg == BPF_PSEUDO_FUNC);
}

/* Where it leads, beside the next one; `at` itself if nowhere. */
static size_t target_of(const struct fold_program *program, size_t at)
{
	const struct bpf_insn *instruction = &program->instruction[at];

	return is_jump(instruction) ? at + 1 + instruction->off :
	       is_call(instruction) ? at + 1 + instruction->imm :
				      at;
}

static size_t next_of(const struct fold_program *program, size_t at)
{
	return at + 1 + is_wide(&program->instruction[at]);
}

/* False if there are jumps whose distance stands elsewhere, or that lead out of the program. */
static bool mark_targets(const struct fold_program *program, struct marks *marks)
{
	for (size_t i = 0; i < program->count; i = next_of(program, i)) {
		const struct bpf_insn *instruction = &program->instruction[i];
		const size_t target = target_of(program, i);

		if (target >= program->count || next_of(program, i) > program->count ||
		    (is_jump(instruction) && BPF_OP(instruction->code) > BPF_JSLE) ||
		    instruction->code == (BPF_JMP32 | BPF_JA))
			return false;
		marks->target[target] |= target != i;
	}
	return true;
}

/* --- constants --- */

/* A read of a constant becomes its value. */
static struct known after_load(struct bpf_insn *instruction, const struct known *known,
			       const struct fold_constants *constants)
{
	const struct known *from = &known[instruction->src_reg];
	const size_t at = (size_t)from->value + instruction->off;

	if (instruction->code != (BPF_LDX | BPF_MEM | BPF_B) || from->what != ADDRESS ||
	    at >= constants->size)
		return (struct known){};
	*instruction = (struct bpf_insn){.code = BPF_ALU | BPF_MOV | BPF_K,
					 .dst_reg = instruction->dst_reg,
					 .imm = constants->value[at]};
	return (struct known){VALUE, constants->value[at]};
}

static struct known after_arithmetic(const struct bpf_insn *instruction, const struct known *known)
{
	if (BPF_OP(instruction->code) == BPF_MOV && !instruction->off && instruction->imm >= 0) {
		if (BPF_SRC(instruction->code) == BPF_K)
			return (struct known){VALUE, (__u32)instruction->imm};
		if (BPF_CLASS(instruction->code) == BPF_ALU64 && !instruction->imm)
			return known[instruction->src_reg];
	}
	return (struct known){};
}

/* A branch that is always taken, or never, becomes a jump to there. */
static void decide(struct bpf_insn *instruction, const struct known *known)
{
	const struct known *value = &known[instruction->dst_reg];
	const int op = BPF_OP(instruction->code);
	bool taken;

	if (value->what != VALUE || BPF_SRC(instruction->code) != BPF_K ||
	    (op != BPF_JEQ && op != BPF_JNE))
		return;
	taken = (value->value == (__u32)instruction->imm && instruction->imm >= 0) ==
		(op == BPF_JEQ);
	*instruction = (struct bpf_insn){.code = BPF_JMP | BPF_JA,
					 .off = taken ? instruction->off : (__s16)0};
}

/* Follows what registers hold, from one target of a jump to the next. */
static void put_constants(struct fold_program *program, const struct fold_constants *constants,
			  const struct marks *marks)
{
	struct known known[MAX_BPF_REG] = {};

	for (size_t i = 0; i < program->count; i = next_of(program, i)) {
		struct bpf_insn *instruction = &program->instruction[i];
		struct known *to = &known[instruction->dst_reg];

		if (marks->target[i])
			memset(known, 0, sizeof(known));
		switch (BPF_CLASS(instruction->code)) {
		case BPF_LDX: *to = after_load(instruction, known, constants); break;
		case BPF_ALU:
		case BPF_ALU64: *to = after_arithmetic(instruction, known); break;
		case BPF_JMP:
		case BPF_JMP32:
			if (is_jump(instruction))
				decide(instruction, known);
			else /* a call */
				memset(known, 0, (BPF_REG_5 + 1) * sizeof(*known));
			break;
		case BPF_ST: break;
		case BPF_STX:
			if (BPF_MODE(instruction->code) != BPF_MEM) /* may change registers */
				memset(known, 0, sizeof(known));
			break;
		default:
			if (!is_wide(instruction))
				memset(known, 0, sizeof(known));
			else
				*to = instruction->src_reg == BPF_PSEUDO_MAP_VALUE &&
						      instruction->imm == constants->map ?
					      (struct known){ADDRESS, (__u32)instruction[1].imm} :
					      (struct known){};
		}
	}
}

/* --- what is left --- */

/* Follows the program from each place of the list. */
static void mark_live(const struct fold_program *program, struct marks *marks)
{
	size_t *list = xcalloc(program->count + 1, sizeof(*list)), length = 1;

	while (length) {
		size_t at = list[--length];

		while (at < program->count && !marks->live[at]) {
			const struct bpf_insn *instruction = &program->instruction[at];
			const size_t target = target_of(program, at);

			marks->live[at] = true;
			if (is_exit(instruction))
				break;
			if (target != at && !is_goto(instruction))
				list[length++] = target;
			at = is_goto(instruction) ? target : next_of(program, at);
		}
	}
	free(list);
}

/* True if nothing is left between the jump and its target. */
static bool leads_on(const struct fold_program *program, const struct marks *marks, size_t at)
{
	const size_t target = target_of(program, at);
	size_t i;

	if (!is_goto(&program->instruction[at]) || target <= at)
		return false;
	for (i = at + 1; i < target && !marks->kept[i]; i++)
		;
	return i == target;
}

/* Returns how many instructions are left. */
static size_t find_places(const struct fold_program *program, struct marks *marks)
{
	size_t i, place = 0;

	for (i = 0; i < program->count; i = next_of(program, i)) {
		marks->kept[i] = marks->live[i];
		if (is_wide(&program->instruction[i]))
			marks->kept[i + 1] = marks->kept[i];
	}
	/* From the end on: each that goes may be what the one before led over. */
	for (i = program->count; i-- > 0;)
		if (marks->kept[i] && leads_on(program, marks, i))
			marks->kept[i] = false;
	for (i = 0; i < program->count; i++) {
		marks->place[i] = place;
		place += marks->kept[i];
	}
	return place;
}

static void move(struct fold_program *program, const struct marks *marks)
{
	for (size_t i = 0, next; i < program->count; i = next) {
		struct bpf_insn instruction = program->instruction[i];
		const size_t target = target_of(program, i);
		const int distance = (int)(marks->place[target] - marks->place[i]) - 1;

		next = next_of(program, i);
		if (!marks->kept[i])
			continue;
		if (is_jump(&instruction))
			instruction.off = (__s16)distance;
		else if (is_call(&instruction))
			instruction.imm = distance;
		if (is_wide(&instruction))
			program->instruction[marks->place[i] + 1] = program->instruction[i + 1];
		program->instruction[marks->place[i]] = instruction;
	}
}

static void move_functions(struct fold_program *program, const struct marks *marks)
{
	__u32 left = 0;

	for (__u32 i = 0; i < program->functions; i++) {
		struct bpf_func_info function = program->function[i];

		if (!marks->live[function.insn_off])
			continue;
		function.insn_off = (__u32)marks->place[function.insn_off];
		program->function[left++] = function;
	}
	program->functions = left;
}

void fold(struct fold_program *program, const struct fold_constants *constants)
{
	bool *flags = xcalloc(3 * (program->count + 1), sizeof(*flags));
	struct marks marks = {
		.target = flags,
		.live = flags + program->count + 1,
		.kept = flags + 2 * (program->count + 1),
		.place = xcalloc(program->count + 1, sizeof(*marks.place)),
	};

	if (mark_targets(program, &marks)) {
		size_t left;

		put_constants(program, constants, &marks);
		mark_live(program, &marks);
		left = find_places(program, &marks);
		move(program, &marks);
		move_functions(program, &marks);
		program->count = left;
	}
	free(marks.place);
	free(flags);
}

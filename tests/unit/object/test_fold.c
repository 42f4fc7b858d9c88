// SPDX-License-Identifier: GPL-2.0
/* What is taken out of a program by its constants, and that what is left leads where it did. */
#include "tests/unit/expect.h"

#include <string.h>

#include "loader/base/memory.h"
#include "loader/object/fold.h"

#define MAP 7 /* descriptor of the constants */

static const unsigned char constants[] = {0, 1, 5};

/* Instructions, as the kernel's own macros would make them. */
#define INSN(c, d, s, o, i)                                                         \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}
#define CONSTANT(d, offset) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_VALUE, 0, MAP), INSN(0, 0, 0, 0, offset)
#define OTHER_MAP(d) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_MAP_VALUE, 0, MAP + 1), INSN(0, 0, 0, 0, 0)
#define BYTE(d, s)	  INSN(BPF_LDX | BPF_MEM | BPF_B, d, s, 0, 0)
#define SET(d, i)	  INSN(BPF_ALU | BPF_MOV | BPF_K, d, 0, 0, i)
#define COPY(d, s)	  INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define ADD(d, i)	  INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define IF_SAME(d, i, o)  INSN(BPF_JMP32 | BPF_JEQ | BPF_K, d, 0, o, i)
#define IF_OTHER(d, i, o) INSN(BPF_JMP | BPF_JNE | BPF_K, d, 0, o, i)
#define IF_MORE(d, i, o)  INSN(BPF_JMP | BPF_JGT | BPF_K, d, 0, o, i)
#define GOTO(o)		  INSN(BPF_JMP | BPF_JA, 0, 0, o, 0)
#define CALL(i)		  INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, i)
#define HELPER(i)	  INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define FUNCTION(d, i) \
	INSN(BPF_LD | BPF_IMM | BPF_DW, d, BPF_PSEUDO_FUNC, 0, i), INSN(0, 0, 0, 0, 0)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

/* Folds what is in `given`, whose functions begin at 0 and at `second` (0: there is none). */
static void folded(const struct bpf_insn *given, size_t count, __u32 second,
		   const struct bpf_insn *expect, size_t left, __u32 second_left)
{
	const struct fold_constants known = {MAP, constants, sizeof(constants)};
	struct bpf_func_info function[2] = {{0, 1}, {second, 2}};
	struct bpf_insn *copy = xcalloc(count, sizeof(*copy));
	struct fold_program program = {copy, count, function, second ? 2 : 1};
	size_t i;

	memcpy(copy, given, count * sizeof(*copy));
	fold(&program, &known);
	assert_int_equal(program.count, left);
	for (i = 0; i < left; i++)
		if (memcmp(&copy[i], &expect[i], sizeof(*copy)))
			fail_msg("instruction %zu: %02x r%u r%u %d %d", i, copy[i].code,
				 copy[i].dst_reg, copy[i].src_reg, copy[i].off, copy[i].imm);
	assert_int_equal(program.functions, second_left ? 2 : 1);
	if (second_left) {
		assert_int_equal(function[1].insn_off, second_left);
		assert_int_equal(function[1].type_id, 2);
	}
	free(copy);
}

#define FOLDED(given, second, expect, second_left) \
	folded(given, ARRAY_SIZE(given), second, expect, ARRAY_SIZE(expect), second_left)

static void a_branch_is_decided(void **state)
{
	const struct bpf_insn never[] = {CONSTANT(1, 0), BYTE(2, 1), IF_OTHER(2, 0, 1), SET(0, 3),
					 EXIT};
	const struct bpf_insn falls[] = {CONSTANT(1, 0), SET(2, 0), SET(0, 3), EXIT};
	const struct bpf_insn always[] = {
		CONSTANT(1, 2), BYTE(1, 1), IF_SAME(1, 5, 2), SET(0, 3), EXIT, SET(0, 4), EXIT};
	const struct bpf_insn jumps[] = {CONSTANT(1, 2), SET(1, 5), SET(0, 4), EXIT};

	(void)state;
	FOLDED(never, 0, falls, 0);
	FOLDED(always, 0, jumps, 0);
}

/* A loop, a call and the address of a function lead over what is removed, forwards and back. */
static void the_rest_leads_where_it_did(void **state)
{
	const struct bpf_insn given[] = {
		/* 0 */ CALL(12),
		CONSTANT(1, 0),
		BYTE(1, 1),
		IF_SAME(1, 0, 2),
		/* 5 */ CALL(7),
		GOTO(-2),
		FUNCTION(2, 5),
		CALL(3),
		/* 10 */ ADD(6, 1),
		IF_MORE(6, 9, -11),
		EXIT,
		/* 13 */ ADD(1, 2),
		EXIT,
	};
	const struct bpf_insn expect[] = {
		/* 0 */ CALL(9),    CONSTANT(1, 0), SET(1, 0),	       FUNCTION(2, 5),
		/* 6 */ CALL(3),    ADD(6, 1),	    IF_MORE(6, 9, -8), EXIT,
		/* 10 */ ADD(1, 2), EXIT,
	};

	(void)state;
	FOLDED(given, 13, expect, 10);
}

static void a_function_that_is_not_called_goes(void **state)
{
	const struct bpf_insn given[] = {
		CONSTANT(1, 1), BYTE(1, 1), IF_SAME(1, 1, 1), CALL(1), EXIT, SET(0, 2), EXIT};
	const struct bpf_insn expect[] = {CONSTANT(1, 1), SET(1, 1), EXIT};

	(void)state;
	FOLDED(given, 6, expect, 0);
}

/* Of a helper only r0 to r5 are lost; a copy of a register is known as well. */
static void what_is_known_lives_on(void **state)
{
	const struct bpf_insn given[] = {CONSTANT(6, 1), COPY(7, 6), HELPER(5),
					 BYTE(8, 7),	 HELPER(5),  IF_OTHER(8, 1, 1),
					 EXIT,		 SET(0, 2),  EXIT};
	const struct bpf_insn expect[] = {CONSTANT(6, 1), COPY(7, 6), HELPER(5),
					  SET(8, 1),	  HELPER(5),  EXIT};

	(void)state;
	FOLDED(given, 0, expect, 0);
}

static void same(const struct bpf_insn *given, size_t count)
{
	folded(given, count, 0, given, count, 0);
}

#define SAME(...)                                              \
	do {                                                   \
		const struct bpf_insn given[] = {__VA_ARGS__}; \
		same(given, ARRAY_SIZE(given));                \
	} while (0)

static void what_is_not_known_stays(void **state)
{
	(void)state;
	SAME(OTHER_MAP(1), BYTE(1, 1), IF_SAME(1, 0, 1), SET(0, 3), EXIT);
	/* Behind the end of the constants. */
	SAME(CONSTANT(1, 3), BYTE(1, 1), IF_SAME(1, 0, 1), SET(0, 3), EXIT);
	/* More than a byte. */
	SAME(CONSTANT(1, 0), INSN(BPF_LDX | BPF_MEM | BPF_H, 1, 1, 0, 0), IF_SAME(1, 0, 1),
	     SET(0, 3), EXIT);
	/* An argument of a helper. */
	SAME(SET(1, 0), HELPER(5), IF_SAME(1, 0, 1), SET(0, 3), EXIT);
	/* Changed since. */
	SAME(SET(1, 0), ADD(1, 1), IF_SAME(1, 0, 1), SET(0, 3), EXIT);
	/* An atomic operation gives r0 what was there. */
	SAME(SET(0, 0), INSN(BPF_STX | BPF_ATOMIC | BPF_W, 10, 1, -8, BPF_CMPXCHG),
	     IF_SAME(0, 0, 1), SET(0, 3), EXIT);
	/* By the jump another value may come there. */
	SAME(SET(1, 0), IF_MORE(6, 5, 1), SET(1, 1), IF_SAME(1, 1, 1), SET(0, 3), EXIT);
	/* Compared otherwise than for being the same. */
	SAME(SET(1, 0), IF_MORE(1, 0, 1), SET(0, 3), EXIT);
}

/* A jump that this does not know: nothing at all is changed. */
static void unknown_jumps(void **state)
{
	(void)state;
	SAME(CONSTANT(1, 0), BYTE(1, 1), IF_SAME(1, 0, 1), EXIT,
	     INSN(BPF_JMP32 | BPF_JA, 0, 0, 0, 0), EXIT);
	SAME(CONSTANT(1, 0), BYTE(1, 1), IF_SAME(1, 0, 1), EXIT, INSN(BPF_JMP | 0xe0, 0, 0, 0, 0),
	     EXIT);
	SAME(CONSTANT(1, 0), BYTE(1, 1), IF_SAME(1, 0, 9), EXIT, EXIT);
	SAME(CONSTANT(1, 0), BYTE(1, 1), IF_SAME(1, 0, -9), EXIT, EXIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_branch_is_decided),
		cmocka_unit_test(the_rest_leads_where_it_did),
		cmocka_unit_test(a_function_that_is_not_called_goes),
		cmocka_unit_test(what_is_known_lives_on),
		cmocka_unit_test(what_is_not_known_stays),
		cmocka_unit_test(unknown_jumps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

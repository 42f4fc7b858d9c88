/* SPDX-License-Identifier: GPL-2.0 */
/* Short words for rows: frames, and their expected verdicts. */
#ifndef PORTCULLIS_TEST_ROW_WORDS_H
#define PORTCULLIS_TEST_ROW_WORDS_H

#include "tests/packet/rows.h"

#define TCP(n) ((int)PC_PORT(PC_TCP, n))
#define UDP(n) ((int)PC_PORT(PC_UDP, n))

#define PASS(why)                                   \
	{                                           \
		MODEL_PASS, MODEL_PASS_##why, -1, 0 \
	}
#define DROP(why)                              \
	{                                      \
		MODEL_DROP, MODEL_##why, -1, 0 \
	}
#define WOULD(why)                                   \
	{                                            \
		MODEL_WOULD_DROP, MODEL_##why, -1, 0 \
	}

#define PASS_AT(port)                                \
	{                                            \
		MODEL_PASS, MODEL_PASS_PORT, port, 0 \
	}
#define DROP_AT(why, port)                       \
	{                                        \
		MODEL_DROP, MODEL_##why, port, 0 \
	}
#define WOULD_AT(why, port)                            \
	{                                              \
		MODEL_WOULD_DROP, MODEL_##why, port, 0 \
	}

/* An IP packet of each kind; more fields may follow. */
#define T4(...)                                         \
	{                                               \
		.family = 4, .protocol = 6, __VA_ARGS__ \
	}
#define T6(...)                                         \
	{                                               \
		.family = 6, .protocol = 6, __VA_ARGS__ \
	}
#define U4(...)                                          \
	{                                                \
		.family = 4, .protocol = 17, __VA_ARGS__ \
	}
#define U6(...)                                          \
	{                                                \
		.family = 6, .protocol = 17, __VA_ARGS__ \
	}
#define I4(...)                                         \
	{                                               \
		.family = 4, .protocol = 1, __VA_ARGS__ \
	}
#define I6(...)                                          \
	{                                                \
		.family = 6, .protocol = 58, __VA_ARGS__ \
	}

#define EXTS(n, ...) .exts = n, .ext = {__VA_ARGS__}
#define P16(from, at, value)               \
	{                                  \
		{                          \
			from, at, 2, value \
		}                          \
	}
#define P8(from, at, value)                \
	{                                  \
		{                          \
			from, at, 1, value \
		}                          \
	}
/* Offsets in their headers of the fields that are patched most. */
#define TOTAL	2
#define PAYLOAD 4
#define DOFF	12

#endif

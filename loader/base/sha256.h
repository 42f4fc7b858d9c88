/* SPDX-License-Identifier: GPL-2.0 */
/* SHA-256 (FIPS 180-4), to tell whether two texts are the same. */
#ifndef PORTCULLIS_BASE_SHA256_H
#define PORTCULLIS_BASE_SHA256_H

#include <stddef.h>
#include <linux/types.h>

#define SHA256_TEXT 65 /* a digest in hexadecimal, with its NUL */

struct sha256 {
	__u32 state[8];
	__u64 bytes;
	__u8 block[64];
};

void sha256_start(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t length);
void sha256_end(struct sha256 *sha, char text[SHA256_TEXT]);

#endif

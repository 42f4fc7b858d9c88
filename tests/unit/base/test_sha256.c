// SPDX-License-Identifier: GPL-2.0
/* SHA-256, by the examples of FIPS 180. */
#include "loader/base/sha256.h"
#include "tests/unit/expect.h"

static void expect_sha(const char *text, size_t repeats, const char *wanted)
{
	char is[SHA256_TEXT];
	struct sha256 sha;

	sha256_start(&sha);
	while (repeats--)
		sha256_add(&sha, text, strlen(text));
	sha256_end(&sha, is);
	assert_string_equal(is, wanted);
}

/* FIPS 180-2, appendix B, and the lengths at which the padding needs a block of its own. */
static void test_sha256(void **state)
{
	(void)state;
	expect_sha("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect_sha("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect_sha("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
		   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	expect_sha("a", 1000000,
		   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	expect_sha("a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
	expect_sha("a", 56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a");
	expect_sha("a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha256),
	};

	return cmocka_run_group_tests_name("base/sha256", tests, NULL, NULL);
}

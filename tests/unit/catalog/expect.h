/* SPDX-License-Identifier: GPL-2.0 */
/* Helpers that the tests from catalog/ on share. */
#ifndef PORTCULLIS_TEST_CATALOG_EXPECT_H
#define PORTCULLIS_TEST_CATALOG_EXPECT_H

#include "loader/base/names.h"
#include "loader/catalog/ports.h"
#include "tests/unit/expect.h"

static inline void expect_ports(const struct ports *ports, const char *expected)
{
	struct names names = {0};

	ports_strings(ports, &names);
	expect_names(&names, expected);
	names_free(&names);
}

#endif

// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the readers of products' own configuration. The first byte chooses the reader; the second,
 * for XML, the expression.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "loader/base/memory.h"
#include "loader/catalog/settings_communigate.h"
#include "loader/catalog/settings_registry.h"
#include "loader/catalog/xml.h"
#include "loader/recipe/claims.h"
#include "tests/fuzz/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_registry(const char *text, size_t length, struct settings *settings, char **why)
{
	return settings_registry(text, length, NULL, settings, why);
}

static settings_reader *const reader[] = {settings_keys, settings_master, settings_dovecot,
					  read_registry, settings_communigate};

static void check_settings(const struct settings *settings, const char *text, size_t size)
{
	int lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n'; /* also of UTF-16 */
	CHECK(settings->count <= SETTINGS_LIMIT);
	for (size_t i = 0; i < settings->count; i++) {
		const struct setting *setting = &settings->setting[i];
		struct port_range range = {};

		CHECK(setting->key && setting->value && setting->line >= 0);
		CHECK(setting->line <= lines);
		if (claim_ports(setting->value, 1 << PC_TCP, &range) == 1)
			CHECK(range.first && range.first <= range.last);
	}
}

static void read_xml(const char *text, size_t size)
{
	static const char *const xpath[] = {"//@*", "//*", "/Server/Service/Connector/@port",
					    "count(//*)", "//text()"};
	__cleanup(settings_free) struct settings settings = {};
	__cleanup(xml_free) struct xml *xml = NULL;
	__free_text char *why = NULL;

	if (!size || xml_parse(text + 1, size - 1, &xml, &why)) {
		CHECK(!size || why);
		return;
	}
	if (xml_find(xml, xpath[(__u8)*text % ARRAY_SIZE(xpath)], &settings, &why))
		CHECK(why);
	CHECK(settings.count <= XML_VALUES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	__cleanup(settings_free) struct settings settings = {};
	__free_text char *text = malloc(size ? size : 1), *why = NULL;
	size_t which;

	if (!size)
		return 0;
	which = data[0] % (ARRAY_SIZE(reader) + 1);
	/* A copy of exactly that size with its NUL, so that a byte read beyond it is seen. */
	CHECK(text);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (which == ARRAY_SIZE(reader))
		read_xml(text, size - 1);
	else if (reader[which](text, size - 1, &settings, &why))
		CHECK(why);
	else
		check_settings(&settings, text, size - 1);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0 */
/* Reports of one interface, for the tests of their forms. */
#ifndef PORTCULLIS_TEST_REPORT_FORMS_H
#define PORTCULLIS_TEST_REPORT_FORMS_H

#include <stdint.h>

#include "loader/base/memory.h"
#include "loader/report/counters.h"
#include "loader/report/json_forms.h"
#include "loader/report/text_counters.h"
#include "tests/unit/expect.h"

/* What a text form prints. The caller frees. */
static inline char *text_form(const json_t *report, const json_t *before, bool all,
			      void (*form)(const json_t *report, FILE *to))
{
	char *text = NULL;
	size_t length = 0;
	FILE *to = open_memstream(&text, &length);

	assert_non_null(to);
	if (form)
		form(report, to);
	else
		report_counters_text(report,
				     &(struct counters_view){
					     .before = before,
					     .seconds = 2,
					     .top = all ? SIZE_MAX : COUNTERS_TOP,
				     },
				     to);
	fclose(to);
	return text;
}

static inline json_t *service(const char *name, const char *direction, const char *ports)
{
	return json_pack("{s:s, s:s, s:b, s:[s]}", "name", name, "direction", direction, "open", 1,
			 "ports", ports);
}

static inline json_t *profiles_of(json_t *services)
{
	return json_pack("[{s:s, s:o}]", "name", "p", "services", services);
}

/* "in 25/tcp a, b; ..." */
static inline char *ports_said(const json_t *report)
{
	char *text = NULL;
	size_t length = 0, i;
	FILE *to = open_memstream(&text, &length);
	const json_t *port;

	assert_non_null(to);
	json_array_foreach (json_object_get(report, "ports"), i, port) {
		__free_text char *names = report_joined(json_object_get(port, "services"), ", ");

		fprintf(to, "%s%s %d/%s %s", i ? "; " : "",
			json_string_value(json_object_get(port, "direction")),
			(int)json_integer_value(json_object_get(port, "port")),
			json_string_value(json_object_get(port, "protocol")), names);
	}
	fclose(to);
	return text;
}

static inline void count_port(struct counters *counters, enum pc_transport transport, __u16 port,
			      __u64 packets)
{
	counters->cell[PC_CELL_DROP + PC_PORT(transport, port)] = (struct count){packets, 60};
}

#endif

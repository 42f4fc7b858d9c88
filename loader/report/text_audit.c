// SPDX-License-Identifier: GPL-2.0
/* The text forms of `audit`. */
#include "loader/report/text_audit.h"

#include <string.h>

#include "loader/base/columns.h"
#include "loader/base/memory.h"
#include "loader/base/terminal.h"
#include "loader/base/utf8.h"
#include "loader/base/wrap.h"
#include "loader/report/audit.h"
#include "loader/report/json_forms.h"
#include "loader/report/text.h"

#define KIND_COLUMN 25 /* column of the text after kind and port */

static bool is(const json_t *object, const char *key, const char *text)
{
	return !strcmp(text_of(object, key), text);
}

/* "java (tomcat9.service)"; the caller frees. */
static char *owner_text(const json_t *finding)
{
	const char *process = text_of(finding, "process"), *unit = text_of(finding, "unit");
	const char *container = text_of(finding, "container");

	return xasprintf("%s%s%s%s%s%s", *process ? process : "a socket without a process",
			 *unit || *container ? " (" : "", unit, *unit && *container ? ", " : "",
			 container, *unit || *container ? ")" : "");
}

/* The services of a finding; for a machine behind its name: "core: ssh:ssh". The caller frees. */
static char *services_text(const json_t *finding)
{
	__free_text char *services = report_joined(json_object_get(finding, "services"), ", ");
	const char *machine = text_of(finding, "machine");

	return xasprintf("%s%s%s", machine, *machine ? ": " : "", services);
}

char *audit_finding_text(const json_t *finding)
{
	__free_text char *services = services_text(finding);
	__free_text char *owner = owner_text(finding);

	if (is(finding, "kind", "silent"))
		return xasprintf("%s is open, and nothing listens", services);
	if (is(finding, "kind", "unused"))
		return xasprintf("%s has passed no packet since counting began", services);
	if (is(finding, "kind", "empty-group"))
		return xasprintf("group %s has no prefix, so that %s admits no source",
				 text_of(finding, "group"), services);
	return xasprintf("%s %s, and no open service has the port%s%s", owner,
			 is(finding, "process", AUDIT_TRANSLATES) ? "hands it on" :
			 is(finding, "kind", "published")	  ? "publishes it for a container" :
								    "listens",
			 *services ? "; closed: " : "", services);
}

static void print_finding(const json_t *finding, size_t columns, FILE *to)
{
	const json_t *port = json_object_get(finding, "port");
	__free_text char *text = audit_finding_text(finding);
	__free_text char *number = json_is_integer(port) ?
					   xasprintf("%lld/%s", (long long)json_integer_value(port),
						     text_of(finding, "protocol")) :
					   xstrdup("");
	const char *fix = text_of(finding, "fix");

	text_print(to, "  %-11s %-10s ", text_of(finding, "kind"), number);
	text_line(to, columns, KIND_COLUMN, KIND_COLUMN, "%s", text);
	fputc('\n', to);
	if (*fix) {
		__free_text char *shown = text_printable(fix);

		fprintf(to, "%*s", KIND_COLUMN, "");
		wrap_command(shown, KIND_COLUMN, KIND_COLUMN + 2, columns, to);
		fputc('\n', to);
	}
}

static void print_findings(const json_t *report, const char *interface, size_t columns, FILE *to)
{
	const json_t *finding;
	size_t i, count = 0;

	json_array_foreach (json_object_get(report, "findings"), i, finding)
		if (is(finding, "interface", interface)) {
			print_finding(finding, columns, to);
			count++;
		}
	if (!count)
		fputs("  the rules fit: every port that listens is open, and every open port is in use\n",
		      to);
}

static void print_interface(const json_t *one, size_t columns, FILE *to)
{
	__free_text char *since = text_time(text_of(one, "since"));

	text_line(to, columns, 0, 2, "%s: %s, counting since %s", text_of(one, "name"),
		  text_of(one, "policy"), since);
	fputc('\n', to);
}

void report_audit_text(const json_t *report, FILE *to)
{
	size_t columns = terminal_columns(to), i;
	const json_t *one;

	json_array_foreach (json_object_get(report, "interfaces"), i, one) {
		if (i)
			fputc('\n', to);
		print_interface(one, columns, to);
		print_findings(report, text_of(one, "name"), columns, to);
	}
}

/* --- evidence --- */

static void print_open(const json_t *one, size_t columns, FILE *to)
{
	struct columns table = {
		.limit = columns,
		.count = 6,
		.heading = {"OPEN", "SERVICE", "FROM", "PRODUCT", "LIST OF", "?SOURCE"},
	};
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(one, "open"), i, row) {
		__free_text char *ports = report_joined(json_object_get(row, "ports"), ", ");
		__free_text char *from = report_joined(json_object_get(row, "from"), ", ");
		__free_text char *product =
			xasprintf("%s%s%s", text_of(row, "product"),
				  *text_of(row, "release") ? " " : "", text_of(row, "release"));
		const char *cell[] = {ports,   text_of(row, "service"), *from ? from : "anyone",
				      product, text_of(row, "as_of"),	text_of(row, "url")};

		columns_row(&table, TONE_PLAIN, cell);
	}
	if (table.rows)
		columns_print(&table, to);
	else
		fputs("  no port is open\n", to);
}

static void print_groups(const json_t *one, size_t columns, FILE *to)
{
	const json_t *members;
	const char *name;

	json_object_foreach (json_object_get(one, "groups"), name, members) {
		__free_text char *list = report_joined(members, ", ");

		fputs("  ", to);
		text_line(to, columns, 2, 4, "group %s: %s", name, *list ? list : "no prefix");
		fputc('\n', to);
	}
}

static void print_exceptions(const json_t *one, size_t columns, FILE *to)
{
	const json_t *exception;
	size_t i;

	json_array_foreach (json_object_get(one, "exceptions"), i, exception) {
		const char *comment = text_of(exception, "comment"), *by = text_of(exception, "by");
		const char *confirmed = text_of(exception, "confirmed_by");
		__free_text char *since = text_time(text_of(exception, "since"));

		fputs("  ", to);
		text_line(to, columns, 2, 4, "exception %s: %s%s%s%s%s%s%s",
			  text_of(exception, "text"), *comment ? comment : "no comment",
			  *since ? "; since " : "", since, *by ? " by " : "", by,
			  *confirmed ? ", confirmed by " : "", confirmed);
		fputc('\n', to);
	}
	if (!i)
		fputs("  no exception to the profiles\n", to);
}

static void print_machines(const json_t *one, size_t columns, FILE *to)
{
	const json_t *machine;
	size_t i;

	json_array_foreach (json_object_get(one, "machines"), i, machine) {
		text_line(to, columns, 0, 2, "%s: machine %s: %s", text_of(one, "name"),
			  text_of(machine, "name"), text_of(machine, "address"));
		fputc('\n', to);
		print_open(machine, columns, to);
		print_groups(machine, columns, to);
		print_exceptions(machine, columns, to);
	}
}

void report_evidence_text(const json_t *report, FILE *to)
{
	size_t columns = terminal_columns(to), i;
	__free_text char *date = text_time(text_of(report, "date"));
	const json_t *one;

	text_line(to, columns, 0, 2, "%s, %s, portcullis %s", text_of(report, "host"), date,
		  text_of(report, "portcullis"));
	fputc('\n', to);
	json_array_foreach (json_object_get(report, "interfaces"), i, one) {
		fputc('\n', to);
		print_interface(one, columns, to);
		print_open(one, columns, to);
		print_groups(one, columns, to);
		print_exceptions(one, columns, to);
		print_machines(one, columns, to);
		print_findings(report, text_of(one, "name"), columns, to);
	}
}

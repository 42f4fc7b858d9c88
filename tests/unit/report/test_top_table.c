// SPDX-License-Identifier: GPL-2.0
/* The lines of `top`: panels on screens of every size, columns that fit, no escape sequences. */
#include "loader/base/utf8.h"
#include "loader/report/top_table.h"
#include "tests/unit/expect.h"
#include "tests/unit/report/made_looks.h"

static size_t width(const char *text)
{
	return utf8_width(text, strlen(text));
}

/* Panels do not overlap, and stay between header and footer. */
static void expect_place(size_t rows, size_t columns, size_t header, const size_t *need,
			 enum top_panel active)
{
	__free_text char *taken = xcalloc(rows, columns);
	struct top_area area[TOP_PANELS];

	top_place(rows, columns, header, need, active, area);
	for (size_t i = 0; i < TOP_PANELS; i++) {
		assert_true(area[i].rows >= (need[i] < 2 ? need[i] : 2));
		assert_true(area[i].top >= header && area[i].top + area[i].rows <= rows - 1);
		assert_true(area[i].left + area[i].columns <= columns);
		for (size_t row = area[i].top; row < area[i].top + area[i].rows; row++)
			for (size_t at = 0; at < area[i].columns; at++)
				assert_false(taken[row * columns + area[i].left + at]++);
	}
}

static void test_place(void **state)
{
	static const size_t needs[][2] = {{1, 1}, {1, 8}, {5, 3}, {1001, 8}, {1001, 1001}};

	(void)state;
	for (size_t rows = TOP_ROWS_LEAST; rows <= 60; rows++)
		for (size_t i = 0; i < ARRAY_SIZE(needs); i++)
			for (enum top_panel active = 0; active < TOP_PANELS; active++) {
				size_t need[TOP_PANELS], header = top_header_rows(rows, 1 + i);

				for (size_t panel = 0; panel < TOP_PANELS; panel++)
					need[panel] = needs[i][panel % 2];
				expect_place(rows, 40, header, need, active);
				expect_place(rows, 80, header, need, active);
				expect_place(rows, 200, header, need, active);
			}
	assert_int_equal(top_header_rows(24, 1), 2);
	assert_int_equal(top_header_rows(24, 9), 5);
	assert_int_equal(top_header_rows(10, 9), 2);
}

/* If panels are below each other, the active one gets its rows first, and no row is left unused. */
static void test_place_active(void **state)
{
	struct top_area area[TOP_PANELS];
	size_t need[TOP_PANELS] = {100, 100};

	(void)state;
	top_place(24, 80, 2, need, TOP_SERVICES, area);
	assert_true(area[TOP_SERVICES].rows > area[TOP_REASONS].rows);
	top_place(24, 80, 2, need, TOP_REASONS, area);
	assert_true(area[TOP_SERVICES].rows < area[TOP_REASONS].rows);
	need[TOP_REASONS] = 3;
	top_place(24, 80, 2, need, TOP_REASONS, area);
	assert_int_equal(area[TOP_REASONS].rows, 3);
	/* Remaining rows go to the services, or on a wide screen to the sources. */
	need[TOP_SERVICES] = need[TOP_SOURCES] = 4;
	top_place(24, 80, 2, need, TOP_REASONS, area);
	assert_int_equal(area[TOP_SERVICES].rows, 24 - 3 - 3 - 4);
	top_place(24, 200, 2, need, TOP_REASONS, area);
	assert_int_equal(area[TOP_SERVICES].rows, 21);
	assert_int_equal(area[TOP_REASONS].rows, 3);
	assert_int_equal(area[TOP_SOURCES].rows, 18);
}

static json_t *services(void)
{
	return json_pack("[o, o]", service("smtp-inbound-of-the-cluster-frontend", "in", "25/tcp"),
			 service("rtp", "in", "60000-60099/udp"));
}

static void expect_table(struct top_looks *looks, size_t columns, const char *heading,
			 const char *first)
{
	struct top_looks none = {};
	struct top_table table;
	struct top_rows rows;
	__free_text char *got = NULL, *line = NULL;

	top_rows(looks, &none, TOP_SERVICES, TOP_BY_TOTAL, &rows);
	top_table_fit(&table, TOP_SERVICES, looks, &rows, columns);
	got = top_table_heading(&table, TOP_BY_TOTAL, true);
	line = top_table_line(&table, looks, &rows.row[0]);
	assert_string_equal(got, heading);
	assert_string_equal(line, first);
	free(rows.row);
}

static void test_table(void **state)
{
	struct top_looks looks = {};
	struct top_look *look = look_add(&looks, "eth0", services());

	(void)state;
	look_count(look, PC_CELL_PASS + PC_PORT(PC_TCP, 25), 29476, 1960000);
	look_count(look, PC_CELL_DROP + PC_PORT(PC_TCP, 25), 12, 1000);
	expect_table(
		&looks, 120,
		">WAY  PORT             SERVICE                                  PKT/S   BIT/S  DROP/S  *PACKETS  DROPPED",
		" in   25/tcp           p:smtp-inbound-of-the-cluster-frontend       -       -       -    29.5 k       12");
	expect_table(
		&looks, 80,
		">WAY  PORT           SERVICE                     PKT/S   BIT/S  DROP/S  *PACKETS",
		" in   25/tcp         p:smtp-..cluster-frontend       -       -       -    29.5 k");
	expect_table(&looks, 40, ">PORT       SERVICE        PKT/S   BIT/S",
		     " 25/tcp     p:s..rontend       -       -");
	/* Several interfaces are told apart. */
	look_add(&looks, "eth1", services());
	expect_table(
		&looks, 80,
		">IFACE  WAY  PORT           SERVICE              PKT/S   BIT/S  DROP/S  *PACKETS",
		" eth0   in   25/tcp         p:smt..er-frontend       -       -       -    29.5 k");
	top_looks_free(&looks);
}

/* No line is wider than its area, at any width, and has the columns that a row cannot do without. */
static void test_widths(void **state)
{
	static const char *const always[TOP_PANELS][3] = {
		[TOP_SERVICES] = {"IFACE", "PORT", "PKT/S"},
		[TOP_REASONS] = {"IFACE", "PKT/S"},
		[TOP_SOURCES] = {"IFACE", "PORT", "PKT/S"},
	};
	struct top_looks looks = {}, none = {};

	(void)state;
	look_count(look_add(&looks, "interface-of-15", services()),
		   PC_CELL_PASS + PC_PORT(PC_TCP, 25), 294760000000, 1960000);
	look_add(&looks, "\xc3\xa4\xc3\xb6", services());
	look_count(&looks.look[1], PC_CELL_REASON + PC_REASON_SOURCE, 7, 100);
	for (size_t columns = TOP_COLUMNS_LEAST; columns <= 200; columns++)
		for (enum top_panel panel = 0; panel < TOP_PANELS; panel++) {
			__free_text char *heading = NULL;
			struct top_table table;
			struct top_rows rows;
			enum tone tone;

			top_rows(&looks, &none, panel, TOP_BY_PACKETS, &rows);
			top_table_fit(&table, panel, &looks, &rows, columns);
			heading = top_table_heading(&table, TOP_BY_PACKETS, false);
			assert_true(width(heading) <= columns);
			for (size_t i = 0; i < ARRAY_SIZE(always[0]) && always[panel][i]; i++)
				assert_non_null(strstr(heading, always[panel][i]));
			for (size_t i = 0; i < rows.count; i++) {
				__free_text char *line =
					top_table_line(&table, &looks, &rows.row[i]);

				assert_true(width(line) <= columns);
			}
			free(rows.row);
			free(heading);
			heading = top_interface_line(&looks, &none, 0, 0, columns, &tone);
			assert_true(width(heading) <= columns);
		}
	top_looks_free(&looks);
}

static void test_control_characters(void **state)
{
	struct top_looks looks = {}, none = {};
	struct top_look *look = look_add(&looks, "e\x1b[31mth",
					 json_pack("[o]", service("m\x07s", "in", "25/tcp")));
	enum tone tone;

	(void)state;
	look_count(look, PC_CELL_PASS + PC_PORT(PC_TCP, 25), 1, 60);
	expect_table(&looks, 80, ">WAY  PORT    SERVICE   PKT/S   BIT/S  DROP/S  *PACKETS  DROPPED",
		     " in   25/tcp  p:m?s         -       -       -         1        0");
	{
		__free_text char *line = top_interface_line(&looks, &none, 0, 0, 80, &tone);
		struct top_title title = {.host = "h\x1b]0;x", .interval = 2, .frozen = true};
		__free_text char *bar = top_title_line(&title, 80);

		assert_string_equal(line, " e?[31mth  enforce");
		assert_non_null(strstr(bar, " portcullis top  h?]0;x  every 2 s  FROZEN "));
		assert_int_equal(width(bar), 80);
	}
	top_looks_free(&looks);
}

static void test_interface_line(void **state)
{
	struct top_looks looks = {}, before = {};
	__free_text char *line = NULL;
	enum tone tone;

	(void)state;
	look_add(&before, "eth0", json_array());
	look_time(&before, 100);
	look_add(&looks, "eth0", json_array());
	look_time(&looks, 102);
	look_count(&looks.look[0], PC_CELL_OTHER + PC_OTHER_REPLY, 2460, 1000);
	look_count(&looks.look[0], PC_CELL_REASON + PC_REASON_SOURCE, 40, 1000);
	line = top_interface_line(&looks, &before, 0, 0, 80, &tone);
	assert_string_equal(
		line, " eth0  enforce  in 1.25 k/s 8.00 kbit/s, dropped 20/s  out 0/s 0 bit/s");
	assert_int_equal(tone, TONE_PLAIN);
	looks.look[0].observe = true;
	looks.look[0].deadline = 130 * LOOK_SECOND + 1;
	free(line);
	line = top_interface_line(&looks, &before, 0, 100 * LOOK_SECOND, 200, &tone);
	assert_string_equal(
		line,
		" eth0  observe, undone in 31 s unless confirmed  in 1.25 k/s 8.00 kbit/s, would drop 20/s  out 0/s 0 bit/s");
	assert_int_equal(tone, TONE_BAD);
	free(line);
	line = top_interface_line(&looks, &before, 0, 131 * LOOK_SECOND, 60, &tone);
	assert_string_equal(line, " eth0  observe, the last change was reverted  in 1.25 k/s ..");
	top_looks_free(&looks);
	top_looks_free(&before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_place_active),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_widths),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_interface_line),
	};

	return cmocka_run_group_tests_name("report/top_table", tests, NULL, NULL);
}

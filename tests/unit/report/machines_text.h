/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of two machines in the form of `counters --json`: one counted, the other did not. */
#ifndef PORTCULLIS_TEST_REPORT_MACHINES_TEXT_H
#define PORTCULLIS_TEST_REPORT_MACHINES_TEXT_H

/* clang-format off */
static const char machines_text[] =
"[{\"name\": \"core\", \"ports\": ["
"{\"direction\": \"in\", \"protocol\": \"tcp\", \"port\": 22, \"services\": [\"p:ssh\"], \"pass\": {\"packets\": 5, \"bytes\": 500}, \"drop\": {\"packets\": 1, \"bytes\": 60}, \"would_drop\": {\"packets\": 0, \"bytes\": 0}},"
"{\"direction\": \"in\", \"protocol\": \"udp\", \"port\": 6000, \"last\": 7000, \"services\": [\"p:rtp\"], \"pass\": {\"packets\": 7, \"bytes\": 700}, \"drop\": {\"packets\": 0, \"bytes\": 0}, \"would_drop\": {\"packets\": 0, \"bytes\": 0}},"
"{\"direction\": \"in\", \"protocol\": null, \"port\": null, \"services\": [], \"pass\": {\"packets\": 0, \"bytes\": 0}, \"drop\": {\"packets\": 3, \"bytes\": 180}, \"would_drop\": {\"packets\": 2, \"bytes\": 120}}]},"
"{\"name\": \"quiet\", \"ports\": []}]";
/* clang-format on */

#endif

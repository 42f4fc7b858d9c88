// SPDX-License-Identifier: GPL-2.0
/* The ports of products, read from samples of their own configuration. */
#include "loader/recipe/claims_read.h"

#include "loader/recipe/claims_json.h"
#include "tests/unit/files.h"

/* The tree's own profiles, and those that a test adds to `catalog`. */
static void open_catalog(struct catalog *catalog)
{
	__free_text char *own = xasprintf("%s/catalog", root);
	const struct names folders = {.name = (char *[]){own, (char *)"profiles"}, .count = 2};
	struct diag diag = {};

	mkdir(own, 0755);
	assert_int_equal(catalog_open(&folders, catalog, &diag), 0);
}

static char *claims_text(const struct claims *claims)
{
	__cleanup(names_free) struct names lines = {};

	for (size_t i = 0; i < claims->products; i++)
		names_add(&lines, claims->product[i].profile);
	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->claim[i];
		__cleanup(names_free) struct names ports = {};
		__free_text char *list = NULL, *line = NULL;

		ports_strings(&claim->ports, &ports);
		list = names_join(&ports, ",");
		line = xasprintf("%s:%s=%s %s:%d", claim->profile, claim->service, list,
				 claim->file, claim->line);
		names_add(&lines, line);
	}
	names_add_all(&lines, &claims->problems);
	return names_join(&lines, "\n");
}

/* What is read below the test's folder; its JSON form gives the same. */
static void expect_claims(const char *expected)
{
	__cleanup(catalog_close) struct catalog catalog;
	__cleanup(claims_free) struct claims claims = {}, again = {};
	__free_text char *text = NULL, *second = NULL;
	struct root below = {};
	json_t *json;

	open_catalog(&catalog);
	assert_int_equal(root_open(root, &below), 0);
	claims_read(&below, &catalog, &claims);
	root_close(&below);
	text = claims_text(&claims);
	if (strcmp(text, expected))
		print_error("read:\n%s\nexpected:\n%s\n", text, expected);
	assert_string_equal(text, expected);
	json = claims_json(&claims);
	claims_from_json(json, &again);
	json_decref(json);
	second = claims_text(&again);
	assert_string_equal(second, text);
}

static void put_at(const char *path, const char *text)
{
	__free_text char *folder = xasprintf("%s/%s", root, path);

	for (char *slash = folder + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(folder, 0755);
		*slash = '/';
	}
	put(path, text);
}

#define MASTER "etc/postfix/master.cf"

static void test_postfix(void **state)
{
	(void)state;
	put_at(MASTER,
	       "# comment\nsmtp      inet  n       -       y       -       1       postscreen\n"
	       "smtpd     pass  -       -       y       -       -       smtpd\n"
	       "2525      inet  n       -       y       -       -       smtpd\n"
	       "192.0.2.1:587 inet n -  y       -       -       smtpd\n  -o syslog_name=postfix/submission\n"
	       "#465 inet n - y - - smtpd\n"
	       "10465     inet  n       -       y       -       -       smtpd\n"
	       "  -o smtpd_tls_wrappermode=yes\n"
	       "127.0.0.1:10025 inet n - n       -       -       smtpd\n"
	       "[::1]:10026 inet n -     n       -       -       smtpd\n"
	       "9999      inet  n       n       n       -       0       spawn argv=/usr/bin/policy\n"
	       "nowhere   inet  n       -       y       -       -       smtpd\n"
	       "pickup    unix  n       -       y       60      1       pickup\n");
	expect_claims(
		"postfix\n"
		"postfix:smtp=25/tcp,2525/tcp /etc/postfix/master.cf:2\n"
		"postfix:submission=587/tcp /etc/postfix/master.cf:5\n"
		"postfix:submissions=10465/tcp /etc/postfix/master.cf:8\n"
		"/etc/postfix/master.cf: line 12: 9999/tcp is not a service of the profile postfix\n"
		"/etc/postfix/master.cf: line 13: the port of 'nowhere' is not known");
	put_at("etc/postfix/main.cf", "inet_interfaces = loopback-only\nsmtp_tcp_port = 2626\n");
	expect_claims("postfix\n"
		      "postfix:submission=587/tcp /etc/postfix/master.cf:5\n"
		      "postfix:smtp= /etc/postfix/main.cf:1\n"
		      "postfix:smtp-client=2626/tcp /etc/postfix/main.cf:2\n"
		      "/etc/postfix/master.cf: line 13: the port of 'nowhere' is not known");
	put_at("etc/postfix/main.cf", "inet_interfaces = 127.0.0.1, [::1]\n");
	expect_claims("postfix\n"
		      "postfix:submission=587/tcp /etc/postfix/master.cf:5\n"
		      "postfix:smtp= /etc/postfix/main.cf:1\n"
		      "/etc/postfix/master.cf: line 13: the port of 'nowhere' is not known");
	put_at("etc/postfix/main.cf",
	       "inet_interfaces = $myhostname, localhost\nsmtp_tcp_port = 2626\n");
	/* A file in another form is named, and nothing is known from it. */
	put_at(MASTER, "myhostname = mail\n");
	expect_claims("postfix\n"
		      "postfix:smtp-client=2626/tcp /etc/postfix/main.cf:2\n"
		      "/etc/postfix/master.cf: line 1: an entry has 8 fields");
}

static void test_dovecot(void **state)
{
	(void)state;
	put_at("etc/dovecot/dovecot.conf",
	       "!include_try /usr/share/dovecot/protocols.d/*.protocol\n!include conf.d/*.conf\n!include_try local.conf\n");
	put_at("usr/share/dovecot/protocols.d/imapd.protocol", "protocols = $protocols imap\n");
	put_at("usr/share/dovecot/protocols.d/lmtpd.protocol", "protocols = $protocols lmtp\n");
	put_at("etc/dovecot/conf.d/10-master.conf",
	       "service imap-login {\n  inet_listener imap {\n    #port = 143\n  }\n  inet_listener imaps {\n    port = 1993\n"
	       "    ssl = yes\n  }\n  inet_listener more {\n    port = 2993\n    ssl = yes\n  }\n}\n"
	       "service lmtp {\n  unix_listener lmtp {\n  }\n  inet_listener lmtp {\n    address = 127.0.0.1\n    port = 24\n  }\n}\n"
	       "service doveadm {\n  inet_listener {\n    port = 24245\n  }\n  inet_listener sync {\n    port = 12345\n  }\n}\n");
	/* `protocols` of Debian's files adds to the default. */
	put_at("etc/dovecot/local.conf", "protocols = imap lmtp\n");
	expect_claims("dovecot\n"
		      "dovecot:imap=143/tcp /etc/dovecot/dovecot.conf:0\n"
		      "dovecot:imaps=1993/tcp,2993/tcp /etc/dovecot/conf.d/10-master.conf:6\n"
		      "dovecot:pop3= /etc/dovecot/local.conf:1\n"
		      "dovecot:pop3s= /etc/dovecot/local.conf:1\n"
		      "dovecot:submission= /etc/dovecot/local.conf:1\n"
		      "dovecot:submissions= /etc/dovecot/local.conf:1\n"
		      "dovecot:managesieve= /etc/dovecot/local.conf:1\n"
		      "dovecot:lmtp= /etc/dovecot/conf.d/10-master.conf:19\n"
		      "dovecot:doveadm=12345/tcp,24245/tcp /etc/dovecot/conf.d/10-master.conf:24");
	put_at("etc/dovecot/local.conf", "protocols = imap\nlisten = 127.0.0.1, ::1\nssl = no\n");
	put_at("etc/dovecot/conf.d/10-master.conf",
	       "service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n}\n");
	expect_claims("dovecot\n"
		      "dovecot:imap= /etc/dovecot/conf.d/10-master.conf:3\n"
		      "dovecot:imaps= /etc/dovecot/local.conf:3\n"
		      "dovecot:pop3= /etc/dovecot/local.conf:1\n"
		      "dovecot:pop3s= /etc/dovecot/local.conf:1\n"
		      "dovecot:submission= /etc/dovecot/local.conf:1\n"
		      "dovecot:submissions= /etc/dovecot/local.conf:1\n"
		      "dovecot:managesieve= /etc/dovecot/local.conf:1");
	/* Files that include each other; if a part cannot be read, nothing is guessed. */
	put_at("etc/dovecot/local.conf", "!include dovecot.conf\n");
	expect_claims(
		"dovecot\n/usr/share/dovecot/protocols.d/imapd.protocol: more files are included than can be read");
	put_at("etc/dovecot/local.conf", "service imap-login {\n");
	expect_claims("dovecot\n/etc/dovecot/local.conf: a '{' is not closed");
}

static void test_ssh(void **state)
{
	(void)state;
	put_at("etc/ssh/sshd_config",
	       "Include /etc/ssh/sshd_config.d/*.conf\n#Port 22\nPort 2222\nListenAddress 0.0.0.0\nListenAddress ::\n"
	       "ListenAddress 192.0.2.1:2022\nListenAddress [::1]:2023\nMatch User x\n  PermitTTY no\n");
	put_at("etc/ssh/sshd_config.d/more.conf", "Port 22\n");
	expect_claims("ssh\nssh:ssh=22/tcp,2022/tcp,2222/tcp /etc/ssh/sshd_config:3");
}

#define SERVER "etc/tomcat10/server.xml"

static void test_tomcat(void **state)
{
	(void)state;
	put_at(SERVER,
	       "<?xml version='1.0' encoding='UTF-8'?>\n<Server port='8005' shutdown='SHUTDOWN'>\n<Service name='Catalina'>\n"
	       "<Connector port='8081' protocol='HTTP/1.1' redirectPort='8443'/>\n"
	       "<!-- <Connector port='8082'/> -->\n"
	       "<Connector port='8085' address='127.0.0.1'/>\n"
	       "<Connector port='9443' protocol='org.apache.coyote.http11.Http11NioProtocol' SSLEnabled='true'/>\n"
	       "<Connector port='8090' protocol='HTTP/1.1'/>\n"
	       "<Connector protocol='AJP/1.3' address='::1' port='8009'/>\n"
	       "</Service>\n</Server>\n");
	expect_claims("tomcat\n"
		      "tomcat:http=8081/tcp,8090/tcp /etc/tomcat10/server.xml:4\n"
		      "tomcat:https=9443/tcp /etc/tomcat10/server.xml:7\n"
		      "tomcat:ajp= /etc/tomcat10/server.xml:0");
	put_at(SERVER, "<Server><Service><Connector port='${http.port}'/></Service></Server>");
	expect_claims(
		"tomcat\n"
		"tomcat:https= /etc/tomcat10/server.xml:0\n"
		"tomcat:ajp= /etc/tomcat10/server.xml:0\n"
		"/etc/tomcat10/server.xml: line 1: '${http.port}' is not a port, so the port of tomcat:http is not known");
	put_at(SERVER, "<configuration><Connector port='8080'/></configuration>");
	expect_claims(
		"tomcat\n"
		"/etc/tomcat10/server.xml: it has no /Server/Service/Connector/@port, so what is configured there is not known");
	put_at(SERVER, "<Server><Service>");
	{
		__cleanup(catalog_close) struct catalog catalog;
		__cleanup(claims_free) struct claims claims = {};
		struct root below = {};

		open_catalog(&catalog);
		assert_int_equal(root_open(root, &below), 0);
		claims_read(&below, &catalog, &claims);
		root_close(&below);
		assert_int_equal(claims.count, 0);
		assert_int_equal(claims.problems.count, 1);
		assert_non_null(
			strstr(claims.problems.name[0], "/etc/tomcat10/server.xml: line 1: "));
	}
}

/* A site's profile names the setting for which the vendor's page has no name. */
static void test_of_the_site(void **state)
{
	(void)state;
	put_at("catalog/our-xeams.yaml",
	       "profile: our-xeams\ninclude: [xeams]\nservices:\n"
	       "  - {name: smtp, dynamic: true, configured-in: {file: /opt/Xeams/config/*.xml, xpath: '//Listener[@name=\"smtp\"]/Port'}}\n"
	       "  - {name: pager, in: 444/udp, configured-in: {file: /opt/Xeams/pager.conf, regex: '^ *listen +([^ ]+)'}}\n"
	       "  - {name: web, in: 80/tcp, configured-in: {file: 'C:\\Program Files\\web.ini', key: Port}}\n");
	put_at("opt/Xeams/config/Server.xml",
	       "<Config><Listener name='smtp'><Port>2525</Port></Listener><Listener name='pop'><Port>110</Port></Listener></Config>");
	put_at("opt/Xeams/pager.conf",
	       "# listen 1\nlisten 5000-5010\n listen 127.0.0.1:6000\nlisten x/y\n");
	put_at("program files/Web.INI", "[other]\nport = 1\n[web]\nPort = 8000\n");
	expect_claims(
		"our-xeams\n"
		"our-xeams:smtp=2525/tcp /opt/Xeams/config/Server.xml:1\n"
		"our-xeams:pager=5000-5010/udp /opt/Xeams/pager.conf:2\n"
		"our-xeams:web=8000/tcp /program files/Web.INI:4\n"
		"/opt/Xeams/pager.conf: line 4: 'x/y' is not a port, so the port of our-xeams:pager is not known");
}

/* A setting that a site's profile names and the file lacks is reported: no port is guessed, and no
 * service switched off. */
static void test_not_there(void **state)
{
	(void)state;
	put_at("catalog/our-xeams.yaml",
	       "profile: our-xeams\ninclude: [xeams]\nservices:\n"
	       "  - {name: smtp, dynamic: true, configured-in: {file: /x.xml, xpath: '//Lisener[@name=\"[smtp]\"]/Port'}}\n"
	       "  - {name: pop3-server, dynamic: true, configured-in: {file: /x.xml, xpath: '//Listener[@name=\"pop\"]/Port'}}\n"
	       "  - {name: imap, dynamic: true, configured-in: {file: /x.conf, key: imap/port}}\n"
	       "  - {name: pager, dynamic: true, configured-in: {file: /x.conf, regex: 'listen ([0-9]+)'}}\n"
	       "  - {name: web, in: 80/tcp, configured-in: {file: /x.conf, key: port}}\n");
	put_at("x.xml", "<Config><Listener name='smtp'><Port>2525</Port></Listener></Config>");
	put_at("x.conf", "[other]\nport2 = 1\n");
	expect_claims(
		"our-xeams\n"
		"our-xeams:pop3-server= /x.xml:0\n"
		"/x.xml: it has no //Lisener/Port, so what is configured there is not known\n"
		"/x.conf: it has no 'imap/port', so the port of our-xeams:imap is not known\n"
		"/x.conf: it has no 'listen ([0-9]+)', so the port of our-xeams:pager is not known");
}

static void test_asterisk(void **state)
{
	(void)state;
	put_at("etc/asterisk/pjsip.conf",
	       ";[commented]\n[transport-udp]\ntype=transport\nprotocol=udp	;udp\nbind=0.0.0.0:5160 ; all\n"
	       "[transport-tcp](base)\ntype=transport\nprotocol = tcp\nbind=192.0.2.1\n"
	       "[transport-tls]\ntype=transport\nprotocol=tls\nbind=[::]:5161\n[ws]\ntype=transport\nprotocol=wss\nbind=0.0.0.0\n"
	       "[6001]\ntype=endpoint\n");
	put_at("etc/asterisk/rtp.conf", "[general]\nrtpstart=12000\nrtpend=12999\n");
	put_at("etc/asterisk/http.conf",
	       "[general]\nenabled=yes\nbindaddr=127.0.0.1\nbindport=8088\ntlsenable=yes\ntlsbindaddr=0.0.0.0:8189\n");
	put_at("etc/asterisk/manager.conf",
	       "[general]\nenabled = no\nport = 5038\nbindaddr = 0.0.0.0\n");
	expect_claims("asterisk\n"
		      "asterisk:sip=5060/tcp,5160/udp /etc/asterisk/pjsip.conf:5\n"
		      "asterisk:sips=5161/tcp /etc/asterisk/pjsip.conf:13\n"
		      "asterisk:rtp=12000-12999/udp /etc/asterisk/rtp.conf:2\n"
		      "asterisk:http= /etc/asterisk/http.conf:3\n"
		      "asterisk:https=8189/tcp /etc/asterisk/http.conf:6\n"
		      "asterisk:manager= /etc/asterisk/manager.conf:0\n"
		      "asterisk:manager-tls= /etc/asterisk/manager.conf:0");
}

/* chan_sip; and settings that cannot be read. */
static void test_asterisk_sip(void **state)
{
	(void)state;
	put_at("etc/asterisk/sip.conf",
	       "[general]\nbindport=5070\nudpbindaddr=0.0.0.0\ntcpenable=yes\ntcpbindaddr=0.0.0.0:5071\n#include more.conf\n");
	put_at("etc/asterisk/rtp.conf", "[general]\nrtpstart=20000\nrtpend=10000\n");
	put_at("etc/asterisk/manager.conf", "[general]\nenabled=yes\nport=many\n");
	expect_claims(
		"asterisk\n"
		"asterisk:sip=5071/tcp,5070/udp /etc/asterisk/sip.conf:3\n"
		"asterisk:sips= /etc/asterisk/sip.conf:0\n"
		"asterisk:manager-tls= /etc/asterisk/manager.conf:0\n"
		"/etc/asterisk/sip.conf: line 6: the files that it includes are not read\n"
		"/etc/asterisk/rtp.conf: line 2: '20000-10000' is not a range of ports\n"
		"/etc/asterisk/manager.conf: line 3: 'many' is not a port, so the port of asterisk:manager is not known");
}

/* Asterisk's own default range, if the file has none. */
static void test_asterisk_rtp(void **state)
{
	(void)state;
	put_at("etc/asterisk/pjsip.conf", "[global]\n");
	put_at("etc/asterisk/rtp.conf", "[general]\nrtpstart=20000\n;rtpend=20999\n");
	expect_claims("asterisk\nasterisk:rtp=20000-31000/udp /etc/asterisk/rtp.conf:2");
	put_at("etc/asterisk/rtp.conf", "[general]\n");
	expect_claims("asterisk\nasterisk:rtp=5000-31000/udp /etc/asterisk/rtp.conf:0");
}

static void test_mailcow(void **state)
{
	(void)state;
	put_at("opt/mailcow-dockerized/mailcow.conf",
	       "# comment\nMAILCOW_HOSTNAME=mail.example.com\nHTTP_PORT=8080\nHTTP_BIND=\nHTTPS_PORT=8443\nHTTPS_BIND=127.0.0.1\n"
	       "SMTP_PORT=2525\nSMTPS_PORT=465\nIMAP_PORT=127.0.0.1:143\nIMAPS_PORT=\n");
	expect_claims("mailcow\n"
		      "mailcow:http=8080/tcp /opt/mailcow-dockerized/mailcow.conf:3\n"
		      "mailcow:smtp=2525/tcp /opt/mailcow-dockerized/mailcow.conf:7\n"
		      "mailcow:smtps=465/tcp /opt/mailcow-dockerized/mailcow.conf:8\n"
		      "mailcow:imap= /opt/mailcow-dockerized/mailcow.conf:9");
	put_at("opt/mailcow-dockerized/mailcow.conf", "HTTP_PORT=8080\nHTTP_BIND=::1\n");
	expect_claims("mailcow\nmailcow:http= /opt/mailcow-dockerized/mailcow.conf:1");
	put_at("opt/mailcow-dockerized/mailcow.conf", "<mailcow/>\n");
	expect_claims(
		"mailcow\n/opt/mailcow-dockerized/mailcow.conf: it sets no ports, as mailcow's does");
}

/* As Windows writes it: UTF-16 with a byte order mark. The caller frees. */
static char *utf16(const char *text, size_t *length)
{
	char *bytes = xcalloc(2 * strlen(text) + 2, 1);

	bytes[0] = '\xff';
	bytes[1] = '\xfe';
	for (*length = 2; *text; text++, *length += 2)
		bytes[*length] = *text;
	return bytes;
}

static void test_registry(void **state)
{
	static const char text[] =
		"Windows Registry Editor Version 5.00\r\n\r\n"
		"[HKEY_LOCAL_MACHINE\\SOFTWARE\\Geomant Call Center Solutions\\GeoCampaign]\r\n"
		"\"Lync_Recorder_ApplicationPort\"=dword:0000238d\r\n"
		"\"lync_recorder_port\"=\"9971\"\r\n\"Other\"=hex(7):31,00,\\\r\n  00,00\r\n"
		"[HKEY_LOCAL_MACHINE\\Software\\WOW6432Node\\ACE\\TAO]\r\n@=\"x\"\r\n"
		"\"TaoNamingServiceOptions\"=\"-ORBListenEndpoints iiop://:10999 -x \\\"y\\\"\"\r\n";
	size_t length;
	__free_text char *bytes = utf16(text, &length);

	(void)state;
	put_bytes("export.reg", bytes, length);
	expect_claims(
		"contact-expert-core\n"
		"contact-expert-core:ucma-recorder-service-application=9101/tcp /export.reg:4\n"
		"contact-expert-core:ucma-recorder-service-recorder=9971/tcp /export.reg:5\n"
		"contact-expert-core:naming-service=10999/tcp /export.reg:10");
	put("export.reg",
	    "REGEDIT4\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\WOW6432Node\\ACE\\TAO]\n\"TaoNamingServiceOptions\"=\"1\"\n"
	    "[HKEY_LOCAL_MACHINE\\SOFTWARE\\WOW6432Node\\ACE\\TAO]\n\"TaoNamingServiceOptions\"=\"a:1 b:2\"\n");
	expect_claims(
		"contact-expert-core\n"
		"/export.reg: line 5: 'a:1 b:2' is not a port, so the port of contact-expert-core:naming-service is not known");
	put("export.reg", "[HKEY_LOCAL_MACHINE\\SOFTWARE]\n");
	expect_claims("/export.reg: it does not begin as an exported registry");
	put("export.reg", "REGEDIT4\nport 25\n");
	expect_claims("/export.reg: line 2: neither a key nor a value");
	put_bytes("export.reg", bytes, 2);
	expect_claims("/export.reg: it does not begin as an exported registry");
}

/* A site's profile names the key; a list may have several values. */
static void test_communigate(void **state)
{
	(void)state;
	put_at("var/CommuniGate/Settings/Main.settings", "{Domain = example.com;}\n");
	put_at("var/CommuniGate/Settings/IMAP.settings",
	       "{\n  Listener = (\n    {Port = 1143; Address = \"\";},\n    {Port = #1993; SSL = \"YES; no\";},\n    {Port = 0;}\n  );\n"
	       "  Other = {Port = 7;};\n}\n");
	put_at("catalog/our-cgp.yaml",
	       "profile: our-cgp\ninclude: [communigate-pro]\nservices:\n"
	       "  - {name: imap, dynamic: true, configured-in: {file: /var/CommuniGate/Settings/IMAP.settings, key: Listener/*/Port}}\n");
	expect_claims(
		"communigate-pro\nour-cgp\nour-cgp:imap=1143/tcp,1993/tcp /var/CommuniGate/Settings/IMAP.settings:3");
	put_at("var/CommuniGate/Settings/IMAP.settings", "{Listener = ({Port = 1143})}");
	expect_claims(
		"communigate-pro\nour-cgp\n/var/CommuniGate/Settings/IMAP.settings: line 1: a value without ';'");
}

static void test_package(void **state)
{
	(void)state;
	put_at("usr/share/doc/kamailio/copyright", "License: GPL-2+\n");
	expect_claims("kamailio");
}

static void test_ports(void **state)
{
	static const struct {
		const char *text;
		int result;
		__u16 first, last;
	} cases[] = {
		{"25", 1, 25, 25},
		{"smtp", 1, 25, 25},
		{"1-2", 1, 1, 2},
		{"192.0.2.1:25", 1, 25, 25},
		{"[2001:db8::1]:25", 1, 25, 25},
		{"*:25", 1, 25, 25},
		{":25", 1, 25, 25},
		{"0", 0, 0, 0},
		{"no", 0, 0, 0},
		{"127.0.0.1:25", 0, 0, 0},
		{"[::1]:25", 0, 0, 0},
		{"localhost:smtp", 0, 0, 0},
		{"", -1, 0, 0},
		{"65536", -1, 0, 0},
		{"99999999999", -1, 0, 0},
		{"2-1", -1, 0, 0},
		{"-5", -1, 0, 0},
		{"5-", -1, 0, 0},
		{"::1", -1, 0, 0},
		{"[::1", -1, 0, 0},
		{"25/tcp", -1, 0, 0},
		{" 25", -1, 0, 0},
		{"x:", -1, 0, 0},
		{"25\n", -1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct port_range range = {};
		int result = claim_ports(cases[i].text, 1 << PC_TCP, &range);

		if ((result < 0 ? -1 : result) != cases[i].result ||
		    range.first != cases[i].first || range.last != cases[i].last)
			fail_msg("'%s': %d %u-%u", cases[i].text, result, range.first, range.last);
	}
}

int main(void)
{
#define OF_FILES(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)
	const struct CMUnitTest tests[] = {
		OF_FILES(test_postfix),	     OF_FILES(test_dovecot),
		OF_FILES(test_ssh),	     OF_FILES(test_tomcat),
		OF_FILES(test_asterisk),     OF_FILES(test_asterisk_sip),
		OF_FILES(test_asterisk_rtp), OF_FILES(test_mailcow),
		OF_FILES(test_registry),     OF_FILES(test_of_the_site),
		OF_FILES(test_not_there),    OF_FILES(test_package),
		OF_FILES(test_communigate),  cmocka_unit_test(test_ports),
	};

	return cmocka_run_group_tests_name("recipe/claims_read", tests, NULL, NULL);
}

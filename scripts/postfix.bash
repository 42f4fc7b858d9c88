# SPDX-License-Identifier: GPL-2.0
# A real Postfix that runs by hand, beside any other, with everything it has in one folder.

# postfix_config DIR: accepts mail for any address at example.com into the mailbox DIR/mail/inbox.
postfix_config()
{
	local dir=$1 nobody
	nobody=$(id -u nobody)

	mkdir -p "$dir"/{spool,data,mail}
	mkdir -p "$dir"/spool/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,maildrop,pid,private,public,saved,trace}
	chmod 755 "$dir"
	chown -R postfix "$dir/data" "$dir/spool"
	chown root "$dir/spool" "$dir/spool/pid"
	chown "$nobody" "$dir/mail"
	cat > "$dir/main.cf" <<-END
		compatibility_level = 3.6
		queue_directory = $dir/spool
		data_directory = $dir/data
		daemon_directory = /usr/lib/postfix/sbin
		command_directory = /usr/sbin
		mail_owner = postfix
		maillog_file = $dir/log
		maillog_file_prefixes = $dir
		myhostname = mail.example.com
		mydestination =
		inet_interfaces = all
		inet_protocols = all
		smtpd_peername_lookup = no
		alias_maps =
		local_recipient_maps =
		virtual_mailbox_domains = example.com
		virtual_mailbox_base = $dir/mail
		virtual_mailbox_maps = static:inbox
		virtual_minimum_uid = 1
		virtual_uid_maps = static:$nobody
		virtual_gid_maps = static:$(id -g nobody)
	END
	cat > "$dir/master.cf" <<-END
		smtp     inet       n - n - - smtpd
		cleanup  unix       n - n - 0 cleanup
		qmgr     unix       n - n 300 1 qmgr
		rewrite  unix       - - n - - trivial-rewrite
		bounce   unix       - - n - 0 bounce
		defer    unix       - - n - 0 bounce
		trace    unix       - - n - 0 bounce
		error    unix       - - n - - error
		retry    unix       - - n - - error
		virtual  unix       - n n - - virtual
		anvil    unix       - - n - 1 anvil
		postlog  unix-dgram n - n - 1 postlogd
	END
}

# postfix_run DIR: in the foreground, until it is killed.
postfix_run()
{
	exec setsid /usr/lib/postfix/sbin/master -d -c "$1"
}

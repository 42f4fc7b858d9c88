# SPDX-License-Identifier: GPL-2.0
# Real servers that several files of tests use; processes end with the sandbox.

# start_nginx HOST TEXT: port 80 and 8080, both families; TEXT is the page, /large has 3 MB.
start_nginx()
{
	mkdir -p "$DIR/nginx/www"
	echo "$2" > "$DIR/nginx/www/index.html"
	head -c 3000000 /dev/urandom > "$DIR/nginx/www/large"
	cat > "$DIR/nginx/conf" <<-END
		pid $DIR/nginx/pid;
		error_log $DIR/nginx/error;
		events {}
		http {
			access_log off;
			client_body_temp_path $DIR/nginx/body;
			proxy_temp_path $DIR/nginx/proxy;
			fastcgi_temp_path $DIR/nginx/fastcgi;
			uwsgi_temp_path $DIR/nginx/uwsgi;
			scgi_temp_path $DIR/nginx/scgi;
			server {
				listen 80; listen [::]:80; listen 8080; listen [::]:8080;
				root $DIR/nginx/www;
			}
		}
	END
	in_background "$1" nginx -c "$DIR/nginx/conf" -e "$DIR/nginx/error" -g 'daemon off;'
}

# dovecot_config PROTOCOLS: mail of the user nobody, read with any user name and the password `secret`.
dovecot_config()
{
	mkdir -p "$DIR/dovecot/mail"
	chown -R nobody "$DIR/dovecot/mail"
	cat > "$DIR/dovecot.conf" <<-END
		base_dir = $DIR/dovecot/run
		log_path = $DIR/dovecot/log
		protocols = $1
		ssl = no
		disable_plaintext_auth = no
		mail_location = maildir:$DIR/dovecot/mail
		first_valid_uid = 1
		first_valid_gid = 1
		passdb {
			driver = static
			args = password=secret
		}
		userdb {
			driver = static
			args = uid=$(id -u nobody) gid=$(id -g nobody) home=$DIR/dovecot/mail
		}
	END
}

# start_dovecot HOST PROTOCOLS
start_dovecot()
{
	dovecot_config "$2"
	in_background "$1" dovecot -F -c "$DIR/dovecot.conf"
}

# ssh_files: files for SSH servers and clients. root logs in with the key that $DIR/ssh/config names. PAM only makes
# each login an audit session: the machine's own configuration would need logind and a mail box.
ssh_files()
{
	local folder=$DIR/ssh

	mkdir -m 700 "$folder"
	ssh-keygen -q -t ed25519 -N '' -f "$folder/host_key"
	ssh-keygen -q -t ed25519 -N '' -f "$folder/key"
	cp "$folder/key.pub" "$folder/authorized_keys"
	cat > "$folder/sshd_config" <<-END
		HostKey $folder/host_key
		AuthorizedKeysFile $folder/authorized_keys
		PidFile $folder/pid
		PermitRootLogin prohibit-password
		PasswordAuthentication no
		StrictModes no
		UsePAM yes
		UseDNS no
		Subsystem sftp internal-sftp
	END
	printf 'account required pam_permit.so\nsession required pam_loginuid.so\n' > "$folder/pam"
	inside mount --bind "$folder/pam" /etc/pam.d/sshd
	cat > "$folder/config" <<-END
		Host *
		User root
		IdentityFile $folder/key
		IdentitiesOnly yes
		UserKnownHostsFile /dev/null
		StrictHostKeyChecking no
		ConnectTimeout 1
		LogLevel ERROR
		BatchMode yes
	END
	inside mkdir -p -m 755 /run/sshd
}

# start_sshd HOST [OPTION]...: it is ready once `listening HOST 22` is true.
start_sshd()
{
	local host=$1 folder=$DIR/ssh

	shift
	ssh_files
	in_background "$host" /usr/sbin/sshd -D -e -f "$folder/sshd_config" "$@"
}

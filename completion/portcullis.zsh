#compdef portcullis
# SPDX-License-Identifier: GPL-2.0
# Completion for zsh; the program itself knows the words: "portcullis complete WORD...".

local line
local -a lines values shown open_values open_shown
local -x PATH=$PATH:/usr/sbin:/usr/local/sbin

lines=("${(@f)$(${(Q)words[1]} complete "${(@Q)words[2,CURRENT]}" 2> /dev/null)}")
case ${lines[1]} in
:file) _files; return ;;
:folder) _files -/; return ;;
esac
for line in $lines; do
	if [[ ${line%%$'\t'*} == *= ]]; then
		open_values+=(${line%%$'\t'*})
		open_shown+=(${line/$'\t'/  -- })
	else
		values+=(${line%%$'\t'*})
		shown+=(${line/$'\t'/  -- })
	fi
done
compadd -l -d shown -a values
compadd -l -d open_shown -S '' -a open_values

# SPDX-License-Identifier: GPL-2.0
# Completion for bash; the program itself knows the words: "portcullis complete WORD...".

_portcullis()
{
	local cur words cword line lines=() start break
	local PATH=$PATH:/usr/sbin:/usr/local/sbin

	_get_comp_words_by_ref -n := cur words cword
	mapfile -t lines < <(${words[0]} complete "${words[@]:1:cword}" 2> /dev/null)
	case ${lines[0]-} in
	:file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	:folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$cur"); return ;;
	esac
	# Readline replaces what stands behind the last ':' or '='.
	start=
	for break in : =; do
		[[ $COMP_WORDBREAKS == *"$break"* && $cur == *"$break"* ]] || continue
		line=${cur%"$break"*}$break
		[ ${#line} -le ${#start} ] || start=$line
	done
	COMPREPLY=()
	for line in "${lines[@]}"; do
		line=${line%%$'\t'*}
		COMPREPLY+=("${line#"$start"}")
	done
	[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

complete -F _portcullis portcullis

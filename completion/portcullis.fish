# SPDX-License-Identifier: GPL-2.0
# Completion for fish; the program itself knows the words: "portcullis complete WORD...".

function __portcullis_complete
    set -lx PATH $PATH /usr/sbin /usr/local/sbin
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] complete $words[2..-1] 2>/dev/null)
    switch "$lines[1]"
        case :file
            __fish_complete_path (commandline -ct)
        case :folder
            __fish_complete_directories (commandline -ct) ''
        case '*'
            printf '%s\n' $lines
    end
end

complete -c portcullis -f -a '(__portcullis_complete)'

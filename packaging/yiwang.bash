# shellcheck shell=bash
# Completion of yiwang's commands and options in bash.  Asks the program itself (`yiwang --help`, `yiwang COMMAND --help`), so that it
# knows exactly the commands and options of the program that is installed.

# One line for each command: "pack check", "import reports"; both lines of "export cases|reports".
_yiwang_commands()
{
        LC_ALL=C "$1" --help 2>/dev/null | awk '/^  [a-z]/ {
                n = $2 ~ /^[a-z|]+$/ ? split($2, second, "|") : 0
                if (!n) print $1
                for (i = 1; i <= n; i++) print $1, second[i]
        }'
}

# Options of one command, settings included.
_yiwang_options()
{
        LC_ALL=C "$@" --help 2>/dev/null | awk '/^  --/ { print $1 }'
}

_yiwang_values()
{
        case $1 in
        --pack | --demo | --data | --archive | --from | --to) echo folders ;;
        --config | --map | --rejects | --smtp-password-file | --webhook-secret-file | --sms-secret-file | --sms-gateway | --gateway-ca | --tls-certificate | --tls-key) echo files ;;
        --role) echo citizen channel clerk dispatcher unit supervisor admin ;;
        --language) echo zh en ;;
        --log-level) echo debug info warn error ;;
        --log-format) echo text json ;;
        --access-log | --private-addresses) echo yes no ;;
        --smtp-tls) echo try yes no ;;
        --encoding) echo utf-8 utf-16le utf-16be gb18030 ;;
        --check | --help | --quiet | --undo | --allow-partial) ;;
        *) echo anything ;;
        esac
}

# What stands behind the command's name.
_yiwang_words()
{
        case $1 in
        'pack '*) echo folders ;;
        'import '* | 'export '* | backup) echo files ;;
        *) echo anything ;;
        esac
}

_yiwang_reply()
{
        case $1 in
        folders) mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
        files) mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
        anything) COMPREPLY=() ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2") ;;
        esac
        case $1 in folders | files) compopt -o filenames 2>/dev/null ;; esac
}

_yiwang()
{
        local program=$1 current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
        local commands command='' first=${COMP_WORDS[1]} second=${COMP_WORDS[2]}
        # bash takes --data=DIR apart into three words.
        if [ "$current" = = ]; then
                current=
        elif [ "$before" = = ]; then
                before=${COMP_WORDS[COMP_CWORD - 2]}
        fi
        commands=$(_yiwang_commands "$program")
        if grep -q -x -F -- "$first $second" <<<"$commands" && [ "$COMP_CWORD" -gt 2 ]; then
                command="$first $second"
        elif grep -q -x -F -- "$first" <<<"$commands" && [ "$COMP_CWORD" -gt 1 ]; then
                command=$first
        fi
        if [ -z "$command" ] && [ "$COMP_CWORD" = 1 ]; then
                _yiwang_reply "$(cut -d ' ' -f 1 <<<"$commands" | sort -u) --help" "$current"
        elif [ -z "$command" ]; then
                _yiwang_reply "$(awk -v first="$first" '$1 == first { print $2 }' <<<"$commands")" "$current"
        elif [[ $before == --* && -n $(_yiwang_values "$before") ]]; then
                _yiwang_reply "$(_yiwang_values "$before")" "$current"
        elif [[ $current == -* ]]; then
                # "import reports" is the command import with its first word.
                # shellcheck disable=SC2086
                _yiwang_reply "$(_yiwang_options "$program" $command)" "$current"
        else
                _yiwang_reply "$(_yiwang_words "$command")" "$current"
        fi
}
complete -F _yiwang yiwang

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# bash completion for run_vmtests.sh, vmcompare, kmap, vmtests-lab and vmtests-boots. Options are
# those that each prints with -h, tests and groups those of -l, so nothing here knows them.

# Words of the usage of COMMAND that are options.
_vmtests_options()
{
	"$@" -h 2>/dev/null | grep -o -E '(^|[[ |,])--?[A-Za-z][a-z-]*' | grep -o -e '-.*' | sort -u
}

_vmtests_reply()	# WORDS
{
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_vmtests_folders()
{
	mapfile -t COMPREPLY < <(compgen -d -- "${COMP_WORDS[COMP_CWORD]}")
	compopt -o filenames 2>/dev/null
}

_vmtests_files()
{
	mapfile -t COMPREPLY < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]}")
	compopt -o filenames 2>/dev/null
}

_run_vmtests()
{
	local program=${COMP_WORDS[0]}

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-t | -x)
		_vmtests_reply "functional benchmarks $("$program" -l 2>/dev/null |
			awk 'NR > 1 { print $1; print $2 }' | sort -u)"
		;;
	-T) _vmtests_reply 'quick full' ;;
	-D) _vmtests_reply "$(ls /sys/bus/pci/devices 2>/dev/null)" ;;
	-o) _vmtests_folders ;;
	-r) COMPREPLY=() ;;
	*) _vmtests_reply "$(_vmtests_options "$program")" ;;
	esac
}

_vmcompare()
{
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-f) _vmtests_reply 'text markdown json html kcidb squad lava tmt' ;;
	-o) _vmtests_files ;;
	--fail-on) _vmtests_reply regression ;;
	-a | -m | --allow | --origin) COMPREPLY=() ;;
	*)
		case ${COMP_WORDS[COMP_CWORD]} in
		-*) _vmtests_reply "$(_vmtests_options "${COMP_WORDS[0]}")" ;;
		*) _vmtests_folders ;;
		esac
		;;
	esac
}

_kmap()
{
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-d) _vmtests_files ;;
	-a) COMPREPLY=() ;;
	*)
		_vmtests_reply "linear vmemmap vmalloc modules image
			$(_vmtests_options "${COMP_WORDS[0]}")"
		;;
	esac
}

_vmtests_lab()
{
	local program=${COMP_WORDS[0]} part=${COMP_WORDS[1]}

	if [ "$COMP_CWORD" -eq 1 ]; then
		_vmtests_reply 'fetch root boot matrix expect cross mutant mutants list'
		return
	fi
	case $part:${COMP_WORDS[COMP_CWORD - 1]} in
	boot:--arch) _vmtests_reply 'arm64 amd64' ;;
	boot:--cpu) _vmtests_reply 'plain bbml2 bbml2-off-by-revision ampere1 la57-off no1g' ;;
	boot:--payload | boot:--out | boot:--modules | matrix:-o | matrix:-p | mutants:-o | mutants:-p)
		_vmtests_folders
		;;
	boot:--kernel | boot:--image | matrix:-f | mutants:-f) _vmtests_files ;;
	boot:--tlb-model)
		_vmtests_reply "$(ls "$(dirname "$(readlink -f "$(command -v "$program")")")/plugins/tlb-model/presets")"
		;;
	*)
		case $part:${COMP_WORDS[COMP_CWORD]} in
		root:[!-]* | root:) _vmtests_reply 'arm64 amd64' ;;
		fetch:[!-]* | fetch:) _vmtests_reply 'arm64 arm64-16k arm64-rt amd64 amd64-rt' ;;
		*) _vmtests_reply "$(_vmtests_options "$program" "$part")" ;;
		esac
		;;
	esac
}

_vmtests_boots()
{
	if [ "$COMP_CWORD" -eq 1 ]; then
		_vmtests_reply 'start status stop'
		return
	fi
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-o) _vmtests_folders ;;
	-n | -b) COMPREPLY=() ;;
	*) _vmtests_reply "$(_vmtests_options "${COMP_WORDS[0]}")" ;;
	esac
}

complete -F _run_vmtests run_vmtests.sh
complete -F _vmcompare vmcompare
complete -F _kmap kmap
complete -F _vmtests_lab vmtests-lab
complete -F _vmtests_boots vmtests-boots

# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of dkms for fish.  Verbs and options are those that the command
# itself prints with --help, so that this file knows none that it does not.

# Verbs, each with a tab and what it does.
function __dkms_verbs
	command dkms --help 2>/dev/null |
		awk '/^verbs:/ { v = 1; next } /^$/ { v = 0 } v { verb = $1; $1 = ""; print verb "\t" substr($0, 2) }'
end

# The verb that has been typed.
function __dkms_verb
	set -l verbs (__dkms_verbs | string replace -r '\t.*' '')
	for word in (commandline -opc)[2..-1]
		if contains -- $word $verbs
			echo $word
			return 0
		end
	end
	return 1
end

# Options of that verb, or of the command.
function __dkms_options
	command dkms (__dkms_verb) --help 2>/dev/null |
		awk '/^options/ { o = 1; next } /^$/ { o = 0 }
			o {
				n = 0
				for (i = 1; i <= NF && $i ~ /^-/; i++) name[n++] = $i
				text = ""
				for (; i <= NF; i++) text = text (text == "" ? "" : " ") $i
				for (i = 0; i < n; i++) print name[i] "\t" text
			}'
end

function __dkms_registered
	command dkms status 2>/dev/null | string match -rg '^([^,:]*/[^,:]*)[,:]' | sort -u
end

# With sources that are there, for verbs that can begin with one.
function __dkms_modules
	__dkms_registered
	if contains -- (__dkms_verb; or echo none) add build install
		for conf in /usr/src/*-*/dkms.conf
			string replace -r '^.*/(.*)-([^-]*)/dkms.conf$' '$1/$2' -- $conf
		end
	end
end

function __dkms_kernels
	for dir in /lib/modules/*/
		path basename $dir
	end
	echo all
end

function __dkms_prev
	contains -- (commandline -opc)[-1] $argv
end

complete -c dkms -f
complete -c dkms -n '__dkms_prev -k --kernelver --templatekernel' -a '(__dkms_kernels)'
complete -c dkms -n '__dkms_prev -m --module' -a '(__dkms_modules)'
complete -c dkms -n '__dkms_prev -v' -a "(__dkms_modules | string replace -r '.*/' '')"
complete -c dkms -n '__dkms_prev -a --arch' -a '(uname -m)'
complete -c dkms -n '__dkms_prev -d --distro' -a 'redhat redhat1 redhat2 suse suse1 UnitedLinux ubuntu'
complete -c dkms -n '__dkms_prev --media' -a 'floppy iso tar cpio'
complete -c dkms -n '__dkms_prev -c --config --archive --spec' -F
complete -c dkms -n '__dkms_prev --root --dkmstree --sourcetree --installtree --kernelsourcedir' -a '(__fish_complete_directories)'
complete -c dkms -n 'not __dkms_verb >/dev/null; and not string match -q -- "-*" (commandline -ct)' -a '(__dkms_verbs)'
complete -c dkms -n '__dkms_verb >/dev/null; and not string match -q -- "-*" (commandline -ct)' -a '(__dkms_modules)'
complete -c dkms -n 'string match -q ldtarball -- (__dkms_verb)' -F
complete -c dkms -n 'string match -q -- "-*" (commandline -ct)' -a '(__dkms_options)'

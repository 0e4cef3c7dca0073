# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A cache of directories.  An entry appears complete by rename or not at all,
# so a killed run leaves nothing that looks finished; a lock per entry makes
# parallel callers wait for the first instead of doing the work twice.  Makers
# inherit the lock: what survives a killed caller still holds it.

# cached ENTRY MAKER ARG...: print the path of ENTRY; when it is missing,
# MAKER DIR ARG... fills DIR, which then becomes the entry.
cached() {
	local path=$GROUND_CACHE/$1 lock
	if [ ! -e "$path" ]; then
		need_root
		lock=$GROUND_CACHE/lock/${1//\//-}
		mkdir -p "$GROUND_CACHE/lock" "${path%/*}"
		(
			flock 200
			# Not "||": errexit would be off inside.
			if [ ! -e "$path" ]; then cache_fill "$path" "${@:2}"; fi
		) 200>"$lock"
	fi
	echo "$path"
}

# cache_fill PATH MAKER ARG...: called with the lock held.
cache_fill() {
	local path=$1 part=$1.part
	rm -rf --one-file-system "$part"
	mkdir "$part"
	"$2" "$part" "${@:3}" >&2
	mv -T "$part" "$path"
}

# digest: a short name for what stdin says.
digest() {
	sha256sum | cut -c1-12
}

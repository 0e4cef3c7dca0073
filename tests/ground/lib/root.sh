# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Throw-away copies of base roots.  A file /.ground-root marks every root made
# here; 'drop' removes nothing that does not carry it.

new_verb() {
	local layer=''
	[ "${1:-}" != --layer ] || { layer=1; shift; }
	[ $# -eq 2 ] || die "usage: ground new [--layer] BASE DIR"
	need_root
	local from=$1 dir=$2
	case $from in bookworm/* | trixie/* | sid/*) from=$(base "${from%/*}" "${from#*/}") ;; esac
	[ -e "$from/.ground-root" ] || die "not a root made here: $from"
	[ ! -d "$dir" ] || rmdir "$dir" || die "in the way: $dir"
	[ -z "$layer" ] || ! new_layer "$from" "$dir" || { readlink -f "$dir"; return; }
	rm -rf --one-file-system "$dir.part"
	mkdir -p "$dir.part"
	cp -a --reflink=auto "$from/." "$dir.part"
	mv -T "$dir.part" "$dir"
	readlink -f "$dir"
}

# new_layer FROM DIR: a copy that is mounted: only what is written to it takes time and
# space, in DIR.layer.  FROM must not change while it is there.  Files keep their times
# of change, which a copy makes new.
new_layer() {
	local layer=$2.layer below=$1
	[ ! -e "$1.layer/below" ] || below=$1.layer/upper:$(<"$1.layer/below")
	mkdir -p "$2" "$layer/upper" "$layer/work"
	echo "$below" >"$layer/below"
	# A package's folders are renamed, too.
	mount -t overlay -o "lowerdir=$below,upperdir=$layer/upper,workdir=$layer/work,redirect_dir=on" ground "$2" && return
	rm -rf "$layer" "$2"
	return 1
}

drop_verb() {
	[ $# -eq 1 ] || die "usage: ground drop DIR"
	need_root
	local dir point
	dir=$(readlink -f "$1") || die "no such directory: $1"
	[ -e "$dir/.ground-root" ] || die "not a root made here: $1"
	# The suite's runs keep their throw-away roots on the cache's disk, below run/.
	case $dir in
	"$(readlink -f "$GROUND_CACHE")"/run/*) ;;
	"$(readlink -f "$GROUND_CACHE")"/*) die "part of the cache: $1" ;;
	esac
	# 'run' leaves no mounts; a test may have.
	awk -v dir="$dir" '$2 == dir || index($2, dir "/") == 1 { print $2 }' /proc/self/mounts |
		sort -r | while read -r point; do umount -l "$(printf '%b' "$point")"; done
	rm -rf --one-file-system "$dir" "$dir.layer"
}

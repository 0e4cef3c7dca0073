# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Running a command in a root.  'run' starts this program again as PID 1 of
# new mount and PID namespaces, where '_inside' mounts what the command needs
# and makes the root its "/" by pivot_root.  All mounts and processes end with
# that PID 1.  Killing 'run', even with SIGKILL, kills it.

RUN_USAGE='usage: ground run [--chroot|--no-proc] [--ro] [--scratch] [--sys] [-i] [--bind SRC:DST] [--env K=V] DIR -- CMD...'

# run_options ARG...: sets run_* from the command line.
run_options() {
	run_mode=pivot run_stdin='' run_ro='' run_scratch='' run_sys='' run_binds=() run_env=()
	while [ $# -gt 0 ]; do
		case $1 in
		--chroot) run_mode=chroot ;;
		--no-proc) run_mode=bare ;;
		--ro) run_ro=1 ;;
		--scratch) run_scratch=1 ;;
		--sys) run_sys=1 ;;
		-i) run_stdin=1 ;;
		--bind) run_binds+=("$2"); shift ;;
		--env) run_env+=("$2"); shift ;;
		--bind=*) run_binds+=("${1#*=}") ;;
		--env=*) run_env+=("${1#*=}") ;;
		-*) die "$RUN_USAGE" ;;
		*) break ;;
		esac
		shift
	done
	[ $# -ge 3 ] || die "$RUN_USAGE"
	[ "$2" = -- ] || die "$RUN_USAGE"
	run_root=$(readlink -f "$1")
	[ -d "$run_root/etc" ] || die "not a root: $1"
	[ "$run_root" != / ] || die "refusing the root of this machine"
	run_command=("${@:3}")
}

run_verb() {
	local rc=0
	run_options "$@"
	need setpriv unshare busybox
	export GROUND_SHELF=$GROUND_CACHE/shelf/$$
	shelf_sweep
	shelf_open "$GROUND_SHELF"
	[ -n "$run_stdin" ] || exec </dev/null
	# env: bash starts background commands with SIGINT and SIGQUIT ignored.
	env --default-signal=INT,QUIT setpriv --pdeathsig KILL \
		unshare --mount --pid --fork --kill-child=KILL "$GROUND_DIR/ground" _inside "$@" <&0 &
	run_child=$!
	trap 'run_kill; exit 143' TERM
	trap 'run_kill; exit 130' INT
	trap 'run_kill; exit 129' HUP
	wait "$run_child" || rc=$?
	shelf_keep "$GROUND_SHELF"
	exit $rc
}

# run_kill: end PID 1; its parent returns when the whole namespace is empty.
run_kill() {
	local init
	read -r init _ <"/proc/$run_child/task/$run_child/children" || init=$run_child
	kill -KILL "$init" 2>/dev/null || true
	wait "$run_child" 2>/dev/null || true
	shelf_keep "$GROUND_SHELF"
}

# From here on: PID 1 of the new namespaces.
inside_verb() {
	local rc=0
	exec 200>&-
	run_options "$@"
	if [ -n "$run_scratch" ]; then inside_scratch; else mount --bind "$run_root" "$run_root"; fi
	cd "$run_root" || die "cannot enter $run_root"
	[ "$run_mode" = bare ] || inside_kernel_files
	mount -t tmpfs -o mode=1777 ground tmp
	mount -t tmpfs -o mode=755 ground run
	mkdir -p run/lock
	inside_lend
	inside_binds
	[ -z "$run_ro" ] || mount -o remount,bind,ro .
	local enter=(chroot "$run_root")
	[ "$run_mode" != pivot ] || { inside_pivot; enter=(); }
	"${enter[@]}" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "${run_env[@]}" \
		"${run_command[@]}" || rc=$?
	exit $rc
}

# inside_scratch: what CMD writes goes to memory and ends with it.
inside_scratch() {
	local dir=$GROUND_SHELF/scratch
	mkdir "$dir"
	mount -t tmpfs ground "$dir"
	mkdir "$dir/upper" "$dir/work" "$dir/root"
	mount -t overlay -o "lowerdir=$run_root,upperdir=$dir/upper,workdir=$dir/work" ground "$dir/root"
	run_root=$dir/root
}

# inside_kernel_files: /proc, /dev and, if asked for, /sys.
inside_kernel_files() {
	local node
	mount -t proc proc proc
	[ -z "$run_sys" ] || mount -t sysfs -o ro sysfs sys
	mount -t tmpfs -o mode=755 ground dev
	for node in null zero full random urandom tty; do
		: >dev/$node
		mount --bind /dev/$node dev/$node
	done
	mkdir dev/pts dev/shm
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
	mount -t tmpfs -o mode=1777 ground dev/shm
	ln -s pts/ptmx dev/ptmx
	ln -s /proc/self/fd dev/fd
	ln -s /proc/self/fd/0 dev/stdin
	ln -s /proc/self/fd/1 dev/stdout
	ln -s /proc/self/fd/2 dev/stderr
}

# inside_lend: this machine's network and apt settings, and the packages.
inside_lend() {
	[ ! -e var/cache/apt/archives ] || shelf_mount "$GROUND_SHELF" var/cache/apt/archives
	lend "$GROUND_SHELF/apt.conf" etc/apt/apt.conf.d/99ground-host
	lend /etc/apt/auth.conf etc/apt/auth.conf
	lend /etc/apt/auth.conf.d etc/apt/auth.conf.d
	lend /etc/resolv.conf etc/resolv.conf
	lend /etc/hosts etc/hosts
}

lend() {
	[ ! -e "$1" ] || [ ! -e "$2" ] || mount --bind "$(readlink -f "$1")" "$2"
}

inside_binds() {
	local bind src dst
	for bind in "${run_binds[@]}"; do
		src=${bind%%:*} dst=$run_root/${bind#*:}
		if [ -d "$src" ]; then
			mkdir -p "$dst"
		else
			mkdir -p "${dst%/*}"
			[ -e "$dst" ] || : >"$dst"
		fi
		mount --rbind "$src" "$dst"
	done
}

# inside_pivot: make the current directory "/" and let go of the old one.  The
# static busybox does that: it needs no library from either side.
inside_pivot() {
	local busybox
	busybox=$(readlink -f "$(command -v busybox)")
	mkdir run/.old
	pivot_root . run/.old
	"/run/.old$busybox" umount -l /run/.old
	cd /
	rmdir /run/.old
}

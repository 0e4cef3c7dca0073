/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter of system calls.  It denies what a build, or a reader of files, has
 * no use for; unlike an allow list it does not break with the next libc.  For
 * readers, what changes names or modes is denied here, too, as Landlock leaves
 * modes alone and is not everywhere.
 */
#include "core/confine.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "core/base/cleanup.h"

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define ARCHITECTURE AUDIT_ARCH_PPC64LE
#elif defined(__i386__)
#define ARCHITECTURE AUDIT_ARCH_I386
#else
#define ARCHITECTURE 0
#endif

enum { X32_BIT = 0x40000000, MOST = 512 };

/* Names that one architecture or an older libc lacks are left out where they are not known. */

/* What changes the machine, looks into other processes, or talks to somebody: for nobody here. */
static const int denied[] = {
	SYS_socket, SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_perf_event_open,
	SYS_bpf, SYS_userfaultfd, SYS_kcmp, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
	SYS_unshare, SYS_setns, SYS_quotactl, SYS_acct, SYS_swapon, SYS_swapoff, SYS_reboot,
	SYS_kexec_load, SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_settimeofday,
	SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname,
	SYS_syslog, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_name_to_handle_at,
	SYS_open_by_handle_at, SYS_io_setup, SYS_mq_open, SYS_mq_unlink, SYS_fanotify_init,
#ifdef SYS_socketcall
	SYS_socketcall,
#endif
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
	/* numbers that are the same everywhere */
	424 /* pidfd_send_signal */, 425 /* io_uring_setup */, 428 /* open_tree */,
	429 /* move_mount */, 430 /* fsopen */, 431 /* fsconfig */, 432 /* fsmount */,
	433 /* fspick */, 438 /* pidfd_getfd */, 442 /* mount_setattr */, 467 /* open_tree_attr */,
};

/* What a build needs, and a reader of files has no use for. */
static const int denied_to_readers[] = {
	SYS_kill, SYS_tkill, SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo,
	SYS_memfd_create, SYS_mkdirat, SYS_mknodat, SYS_unlinkat, SYS_linkat, SYS_symlinkat,
	SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_truncate, SYS_utimensat,
	SYS_fallocate, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr,
	SYS_lremovexattr, SYS_fremovexattr,
#ifdef SYS_ipc
	SYS_ipc,
#endif
#ifdef SYS_msgget
	SYS_msgget, SYS_semget, SYS_shmget,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
	SYS_renameat2,
	/* the calls that newer architectures have only as at() */
#ifdef SYS_mkdir
	SYS_mkdir, SYS_mknod, SYS_rmdir, SYS_unlink, SYS_rename, SYS_link, SYS_symlink, SYS_chmod,
	SYS_chown, SYS_lchown, SYS_utimes, SYS_futimesat,
#endif
#ifdef SYS_utime
	SYS_utime,
#endif
	447 /* memfd_secret */, 452 /* fchmodat2 */, 463 /* setxattrat */, 466 /* removexattrat */,
	469 /* file_setattr */,
};

struct program {
	struct sock_filter code[MOST];
	unsigned short n;
};

static void add(struct program *p, unsigned short code, unsigned char yes, unsigned char no,
		unsigned value)
{
	if (p->n < MOST)
		p->code[p->n++] = (struct sock_filter){ code, yes, no, value };
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, 0, 0, (unsigned)offset);
}

static void refuse(struct program *p, unsigned error)
{
	add(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error);
}

/* Another architecture's calls have other numbers: none of them, then. */
static void check_architecture(struct program *p)
{
	load(p, offsetof(struct seccomp_data, arch));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCHITECTURE);
	refuse(p, ENOSYS);
	load(p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	add(p, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32_BIT);
	refuse(p, ENOSYS);
#endif
}

static void deny(struct program *p, unsigned nr, unsigned error)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, nr);
	refuse(p, error);
}

/* Low half of an argument of a system call. */
static size_t argument(unsigned i)
{
	return offsetof(struct seccomp_data, args) + i * sizeof(__u64) +
	       (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0);
}

/* fork() and threads, but no new namespace; clone3() passes flags where no filter sees them. */
static void check_clone(struct program *p)
{
	deny(p, 435 /* clone3 */, ENOSYS);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 4, SYS_clone);
	load(p, argument(0));
	add(p, BPF_JMP | BPF_JSET | BPF_K, 0, 1,
	    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
		    CLONE_NEWPID | CLONE_NEWNET);
	refuse(p, EPERM);
	load(p, offsetof(struct seccomp_data, nr));
}

/* Typing into the terminal that started us. */
static void check_ioctl(struct program *p)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 5, SYS_ioctl);
	load(p, argument(1));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, TIOCSTI);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, TIOCLINUX);
	refuse(p, EPERM);
	add(p, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

static void deny_all(struct program *p, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		deny(p, (unsigned)calls[i], EPERM);
}

struct filter {
	struct sock_fprog head;
	struct program body;
};

/* What is not decided before is allowed. */
static struct sock_fprog *finish(struct filter *f)
{
	add(&f->body, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
	f->head = (struct sock_fprog){ .len = f->body.n, .filter = f->body.code };
	return &f->head;
}

struct sock_fprog *kiln_calls_filter(enum kiln_calls what)
{
	struct filter *made = ARCHITECTURE ? calloc(1, sizeof(*made)) : NULL;
	struct program *p;

	if (!made)
		return NULL;
	p = &made->body;
	check_architecture(p);
	deny_all(p, denied, ARRAY_SIZE(denied));
	if (what == KILN_CALLS_READING)
		deny_all(p, denied_to_readers, ARRAY_SIZE(denied_to_readers));
	check_clone(p);
	check_ioctl(p);
	return finish(made);
}

/* Calls of other architectures do not get as far as to do something. */
struct sock_fprog *kiln_calls_notify(const int *calls, size_t n)
{
	struct filter *made = ARCHITECTURE ? calloc(1, sizeof(*made)) : NULL;

	if (!made)
		return NULL;
	load(&made->body, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < n; i++) {
		add(&made->body, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, (unsigned)calls[i]);
		add(&made->body, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_USER_NOTIF);
	}
	return finish(made);
}

void kiln_calls_filter_free(struct sock_fprog *filter)
{
	free(filter);
}

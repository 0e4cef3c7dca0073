/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See world.h.  The modules are real ELF files that MAKE copies: no compiler, and the proof has something to prove. */
#include "tests/fault/world.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/fault/shim.h"
#include "tests/unit/unit-elf.h"

#include "core/base/text.h"

#define K     "6.1.0-9"
#define MAGIC K " SMP mod_unload modversions "

#define ARRIVED	  "source-added acme 2.0\nsource-added beta 1\n"
#define INSTALLED "autoinstall " K " x86_64\n"
#define REMOVED	  "request remove acme 2.0 -\nrequest remove acme 1.0 -\n"
#define LOADED	  "load acme 1.0 @ force\n"

const struct fault_scenario fault_scenarios[] = {
	{ .name = "arrival", .during = ARRIVED, .after = ARRIVED },
	{ .name = "first install", .before = "", .during = INSTALLED, .after = INSTALLED },
	{ .name = "upgrade", .before = "request install acme 1.0 " K " x86_64\n",
	  .during = "request install acme 2.0 " K " x86_64 force\n", .after = INSTALLED },
	{ .name = "removal", .before = INSTALLED, .during = REMOVED, .after = REMOVED },
	{ .name = "rollback", .before = "request install acme 1.0 " K " x86_64\nrequest install acme 2.0 " K " x86_64\n",
	  .during = "request rollback acme 1.0 " K " x86_64\n", .after = INSTALLED, .either = true },
	{ .name = "load", .before = "request build acme 1.0 " K " x86_64\n", .during = LOADED, .after = LOADED, .packed = true },
};
const size_t fault_n_scenarios = ARRAY_SIZE(fault_scenarios);

static char archive[80]; /* beside the machine, as from another one */

/* ---- the beginning ---- */

static void write_module(const struct unit_root *root, const char *dir, const char *name, const char *version)
{
	_cleanup_(freep) char *path = kiln_strf("%s/%s.ko", dir, name);
	_cleanup_(freep) char *info = kiln_strf("version=%s\nlicense=GPL\nvermagic=" MAGIC "\nname=%s\n", version, name);
	const struct unit_elf elf = { .info = info, .imports = { { "printk", 2, false } } };

	unit_write_elf(root, path, &elf);
}

static void write_source(const struct unit_root *root, const char *name, const char *version, const char *modules)
{
	_cleanup_(freep) char *dir = kiln_strf("usr/src/%s-%s", name, version);
	_cleanup_(freep) char *conf = kiln_strf("%s/dkms.conf", dir), *good = kiln_strf("%s/good", dir);
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	kiln_text_split(modules, " ", &names);
	kiln_buf_addf(&b, "PACKAGE_NAME=%s\nPACKAGE_VERSION=%s\nAUTOINSTALL=yes\nMAKE=\"cp good/*.ko .\"\n", name, version);
	for (size_t i = 0; i < names.n; i++) {
		kiln_buf_addf(&b, "BUILT_MODULE_NAME[%zu]=%s\nDEST_MODULE_LOCATION[%zu]=/updates\n", i, names.v[i], i);
		write_module(root, good, names.v[i], version);
	}
	if (names.n > 1)
		kiln_buf_addf(&b, "MODULES_CONF=\"options %s since=%s\"\n", name, version);
	unit_write(root, conf, b.data);
}

static void write_kernel(const struct unit_root *root)
{
	unit_write(root, "lib/modules/" K "/build/include/config/auto.conf", "CONFIG_MODULES=y\nCONFIG_MODVERSIONS=y\n");
	unit_write(root, "lib/modules/" K "/build/Module.symvers", "0x00000002\tprintk\tvmlinux\tEXPORT_SYMBOL\t\n");
	unit_write(root, "lib/modules/" K "/modules.order", "kernel/own.ko\n");
	unit_write(root, "lib/modules/" K "/modules.builtin", "");
	unit_write(root, "lib/modules/" K "/modules.dep", "");
	write_module(root, "lib/modules/" K "/kernel", "own", "");
	write_module(root, "lib/modules/" K "/kernel", "acme", "0.1");   /* stays: ours comes first */
	write_module(root, "lib/modules/" K "/updates", "helper", "0.1"); /* archived: it would come first */
	unit_write(root, "etc/depmod.d/dkms.conf", "search updates updates/dkms built-in\n");
}

static void pack_acme(const char *root)
{
	struct kiln_options o = { .root = root, .arch = "x86_64" };
	struct kiln_tarball t = { .mod = { "acme", "1.0" }, .archive = "acme.tar" };
	_cleanup_(kiln_strv_free) struct kiln_strv warnings = KILN_STRV_INIT;
	_cleanup_(freep) char *made = NULL;
	_cleanup_(kiln_ctx_freep) struct kiln_ctx *ctx = NULL;

	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	assert_int_equal(kiln_tarball_make(ctx, &t, &made, &warnings, NULL), 0);
	snprintf(archive, sizeof(archive), "%s.tar", root);
	assert_int_equal(kiln_fs_unlink(AT_FDCWD, archive), 0);
	assert_int_equal(kiln_fs_copy_file(AT_FDCWD, made, AT_FDCWD, archive, 0644, false), 0);
	assert_int_equal(fault_world_run(root, "request remove acme 1.0 -\n"), 0);
}

void fault_world_make(const char *path, const struct fault_scenario *s)
{
	struct unit_root root = { .fd = -1 };

	assert_int_equal(kiln_fs_remove_tree(AT_FDCWD, path), 0);
	root.fd = kiln_fs_open_new_dir(AT_FDCWD, path, 0755);
	assert_true(root.fd >= 0);
	unit_write(&root, "etc/os-release", "ID=debian\n");
	unit_dir(&root, "var/lib/dkms");
	write_kernel(&root);
	write_source(&root, "acme", "1.0", "acme helper old");
	write_source(&root, "acme", "2.0", "acme helper");
	write_source(&root, "beta", "1", "beta");
	close(root.fd);
	if (!s->before)
		return;
	assert_int_equal(fault_world_run(path, "request add acme 1.0 -\nrequest add acme 2.0 -\nrequest add beta 1 -\n"), 0);
	if (*s->before)
		assert_int_equal(fault_world_run(path, s->before), 0);
	if (s->packed)
		pack_acme(path);
}

/* ---- a run ---- */

/* The text of facts, with the archive's name in place of "@". */
static char *facts_text(const char *facts)
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	char *ret = NULL;

	kiln_buf_addf(&b, "modkiln-facts 1\n");
	for (const char *at; (at = strchr(facts, '@')); facts = at + 1)
		kiln_buf_addf(&b, "%.*s%s", (int)(at - facts), facts, archive);
	kiln_buf_addf(&b, "%s", facts);
	kiln_buf_steal(&b, &ret);
	return ret;
}

static int run_engine(const char *root, const char *facts)
{
	struct kiln_options o = { .root = root, .arch = "x86_64", .jobs = 1 };
	_cleanup_(kiln_facts_freep) struct kiln_facts *f = kiln_facts_new();
	_cleanup_(kiln_report_freep) struct kiln_report *report = NULL;
	_cleanup_(freep) char *text = facts_text(facts);
	_cleanup_(kiln_err_clear) struct kiln_err err = KILN_ERR_INIT;
	struct kiln_ctx *ctx = NULL;
	int r;

	if (!freopen("/dev/null", "w", stdout) || kiln_facts_parse(f, text, &err) < 0 || kiln_ctx_new(&o, &ctx, &err) < 0)
		return 2;
	r = kiln_run(ctx, f, -1, NULL, NULL, &report, &err);
	if (getenv("FAULT_VERBOSE")) {
		char *said = NULL;

		if (report)
			kiln_report_print(report, &said);
		fprintf(stderr, "%s%s\n", said ? said : "", err.text ? err.text : "");
		free(said);
	}
	kiln_ctx_free(ctx);
	return r < 0 ? 1 : 0;
}

static pid_t start(const char *root, const char *facts)
{
	pid_t pid = fork();

	if (pid == 0) {
		fault_shared->engine = getpid();
		_exit(run_engine(root, facts));
	}
	assert_true(pid > 0);
	return pid;
}

/* Waits for everybody, as what a killed engine leaves comes to us; a worker may ask for the engine's end. */
static int wait_all(pid_t engine)
{
	const struct timespec moment = { 0, 1000000 };
	int status, result = -1;
	pid_t pid;

	for (;;) {
		if (fault_shared->kill_me && result < 0)
			kill(engine, SIGKILL);
		pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0)
			break;
		if (pid == engine)
			result = status;
		if (!pid)
			nanosleep(&moment, NULL);
	}
	fault_shared->kill_me = false;
	fault_shared->engine = 0;
	return result;
}

int fault_world_run(const char *root, const char *facts)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	snprintf(fault_shared->root, sizeof(fault_shared->root), "%s/", root);
	return wait_all(start(root, facts));
}

void fault_world_run_two(const char *root, const char *facts)
{
	pid_t first = start(root, facts);

	start(root, facts);
	wait_all(first);
}

/* ---- the end ---- */

struct looking {
	struct kiln_buf state;
	char *flaw;
	const char *top;
};

static bool is_watched(const char *path)
{
	return strcmp(path, "lib/modkiln/holder") && strcmp(path, "lib/modkiln/times") &&
	       !kiln_text_starts(path, "lib/modkiln/index/") && !strstr(path, "modules.") && !strstr(path, "make.log") &&
	       !kiln_text_starts(path, "log/");
}

/* A record's content but for the level of isolation: a fault in what finds that out may lower it. */
static void hash_record(int dir, const char *name, char hash[KILN_HASH_SIZE])
{
	_cleanup_(kiln_buf_free) struct kiln_buf b = KILN_BUF_INIT;
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;
	_cleanup_(freep) char *text = NULL;

	assert_true(kiln_fs_read(dir, name, 1 << 20, &text, NULL) >= 0);
	assert_int_equal(kiln_text_lines(text, &lines), 0);
	for (size_t i = 0; i < lines.n; i++)
		if (!kiln_text_starts(lines.v[i], "isolation "))
			kiln_buf_addf(&b, "%s\n", lines.v[i]);
	kiln_hash_bytes(kiln_buf_str(&b), b.len, hash);
}

static int see(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct looking *l = data;
	char hash[KILN_HASH_SIZE] = "";
	_cleanup_(freep) char *text = NULL;

	if (!is_watched(path))
		return 0;
	if (S_ISLNK(st->st_mode))
		kiln_fs_read_link(dir, name, &text);
	else if (kiln_text_starts(path, "lib/modkiln/records/"))
		hash_record(dir, name, hash);
	else
		kiln_fs_hash_file(dir, name, hash);
	kiln_buf_addf(&l->state, "%s/%s %o %.16s%s\n", l->top, path, st->st_mode, hash, text ? text : "");
	return 0;
}

/* The index, without the order in which depmod met the files. */
static void see_index(const struct unit_root *root, struct kiln_buf *b)
{
	_cleanup_(freep) char *text = NULL;
	_cleanup_(kiln_strv_free) struct kiln_strv lines = KILN_STRV_INIT;

	if (kiln_fs_read(root->fd, "lib/modules/" K "/modules.dep", 1 << 20, &text, NULL) < 0)
		return;
	kiln_text_lines(text, &lines);
	kiln_strv_sort(&lines);
	for (size_t i = 0; i < lines.n; i++)
		kiln_buf_addf(b, "index %s\n", lines.v[i]);
}

char *fault_world_state(const char *path)
{
	struct looking l = { .state = KILN_BUF_INIT };
	struct unit_root root = { .fd = kiln_fs_open_dir(AT_FDCWD, path) };
	char *ret = NULL;

	assert_true(root.fd >= 0);
	l.top = "var";
	kiln_fs_walk(root.fd, "var", see, &l);
	l.top = "modules";
	kiln_fs_walk(root.fd, "lib/modules", see, &l);
	l.top = "modprobe.d";
	kiln_fs_walk(root.fd, "etc/modprobe.d", see, &l);
	see_index(&root, &l.state);
	close(root.fd);
	kiln_buf_steal(&l.state, &ret);
	return ret;
}

static int find_flaw(void *data, int dir, const char *name, const char *path, const struct stat *st)
{
	struct looking *l = data;
	_cleanup_(freep) char *whole = NULL;
	size_t len, n;

	if (!kiln_text_ends(name, ".ko") || name[0] == '.' || !S_ISREG(st->st_mode) || strstr(path, "/.tmp_") ||
	    strstr(path, "/build/") || strstr(path, "lib/modkiln/work") || l->flaw)
		return 0;
	if (kiln_fs_read(dir, name, 1 << 20, &whole, &len) < 0)
		return 0;
	n = strlen("section");
	if (len < sizeof(Elf64_Ehdr) + n ||
	    ((const Elf64_Ehdr *)(const void *)whole)->e_shoff + UNIT_ELF_SECTIONS * sizeof(Elf64_Shdr) != len)
		l->flaw = kiln_strf("%s/%s has %zu bytes, and is not whole", l->top, path, len);
	return 0;
}

char *fault_world_flaw(const char *path)
{
	struct looking l = { .state = KILN_BUF_INIT };
	int root = kiln_fs_open_dir(AT_FDCWD, path);

	assert_true(root >= 0);
	l.top = "var";
	kiln_fs_walk(root, "var", find_flaw, &l);
	l.top = "lib/modules";
	kiln_fs_walk(root, "lib/modules", find_flaw, &l);
	close(root);
	return l.flaw;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The incremental index against the depmod of this machine: a made-up kernel, and
 * packages whose modules come, go and change at random, need each other and the
 * kernel's, and describe themselves in all ways that depmod writes down.  Of two
 * equal trees one is indexed by depmod each time; every byte has to be the same.
 * tests/index/compare does it with real kernels.
 */
#include "tests/unit/unit-ko-symbols.h"

#include "core/index.h"
#include "core/place.h"
#include "core/tool.h"

#define K "lib/modules/6.1"

enum { OF_KERNEL = 40, OF_PACKAGES = 16, ROUNDS = 150, SEEDS = 3, DEPENDENCIES = 4 };

static const struct kiln_kern kern = { "6.1", "x86_64" };

static uint64_t state_of_random;

static unsigned any(unsigned below)
{
	state_of_random = state_of_random * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state_of_random >> 33) % below;
}

struct machine {
	struct unit_root *root; /* of the test; "ours" and "theirs" are below */
	struct unit_root ours, theirs;
	struct kiln_ctx *mine, *other;
	unsigned incremental, full;
	char *places[OF_PACKAGES]; /* where the package's module is; NULL: nowhere */
	struct kiln_buf why;
};

static bool have_depmod(void)
{
	static const char *const argv[] = { "depmod", "--version", NULL };
	_cleanup_(freep) char *last = NULL;

	return kiln_tool_run(argv, &last, NULL) == 0;
}

/* ---- modules ---- */

/* name: "k7" or "p3". It needs some of those before it, and exports name_0, name_1. */
static void make_words(const char *name, struct kiln_buf *info, struct kiln_buf *exports)
{
	static const char *const notes[] = {
		"alias=pci:v0000%04Xd*sv*sd*bc*sc*i*\n", "alias=of:N*T*Cacme,%x-board[a-f0-9]*\n",
		"alias=acpi*:X%x:*\nalias=broken[%x\n",	 "softdep=pre: k%u post: some-thing\n",
		"alias=char-major-10-%u\nalias=devname:node\n", "weakdep=k%u\n",
		"alias=net-pf-%u-proto-2\ndescription=a b\n",	 "alias=\nalias=dmi*:svn A B*:%x\n",
	};

	kiln_buf_addf(info, "name=%s\n", name);
	for (unsigned i = any(4); i; i--)
		kiln_buf_addf(info, notes[any(ARRAY_SIZE(notes))], any(65536));
	for (unsigned i = any(3); i; i--)
		kiln_buf_addf(exports, "%s_%u\n", name, i);
}

static void put_both(struct machine *m, const char *path, const struct unit_ko_text *ko)
{
	unit_put_ko(&m->ours, path, ko);
	unit_put_ko(&m->theirs, path, ko);
}

/* Of another module, if it exports so many; and something of the kernel itself. */
static void add_need(struct kiln_buf *needs, char kind, unsigned below)
{
	if (below)
		kiln_buf_addf(needs, "%c%u_%u\n", kind, any(below), 1 + any(2));
	if (!any(3))
		kiln_buf_addf(needs, "printk%u\n", any(50));
}

static void write_both(struct machine *m, const char *path, const char *text)
{
	unit_write(&m->ours, path, text);
	unit_write(&m->theirs, path, text);
}

static void make_kernel(struct machine *m)
{
	_cleanup_(kiln_buf_free) struct kiln_buf order = KILN_BUF_INIT, symvers = KILN_BUF_INIT;

	for (unsigned i = 0; i < OF_KERNEL; i++) {
		_cleanup_(kiln_buf_free) struct kiln_buf info = KILN_BUF_INIT, exports = KILN_BUF_INIT,
							 needs = KILN_BUF_INIT;
		_cleanup_(freep) char *name = kiln_strf("k%u", i), *path = kiln_strf("kernel/%c/%s.ko", 'a' + any(5), name),
				      *whole = kiln_strf(K "/%s", path);

		make_words(name, &info, &exports);
		for (unsigned j = any(DEPENDENCIES); j; j--)
			add_need(&needs, 'k', i);
		put_both(m, whole, &(struct unit_ko_text){ kiln_buf_str(&info), kiln_buf_str(&exports),
							   kiln_buf_str(&needs) });
		for (unsigned j = 0; j <= 2; j++)
			kiln_buf_addf(&symvers, "0x0\t%s_%u\t%s\tEXPORT_SYMBOL\t\n", name, j, path);
		kiln_buf_addf(&order, "%s\nkernel/gone-%u.ko\n", path, i);
	}
	write_both(m, K "/modules.order", order.data);
	write_both(m, K "/modules.builtin", "kernel/fs/ext4/ext-4.ko\n");
	write_both(m, K "/build/Module.symvers", symvers.data);
}

/* ---- packages ---- */

static void forget(struct machine *m, unsigned i)
{
	_cleanup_(freep) char *path = m->places[i];

	assert_int_equal(unlinkat(m->ours.fd, path, 0), 0);
	assert_int_equal(unlinkat(m->theirs.fd, path, 0), 0);
	m->places[i] = NULL;
}

static void install(struct machine *m, unsigned i)
{
	static const char *const folders[] = { "updates/dkms", "updates/dkms", "extra", "kernel/a/sub", "kernel/new" };
	_cleanup_(kiln_buf_free) struct kiln_buf info = KILN_BUF_INIT, exports = KILN_BUF_INIT, needs = KILN_BUF_INIT;
	_cleanup_(freep) char *name = kiln_strf("p%u", i);

	if (!m->places[i])
		m->places[i] = kiln_strf(K "/%s/p%s%u.ko", folders[any(ARRAY_SIZE(folders))], i % 3 ? "" : "-", i);
	make_words(name, &info, &exports);
	for (unsigned j = any(DEPENDENCIES); j; j--)
		add_need(&needs, 'k', OF_KERNEL);
	for (unsigned j = any(DEPENDENCIES); j; j--)
		add_need(&needs, 'p', i);
	put_both(m, m->places[i], &(struct unit_ko_text){ kiln_buf_str(&info), kiln_buf_str(&exports),
							  kiln_buf_str(&needs) });
}

static void change(struct machine *m)
{
	unsigned i = any(OF_PACKAGES);

	if (m->places[i] && any(3))
		forget(m, i);
	if (!m->places[i] || any(2))
		install(m, i);
}

/* ---- both indexes ---- */

static void note_reason(void *data, enum kiln_log_level level, const char *text)
{
	struct machine *m = data;

	if (level != KILN_LOG_DEBUG)
		return;
	m->full += strstr(text, "depmod has to run") != NULL;
	kiln_buf_addf(&m->why, "%s\n", text);
}

static void compare_indexes(const struct machine *m, unsigned round)
{
	_cleanup_(kiln_strv_free) struct kiln_strv names = KILN_STRV_INIT;

	assert_int_equal(kiln_fs_list(m->theirs.fd, K, &names), 0);
	for (size_t i = 0; i < names.n; i++) {
		_cleanup_(freep) char *path = kiln_strf(K "/%s", names.v[i]);

		if (strncmp(names.v[i], "modules.", 8))
			continue;
		if (kiln_fs_same(m->ours.fd, path, m->theirs.fd, path) != 1)
			fail_msg("round %u: %s is not what depmod writes", round, path);
	}
}

static void index_both(struct machine *m, unsigned round)
{
	unsigned full = m->full;

	assert_int_equal(kiln_index_update(m->mine, kern, NULL), 0);
	assert_int_equal(kiln_index_update(m->other, kern, NULL), 0);
	m->incremental += m->full == full;
	compare_indexes(m, round);
}

/* ---- machines ---- */

static struct kiln_ctx *open_root(const struct unit_root *of, const char *name, struct unit_root *ret)
{
	struct kiln_options o = { .root = ret->path };
	struct kiln_ctx *ctx = NULL;

	unit_dir(of, name);
	snprintf(ret->path, sizeof(ret->path), "%.40s/%s", of->path, name);
	ret->fd = open(ret->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(kiln_ctx_new(&o, &ctx, NULL), 0);
	return ctx;
}

static void set_up(struct machine *m, struct unit_root *root)
{
	*m = (struct machine){ .root = root };
	m->mine = open_root(root, "ours", &m->ours);
	m->other = open_root(root, "theirs", &m->theirs);
	m->other->settings.whole_index = true;
	kiln_ctx_set_log(m->mine, note_reason, m);
	make_kernel(m);
	index_both(m, 0);
	assert_int_equal(m->full, 1);
}

static void tear_down(struct machine *m)
{
	for (size_t i = 0; i < OF_PACKAGES; i++)
		free(m->places[i]);
	kiln_buf_free(&m->why);
	kiln_ctx_free(m->mine);
	kiln_ctx_free(m->other);
	close(m->ours.fd);
	close(m->theirs.fd);
	assert_int_equal(kiln_fs_remove_tree(m->root->fd, "ours"), 0);
	assert_int_equal(kiln_fs_remove_tree(m->root->fd, "theirs"), 0);
}

static void test_random(void **state)
{
	struct unit_root *root = *state;
	unsigned incremental = 0, full = 0;

	if (!have_depmod())
		skip();
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct machine m;

		state_of_random = seed;
		set_up(&m, root);
		for (unsigned round = 1; round <= ROUNDS; round++) {
			for (unsigned n = any(5); n; n--)
				change(&m);
			index_both(&m, round);
		}
		incremental += m.incremental;
		full += m.full;
		if (getenv("KILN_SAY_WHY"))
			print_message("%s", kiln_buf_str(&m.why));
		tear_down(&m);
	}
	print_message("%u incremental, %u full\n", incremental, full);
	assert_true(incremental > full * 4);
}

/* In memory, where it can be: it is not the disk that is tested. */
int main(void)
{
	const struct CMUnitTest tests[] = {
		unit_test_with_root(test_random),
	};

	if (!access("/dev/shm", W_OK))
		setenv("TMPDIR", "/dev/shm", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every call site of the engine, for every kind of path that it touches, fails
 * once with EIO, once with ENOSPC, and is once the last thing that the engine
 * does.  After each, one clean run has to end where an undisturbed one ends,
 * and at no time is half a module visible.
 *
 *	fault            a sample of SAMPLE faults, chosen by SEED, and the other checks
 *	fault --all      all of them
 *	fault --only N   the Nth, told in detail
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/fault/order.h"
#include "tests/fault/world.h"
#include "tests/unit/unit.h"

#include "core/base/cleanup.h"

enum { SAMPLE = 36 };

#define BOOT "reconcile\n" /* what the boot service says */

struct fault {
	size_t scenario;
	struct fault_event at;
	enum fault_kind kind;
	const char *class;
};

/* The states in which a scenario may end. */
struct ends {
	char *done, *not_begun;
};

static struct fault *faults;
static size_t n_faults, n_failures, n_fired, n_reboots;
static char pristine[64], work[64]; /* directories */
static struct ends ends[8], booted[8];

/* ---- one scenario ---- */

static void copy_world(void)
{
	assert_int_equal(kiln_fs_remove_tree(AT_FDCWD, work), 0);
	assert_int_equal(kiln_fs_copy_tree(AT_FDCWD, pristine, AT_FDCWD, work, NULL), 0);
}

static void failed(const char *scenario, const char *what, const char *detail)
{
	n_failures++;
	fprintf(stderr, "FAILED: %s: %s\n%s", scenario, what, detail ? detail : "");
}

/* What two states differ in, line by line. */
static char *difference(const char *a, const char *b)
{
	_cleanup_(kiln_buf_free) struct kiln_buf out = KILN_BUF_INIT;
	const char *texts[] = { a, b, a };
	char *ret = NULL;

	for (size_t side = 0; side < 2; side++)
		for (const char *l = texts[side]; *l; l += strcspn(l, "\n"), l += *l == '\n') {
			_cleanup_(freep) char *line = strndup(l, strcspn(l, "\n"));

			if (!strstr(texts[side + 1], line))
				kiln_buf_addf(&out, "  %c %s\n", "-+"[side], line);
		}
	kiln_buf_steal(&out, &ret);
	return ret;
}

static void compare(size_t scenario, const struct ends *e, const char *what)
{
	const struct fault_scenario *s = &fault_scenarios[scenario];
	_cleanup_(freep) char *state = fault_world_state(work), *flaw = fault_world_flaw(work), *diff = NULL;

	if (flaw)
		failed(s->name, what, flaw);
	if (!strcmp(state, e->done) || (s->either && !strcmp(state, e->not_begun)))
		return;
	diff = difference(e->done, state);
	failed(s->name, what, diff);
}

/* ---- finding the faults ---- */

static bool is_known(const struct fault *f)
{
	for (size_t i = 0; i < n_faults; i++)
		if (faults[i].scenario == f->scenario && faults[i].at.site == f->at.site && faults[i].kind == f->kind &&
		    !strcmp(faults[i].class, f->class))
			return true;
	return false;
}

static void add_fault(const struct fault *f)
{
	struct fault *v;

	if (is_known(f))
		return;
	v = reallocarray(faults, n_faults + 1, sizeof(*v));
	assert_non_null(v);
	faults = v;
	faults[n_faults++] = *f;
}

static void find_faults(size_t scenario)
{
	for (size_t i = 0; i < fault_shared->n; i++)
		for (enum fault_kind k = FAULT_KILL; k <= FAULT_IO; k++) {
			struct fault f = { .scenario = scenario, .at = fault_shared->events[i], .kind = k,
					   .class = fault_class(fault_shared->events[i].path) };

			if (fault_fits(k, f.at.call))
				add_fault(&f);
		}
}

static void record(size_t scenario)
{
	const struct fault_scenario *s = &fault_scenarios[scenario];
	size_t checked, bad;

	copy_world();
	fault_shared->n = 0;
	fault_shared->noting = true;
	assert_int_equal(fault_world_run(work, s->during), 0);
	fault_shared->noting = false;
	bad = fault_check_order(fault_shared->events, fault_shared->n, &checked);
	printf("%s: %zu calls; %zu renames to a final name, %zu in a wrong order\n", s->name, fault_shared->n, checked, bad);
	if (bad || !checked)
		failed(s->name, "the order of fsync and rename", NULL);
	find_faults(scenario);
}

/* The state after these facts, those that are NULL left out, and what makes up for a fault. */
static char *end_of(size_t scenario, const char *first, const char *second)
{
	copy_world();
	if (first)
		fault_world_run(work, first);
	if (second)
		fault_world_run(work, second);
	fault_world_run(work, fault_scenarios[scenario].after);
	return fault_world_state(work);
}

/* A boot installs what is registered, whatever the scenario has done of it. */
static void find_ends(size_t scenario)
{
	const char *during = fault_scenarios[scenario].during;

	ends[scenario] = (struct ends){ end_of(scenario, during, NULL), end_of(scenario, NULL, NULL) };
	booted[scenario] = (struct ends){ end_of(scenario, during, BOOT), end_of(scenario, BOOT, NULL) };
}

/* ---- carrying them out ---- */

/* The scenario in a world of its own, with one fault in it. */
static void run_with(const struct fault *f)
{
	copy_world();
	fault_shared->site = f->at.site;
	snprintf(fault_shared->class, sizeof(fault_shared->class), "%s", f->class);
	fault_shared->kind = f->kind;
	fault_shared->fired = 0;
	fault_world_run(work, fault_scenarios[f->scenario].during);
	fault_shared->kind = FAULT_NONE;
}

static char *describe(const struct fault *f, const char *more)
{
	return kiln_strf("%s in %s of %s (%s)%s", fault_kind_name(f->kind), fault_call_name(f->at.call), f->class, f->at.path,
			 more);
}

static void carry_out(const struct fault *f)
{
	const struct fault_scenario *s = &fault_scenarios[f->scenario];
	_cleanup_(freep) char *flaw = NULL, *what = describe(f, "");

	run_with(f);
	n_fired += fault_shared->fired != 0;
	flaw = fault_world_flaw(work);
	if (flaw)
		failed(s->name, what, flaw);
	fault_world_run(work, s->after);
	compare(f->scenario, &ends[f->scenario], what);
}

/* The machine goes down in the middle: at boot nobody says what was meant. */
static void carry_out_reboot(const struct fault *f)
{
	_cleanup_(freep) char *what = describe(f, ", and a reboot");

	run_with(f);
	n_reboots++;
	fault_world_run(work, BOOT);
	fault_world_run(work, fault_scenarios[f->scenario].after);
	compare(f->scenario, &booted[f->scenario], what);
}

static void carry_out_some(size_t scenario, size_t wanted, size_t only)
{
	for (size_t i = 0; i < n_faults; i++) {
		if (faults[i].scenario != scenario)
			continue;
		if (only ? i + 1 == only : wanted >= n_faults || (size_t)rand() % n_faults < wanted) {
			carry_out(&faults[i]);
			if (faults[i].kind == FAULT_KILL && i % 4 == 0)
				carry_out_reboot(&faults[i]);
			if (n_failures > 500)
				return;
		}
	}
}

/* ---- what is no fault of a call ---- */

static void test_clock(size_t scenario)
{
	static const long shifts[] = { 20L * 365 * 86400, -20L * 365 * 86400 };

	for (size_t i = 0; i < ARRAY_SIZE(shifts); i++) {
		copy_world();
		fault_shared->clock_shift = shifts[i];
		fault_world_run(work, fault_scenarios[scenario].during);
		fault_shared->clock_shift = 0;
		fault_world_run(work, fault_scenarios[scenario].after);
		compare(scenario, &ends[scenario], "the clock jumps");
	}
}

static void test_two_engines(size_t scenario)
{
	copy_world();
	fault_world_run_two(work, fault_scenarios[scenario].during);
	fault_world_run(work, fault_scenarios[scenario].after);
	if (!fault_scenarios[scenario].either) /* two rollbacks end where they began */
		compare(scenario, &ends[scenario], "two engines at once");
}

/* Killed just before a journal is carried out, then the headers are gone; at boot nobody says what was meant. */
static void test_headers_gone(size_t scenario)
{
	_cleanup_(freep) char *headers = kiln_strf("%s/lib/modules/6.1.0-9/build", work);
	_cleanup_(freep) char *away = kiln_strf("%s/lib/modules/6.1.0-9/.away", work);

	for (size_t i = 0; i < n_faults; i++) {
		const struct fault *f = &faults[i];

		if (f->scenario != scenario || f->kind != FAULT_KILL || strcmp(f->class, "journal") || f->at.call != CALL_RENAME)
			continue;
		run_with(f);
		assert_int_equal(rename(headers, away), 0);
		fault_world_run(work, BOOT);
		assert_int_equal(rename(away, headers), 0);
		fault_world_run(work, fault_scenarios[scenario].after);
		compare(scenario, &booted[scenario], "killed, and booted without headers");
	}
}

static void run_scenario(size_t scenario, size_t wanted, size_t only)
{
	struct fault_scenario begun = fault_scenarios[scenario];

	fault_world_make(pristine, &begun);
	record(scenario);
	find_ends(scenario);
	carry_out_some(scenario, wanted, only);
	if (only)
		return;
	test_clock(scenario);
	test_two_engines(scenario);
	test_headers_gone(scenario);
}

int main(int argc, char **argv)
{
	const char *seed_text = getenv("SEED"), *base = getenv("TMPDIR");
	unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : (unsigned)(time(NULL) ^ getpid());
	bool all = argc > 1 && !strcmp(argv[1], "--all");
	size_t only = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
	char top[40];

	if (!access("/dev/shm", W_OK)) /* what is tested is the order of calls, not the disk */
		base = "/dev/shm";
	else if (!base || strlen(base) > 20)
		base = "/tmp";
	umask(022);
	snprintf(top, sizeof(top), "%s/kiln-XXXXXX", base);
	assert_non_null(mkdtemp(top));
	assert_int_equal(chmod(top, 0755), 0); /* builds run as another user */
	snprintf(pristine, sizeof(pristine), "%s/p", top);
	snprintf(work, sizeof(work), "%s/w", top);
	fault_init();
	srand(seed);
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("seed %u\n", seed);
	for (size_t i = 0; i < fault_n_scenarios; i++)
		run_scenario(i, all ? SIZE_MAX : SAMPLE / 2, only);
	printf("%zu faults (call site, kind of path, kind of fault); %zu fired, %zu reboots, %zu failures\n", n_faults, n_fired,
	       n_reboots, n_failures);
	kiln_fs_remove_tree(AT_FDCWD, top);
	return n_failures ? 1 : 0;
}

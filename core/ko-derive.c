/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The places where kbuild writes the kernel's name into a module
 * (scripts/mod/modpost.c, include/linux/build-salt.h), rewritten for another
 * kernel.  The file is a driver's: every offset in it is checked.  Pure.
 */
#include "core/reuse.h"

#include <elf.h>
#include <endian.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/cleanup.h"
#include "core/base/fs.h"

#define SALT_NOTE 0x100 /* LINUX_ELFNOTE_BUILD_SALT */

struct module {
	unsigned char *data;
	size_t n;
	const Elf64_Shdr *sections;
	size_t n_sections;
	const char *names;
	size_t names_size;
};

struct span {
	unsigned char *data;
	size_t n;
};

char *kiln_release_stem(const char *release)
{
	const char *end = release;

	while (*end && !(end[0] == '-' && end > release && end[1] > '9'))
		end++;
	return strndup(release, (size_t)(end - release));
}

/* ---- reading ELF ---- */

static bool within(const struct module *m, uint64_t offset, uint64_t size)
{
	return offset <= m->n && size <= m->n - offset;
}

static bool is_ours_to_read(const Elf64_Ehdr *e)
{
	unsigned char order = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;

	return !memcmp(e->e_ident, ELFMAG, SELFMAG) && e->e_ident[EI_CLASS] == ELFCLASS64 &&
	       e->e_ident[EI_DATA] == order && e->e_type == ET_REL && e->e_shentsize == sizeof(Elf64_Shdr);
}

/* The section headers in m->data are used in place: a module's are aligned, and where not it is refused. */
static bool open_module(struct module *m)
{
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)m->data;
	const Elf64_Shdr *names;

	if (m->n < sizeof(*e) || (uintptr_t)m->data % _Alignof(Elf64_Ehdr) || !is_ours_to_read(e) ||
	    e->e_shoff % _Alignof(Elf64_Shdr) || e->e_shstrndx >= e->e_shnum ||
	    !within(m, e->e_shoff, (uint64_t)e->e_shnum * sizeof(Elf64_Shdr)))
		return false;
	m->sections = (const Elf64_Shdr *)(m->data + e->e_shoff);
	m->n_sections = e->e_shnum;
	names = &m->sections[e->e_shstrndx];
	if (!within(m, names->sh_offset, names->sh_size) || !names->sh_size ||
	    m->data[names->sh_offset + names->sh_size - 1])
		return false;
	m->names = (const char *)m->data + names->sh_offset;
	m->names_size = names->sh_size;
	return true;
}

/* data NULL: there is none. */
static struct span section(const struct module *m, const char *name)
{
	for (size_t i = 0; i < m->n_sections; i++) {
		const Elf64_Shdr *s = &m->sections[i];

		if (s->sh_name < m->names_size && !strcmp(m->names + s->sh_name, name) &&
		    s->sh_type != SHT_NOBITS && within(m, s->sh_offset, s->sh_size))
			return (struct span){ m->data + s->sh_offset, s->sh_size };
	}
	return (struct span){ 0 };
}

/* ---- the three places ---- */

static int rename_vermagic(struct span info, const struct kiln_ko_names *from, const struct kiln_ko_names *to,
			   struct kiln_err *err)
{
	static const char key[] = "vermagic=";
	size_t n = strlen(from->release);

	for (size_t i = 0; i < info.n; i += strnlen((char *)info.data + i, info.n - i) + 1) {
		unsigned char *value = info.data + i + strlen(key);

		if (info.n - i <= strlen(key) + n || memcmp(info.data + i, key, strlen(key)))
			continue;
		if (memcmp(value, from->release, n) || value[n] != ' ')
			return kiln_fail(err, -KILN_E_NOTMADE, "its vermagic is not that of %s", from->release);
		memcpy(value, to->release, n);
		return 0;
	}
	return kiln_fail(err, -KILN_E_NOTMADE, "it has no vermagic");
}

/* The description of the first note with this name and type. */
static struct span note(struct span notes, const char *name, uint32_t type)
{
	size_t at = 0;

	while (notes.n - at >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		uint64_t desc, next;

		memcpy(&h, notes.data + at, sizeof(h));
		desc = at + sizeof(h) + (((uint64_t)h.n_namesz + 3) & ~3ULL);
		next = desc + (((uint64_t)h.n_descsz + 3) & ~3ULL);
		if (desc > notes.n || h.n_descsz > notes.n - desc)
			break;
		if (h.n_type == type && h.n_namesz == strlen(name) + 1 &&
		    !memcmp(notes.data + at + sizeof(h), name, h.n_namesz))
			return (struct span){ notes.data + desc, h.n_descsz };
		if (next > notes.n)
			break;
		at = next;
	}
	return (struct span){ 0 };
}

static int rename_salt(struct span notes, const struct kiln_ko_names *from, const struct kiln_ko_names *to,
		       struct kiln_err *err)
{
	const char *old = from->salt ? from->salt : "", *new = to->salt ? to->salt : "";
	struct span salt = note(notes, "Linux", SALT_NOTE);

	if (!salt.data && !*old)
		return 0;
	if (!salt.data || salt.n != strlen(old) + 1 || memcmp(salt.data, old, salt.n))
		return kiln_fail(err, -KILN_E_NOTMADE, "its build salt is not that of %s", from->release);
	memcpy(salt.data, new, salt.n);
	return 0;
}

static unsigned char hex_value(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Two files that differ must not have one build id: debuggers find symbols by it. */
static void renew_build_id(const struct module *m)
{
	struct span id = note(section(m, ".note.gnu.build-id"), "GNU", NT_GNU_BUILD_ID);
	char sum[KILN_HASH_SIZE];

	kiln_hash_bytes(m->data, m->n, sum);
	for (size_t i = 0; i < id.n && 2 * i + 1 < strlen(sum); i++)
		id.data[i] = (unsigned char)(hex_value(sum[2 * i]) << 4 | hex_value(sum[2 * i + 1]));
}

/* ---- all together ---- */

static int check_names(const struct kiln_ko_names *from, const struct kiln_ko_names *to, struct kiln_err *err)
{
	const char *old = from->salt ? from->salt : "", *new = to->salt ? to->salt : "";

	if (strlen(from->release) != strlen(to->release) || strlen(old) != strlen(new))
		return kiln_fail(err, -KILN_E_NOTMADE, "%s and %s are names of different lengths", from->release,
				 to->release);
	return 0;
}

static int check_rest(const struct module *m, const char *release, struct kiln_err *err)
{
	_cleanup_(freep) char *stem = kiln_release_stem(release);

	if (!stem)
		return kiln_fail(err, -ENOMEM, "out of memory");
	if (memmem(m->data, m->n, stem, strlen(stem)))
		return kiln_fail(err, -KILN_E_NOTMADE, "it names %s where kbuild does not", stem);
	if (section(m, ".BTF").data)
		return kiln_fail(err, -KILN_E_NOTMADE, "it has BTF, which counts on the kernel's own");
	return 0;
}

int kiln_ko_derive(void *data, size_t n, const struct kiln_ko_names *from, const struct kiln_ko_names *to,
		   struct kiln_err *err)
{
	struct module m = { .data = data, .n = n };
	int r = check_names(from, to, err);

	if (r < 0)
		return r;
	if (!open_module(&m))
		return kiln_fail(err, -KILN_E_NOTMADE, "it is not a 64-bit ELF module of this machine's byte order");
	r = rename_vermagic(section(&m, ".modinfo"), from, to, err);
	if (r >= 0)
		r = rename_salt(section(&m, ".note.Linux"), from, to, err);
	if (r >= 0 && strcmp(from->release, to->release))
		r = check_rest(&m, from->release, err);
	if (r >= 0)
		renew_build_id(&m);
	return r;
}

/*
 * Units of base/path. Each test has a directory of its own, which is gone afterwards.
 */
#include "base/path.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const variables[] = {"SPAWND_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
    "XDG_CONFIG_HOME", "HOME"};

static int
setup(void **state)
{
	static char dir[] = "/tmp/test_path.XXXXXX";
	size_t i;

	for (i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
		unsetenv(variables[i]);
	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	*state = mkdtemp(dir);
	umask(022);
	return *state == NULL ? -1 : 0;
}

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *where)
{
	(void)st;
	(void)flag;
	(void)where;
	return remove(path);
}

static int
teardown(void **state)
{
	return nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* dir/name, in one of a few buffers. */
static const char *
in(void **state, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	assert_int_equal(path_join(*state, name, path), 0);
	return path;
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_home_of_spawnd_has_everything(void **state)
{
	struct paths p;
	struct fault f;

	(void)state;
	setenv("SPAWND_HOME", "/x", 1);
	setenv("XDG_STATE_HOME", "/elsewhere", 1);
	assert_int_equal(paths_init(&p, &f), 0);
	assert_string_equal(p.state, "/x/state");
	assert_string_equal(p.runtime, "/x/run");
	assert_string_equal(p.config, "/x/spawnd.ini");
	assert_string_equal(p.socket, "/x/run/socket");
	assert_string_equal(p.lock, "/x/run/lock");
	assert_string_equal(p.database, "/x/state/spawnd.db");
	assert_string_equal(p.log, "/x/state/spawnd.log");
	assert_string_equal(p.output_dir, "/x/state/output");
	assert_string_equal(p.parents_dir, "/x/run/parents");
	assert_string_equal(p.beats_dir, "/x/run/beats");
}

static void
test_xdg_variables_are_used(void **state)
{
	struct paths p;
	struct fault f;

	setenv("XDG_STATE_HOME", "/s", 1);
	setenv("XDG_RUNTIME_DIR", "/r", 1);
	setenv("XDG_CONFIG_HOME", *state, 1);
	assert_int_equal(mkdir(in(state, "spawnd"), 0700), 0);
	close(open(in(state, "spawnd/spawnd.ini"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(paths_init(&p, &f), 0);
	assert_string_equal(p.state, "/s/spawnd");
	assert_string_equal(p.runtime, "/r/spawnd");
	assert_string_equal(p.config, in(state, "spawnd/spawnd.ini"));
}

static void
test_without_variables_the_home_directory_is_used(void **state)
{
	struct paths p;
	struct fault f;
	char runtime[64];

	(void)state;
	setenv("HOME", "/h", 1);
	setenv("XDG_STATE_HOME", "", 1);
	setenv("XDG_RUNTIME_DIR", "relative", 1);
	assert_int_equal(paths_init(&p, &f), 0);
	assert_string_equal(p.state, "/h/.local/state/spawnd");
	snprintf(runtime, sizeof(runtime), "/tmp/spawnd-%u", (unsigned)geteuid());
	assert_string_equal(p.runtime, runtime);
	if (access("/etc/spawnd/spawnd.ini", F_OK) == 0)
		assert_string_equal(p.config, "/etc/spawnd/spawnd.ini");
	else
		assert_string_equal(p.config, "/h/.config/spawnd/spawnd.ini");
}

static void
test_variables_that_lead_nowhere_are_named(void **state)
{
	struct paths p;
	struct fault f;
	char text[PATH_MAX + 1];

	(void)state;
	setenv("SPAWND_HOME", "relative", 1);
	assert_int_equal(paths_init(&p, &f), -EINVAL);
	assert_non_null(strstr(f.text, "SPAWND_HOME is 'relative'"));
	unsetenv("SPAWND_HOME");
	assert_int_equal(paths_init(&p, &f), -EINVAL);
	assert_non_null(strstr(f.text, "HOME is not set"));
	memset(text, 'x', PATH_MAX);
	text[0] = '/';
	text[PATH_MAX] = '\0';
	setenv("SPAWND_HOME", text, 1);
	assert_int_equal(paths_init(&p, &f), -ENAMETOOLONG);
	text[120] = '\0';
	setenv("SPAWND_HOME", text, 1);
	assert_int_equal(paths_init(&p, &f), -ENAMETOOLONG);
	assert_non_null(strstr(f.text, "too long for a socket"));
}

static void
test_directories_are_made_private(void **state)
{
	struct fault f;

	assert_int_equal(path_make_dir(in(state, "a/b/c"), &f), 0);
	assert_int_equal(mode_of(in(state, "a")), 0755);
	assert_int_equal(mode_of(in(state, "a/b")), 0755);
	assert_int_equal(mode_of(in(state, "a/b/c")), 0700);
	assert_int_equal(path_make_dir(in(state, "a/b/c"), &f), 0);
	assert_int_equal(path_make_dir(in(state, "a/b/c//"), &f), 0);
}

static void
test_everything_is_made(void **state)
{
	struct paths p;
	struct fault f;

	setenv("SPAWND_HOME", in(state, "home"), 1);
	assert_int_equal(paths_init(&p, &f), 0);
	assert_int_equal(paths_make(&p, &f), 0);
	assert_int_equal(paths_make(&p, &f), 0);
	assert_int_equal(mode_of(p.state), 0700);
	assert_int_equal(mode_of(p.runtime), 0700);
	assert_int_equal(mode_of(p.output_dir), 0700);
	assert_int_equal(mode_of(p.parents_dir), 0700);
	assert_int_equal(mode_of(p.beats_dir), 0700);
}

static void
test_a_link_is_refused(void **state)
{
	struct fault f;

	assert_int_equal(mkdir(in(state, "real"), 0700), 0);
	assert_int_equal(symlink("real", in(state, "link")), 0);
	assert_int_equal(path_make_dir(in(state, "link"), &f), -ENOTDIR);
	assert_non_null(strstr(f.text, "symbolic link"));
	assert_int_equal(path_make_dir(in(state, "link/"), &f), -ENOTDIR);
	assert_int_equal(symlink("nowhere", in(state, "dangling")), 0);
	assert_int_equal(path_make_dir(in(state, "dangling"), &f), -ENOTDIR);
	/* On the way to it, a link is the user's own affair. */
	assert_int_equal(path_make_dir(in(state, "link/below"), &f), 0);
}

static void
test_a_file_is_refused(void **state)
{
	struct fault f;

	close(open(in(state, "file"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	assert_int_equal(path_make_dir(in(state, "file"), &f), -ENOTDIR);
	assert_int_equal(path_make_dir(in(state, "file/below"), &f), -ENOTDIR);
	assert_int_equal(path_make_dir(in(state, "file/below/more"), &f), -ENOTDIR);
	assert_non_null(strstr(f.text, "file"));
}

static void
test_loose_rights_are_refused_with_the_mend(void **state)
{
	static const mode_t loose[] = {0755, 0710, 0701, 0770, 0500, 0};
	char mend[PATH_MAX + 16];
	struct fault f;
	size_t i;

	assert_int_equal(mkdir(in(state, "dir"), 0700), 0);
	snprintf(mend, sizeof(mend), "chmod 700 %s", in(state, "dir"));
	for (i = 0; i < sizeof(loose) / sizeof(loose[0]); i++) {
		assert_int_equal(chmod(in(state, "dir"), loose[i]), 0);
		assert_int_equal(path_make_dir(in(state, "dir"), &f), -EPERM);
		assert_non_null(strstr(f.text, mend));
	}
	assert_int_equal(chmod(in(state, "dir"), 02700), 0);
	assert_int_equal(path_make_dir(in(state, "dir"), &f), 0);
}

static void
test_another_owner_is_refused(void **state)
{
	struct fault f;

	/* Only root can give a directory away; for others, / belongs to somebody else. */
	if (geteuid() == 0) {
		assert_int_equal(mkdir(in(state, "dir"), 0700), 0);
		assert_int_equal(chown(in(state, "dir"), 65534, (gid_t)-1), 0);
		assert_int_equal(path_make_dir(in(state, "dir"), &f), -EPERM);
	} else {
		assert_int_equal(path_make_dir("/", &f), -EPERM);
	}
	assert_non_null(strstr(f.text, "belongs to user"));
}

static void
test_joining_has_a_limit(void **state)
{
	char name[PATH_MAX], out[PATH_MAX];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[PATH_MAX - 3] = '\0';
	assert_int_equal(path_join("d", name, out), 0);
	assert_int_equal(strlen(out), PATH_MAX - 1);
	assert_int_equal(path_join("dd", name, out), -ENAMETOOLONG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_home_of_spawnd_has_everything),
	    TEST(test_xdg_variables_are_used),
	    TEST(test_without_variables_the_home_directory_is_used),
	    TEST(test_variables_that_lead_nowhere_are_named),
	    TEST(test_directories_are_made_private),
	    TEST(test_everything_is_made),
	    TEST(test_a_link_is_refused),
	    TEST(test_a_file_is_refused),
	    TEST(test_loose_rights_are_refused_with_the_mend),
	    TEST(test_another_owner_is_refused),
	    TEST(test_joining_has_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

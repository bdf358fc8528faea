/*
 * test_results: the file of a job's children, made bit by bit.
 */
#include "server/results.h"

#include "base/clock.h"
#include "server/starter.h"
#include "tests/unit/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>

struct place {
	struct fixture *store;
	struct loop loop;
	struct paths paths;
	struct results *results;
	unsigned done_count, failed_count, turns;
	int64_t job;
	int error;
	char text[PATH_MAX];
};

static void
done(void *arg, int64_t job, int error, const char *text)
{
	struct place *p = arg;

	p->done_count++;
	p->job = job;
	p->error = error;
	snprintf(p->text, sizeof(p->text), "%s", text);
}

static void
store_failed(void *arg, int error)
{
	struct place *p = arg;

	p->failed_count++;
	p->error = error;
}

static int
make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	void *fixture;

	if (p == NULL || fixture_make_open(&fixture) != 0)
		return -1;
	p->store = fixture;
	snprintf(p->paths.output_dir, sizeof(p->paths.output_dir), "%s/output", p->store->dir);
	const struct results_handlers h = {done, store_failed, p};
	*state = p;
	return mkdir(p->paths.output_dir, 0700) != 0 || loop_init(&p->loop) != 0 ||
	    results_new(&p->loop, &p->paths, &p->store->store, &h, &p->results) != 0;
}

static int
remove_all(void **state)
{
	struct place *p = *state;
	void *fixture = p->store;
	char command[128];

	results_free(p->results);
	loop_fini(&p->loop);
	snprintf(command, sizeof(command), "rm -rf %s/output", p->store->dir);
	int r = system(command);
	r |= fixture_remove(&fixture);
	free(p);
	return r;
}

/* A child of P that has ended; its result, if it wrote one. Returns its record's number. */
static int64_t
end_child(struct place *p, const char *child, const char *result, size_t len)
{
	int64_t job = fixture_add(p->store, "P", child), seq = fixture_end(p->store, job);
	char path[PATH_MAX];
	int fd;

	if (result == NULL)
		return seq;
	assert_int_equal(starter_result_path(&p->paths, job, path), 0);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, result, len), len);
	close(fd);
	return seq;
}

static void
begin(struct place *p, int64_t job, int64_t since, int64_t last)
{
	const struct results_order o = {job, "P", since, last};

	assert_int_equal(results_begin(p->results, &o), 0);
}

/* The loop's turns until so many are done. */
static void
run(struct place *p, unsigned count)
{
	for (p->turns = 0; p->done_count + p->failed_count < count; p->turns++) {
		assert_in_range(p->turns, 0, 100000);
		assert_int_equal(loop_turn(&p->loop, false), 0);
	}
}

/* The lines of the file of that job, as an array; the caller's. */
static json_t *
read_lines(struct place *p, int64_t job)
{
	json_t *lines = json_array(), *line;
	char path[PATH_MAX];
	FILE *f;

	assert_int_equal(starter_results_path(&p->paths, job, path), 0);
	f = fopen(path, "r");
	assert_non_null(f);
	while ((line = json_loadf(f, JSON_DISABLE_EOF_CHECK, NULL)) != NULL)
		json_array_append_new(lines, line);
	fclose(f);
	return lines;
}

static bool
exists(struct place *p, int (*where)(const struct paths *, int64_t, char *), int64_t job)
{
	char path[PATH_MAX];

	assert_int_equal(where(&p->paths, job, path), 0);
	return access(path, F_OK) == 0;
}

static const char *
text_of(const json_t *lines, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(lines, i), key));
}

static void
a_line_for_each_child_with_its_result(void **state)
{
	struct place *p = *state;
	char path[PATH_MAX];
	struct stat st;
	json_t *lines;
	int64_t last;

	end_child(p, "a", "one\n", 4);
	end_child(p, "b", NULL, 0);
	last = end_child(p, "c", "\xff", 1);
	begin(p, 100, 0, last);
	run(p, 1);
	assert_int_equal(p->job, 100);
	assert_int_equal(p->error, 0);
	assert_int_equal(starter_results_path(&p->paths, 100, path), 0);
	assert_string_equal(p->text, path);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(exists(p, starter_results_part, 100));
	lines = read_lines(p, 100);
	assert_int_equal(json_array_size(lines), 3);
	assert_string_equal(text_of(lines, 0, "status"), "error");
	assert_string_equal(text_of(lines, 0, "result_text"), "one\n");
	assert_true(json_is_null(json_object_get(json_array_get(lines, 1), "result_text")));
	assert_string_equal(text_of(lines, 2, "result_base64"), "/w==");
	json_decref(lines);
}

static void
only_what_ended_between_the_two_numbers(void **state)
{
	struct place *p = *state;
	int64_t since = end_child(p, "a", "a", 1), last = end_child(p, "b", "b", 1);
	json_t *lines;

	fixture_end(p->store, fixture_add(p->store, "Q", "q"));
	end_child(p, "c", "c", 1);
	begin(p, 100, since, last);
	run(p, 1);
	lines = read_lines(p, 100);
	assert_int_equal(json_array_size(lines), 1);
	assert_string_equal(text_of(lines, 0, "result_text"), "b");
	json_decref(lines);
}

static void
nobody_has_ended_and_the_file_is_empty(void **state)
{
	struct place *p = *state;
	json_t *lines;

	begin(p, 100, 0, 50);
	run(p, 1);
	assert_int_equal(p->error, 0);
	lines = read_lines(p, 100);
	assert_int_equal(json_array_size(lines), 0);
	json_decref(lines);
}

static void
what_is_no_file_is_not_opened(void **state)
{
	struct place *p = *state;
	int64_t seq = end_child(p, "a", NULL, 0);
	char path[PATH_MAX];
	json_t *lines;

	assert_int_equal(starter_result_path(&p->paths, 1, path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	begin(p, 100, 0, seq);
	run(p, 1);
	lines = read_lines(p, 100);
	assert_string_equal(text_of(lines, 0, "result_error"), "no regular file");
	json_decref(lines);
}

static void
a_large_result_is_read_in_many_turns(void **state)
{
	struct place *p = *state;
	int64_t seq = end_child(p, "a", "", 0);
	char path[PATH_MAX];
	json_t *lines;

	assert_int_equal(starter_result_path(&p->paths, 1, path), 0);
	assert_int_equal(truncate(path, 32 * 1024 * 1024), 0);
	begin(p, 100, 0, seq);
	run(p, 1);
	assert_in_range(p->turns, 3, 100000);
	lines = read_lines(p, 100);
	/* head -c 32M /dev/zero | sha256sum */
	assert_string_equal(text_of(lines, 0, "result_sha256"),
	    "83ee47245398adee79bd9c0a8bc57b821e92aba10f5f9ade8a5d1fae4d8c4302");
	json_decref(lines);
}

/* A hole of a terabyte, with an end: to read it all would take an hour. */
static void
of_a_huge_result_the_end_alone_is_read(void **state)
{
	struct place *p = *state;
	int64_t seq = end_child(p, "a", "", 0), huge = INT64_C(1) << 40;
	char path[PATH_MAX];
	json_t *lines, *line;
	int fd;

	assert_int_equal(starter_result_path(&p->paths, 1, path), 0);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "the end", 7, huge - 7), 7);
	close(fd);
	begin(p, 100, 0, seq);
	run(p, 1);
	assert_int_equal(p->error, 0);
	lines = read_lines(p, 100);
	line = json_array_get(lines, 0);
	assert_int_equal(json_integer_value(json_object_get(line, "result_bytes")), huge);
	assert_true(json_is_null(json_object_get(line, "result_sha256")));
	assert_string_equal(text_of(lines, 0, "result_error"),
	    "longer than 1 GiB: no SHA-256 was made of it");
	/* It has NULs, and so is told in base64. */
	assert_non_null(strstr(text_of(lines, 0, "result_tail_base64"), "AHRoZSBlbmQ="));
	json_decref(lines);
}

static void
a_short_one_does_not_wait_for_a_large_one(void **state)
{
	struct place *p = *state;
	int64_t first = end_child(p, "a", "", 0), second = end_child(p, "b", "b", 1);
	char path[PATH_MAX];

	assert_int_equal(starter_result_path(&p->paths, 1, path), 0);
	assert_int_equal(truncate(path, 64 * 1024 * 1024), 0);
	begin(p, 100, 0, first);
	begin(p, 200, first, second);
	run(p, 1);
	assert_int_equal(p->job, 200);
	run(p, 2);
	assert_int_equal(p->job, 100);
}

static void
hundreds_are_made_with_few_descriptors(void **state)
{
	struct place *p = *state;
	int64_t seq = end_child(p, "a", "a", 1);

	for (int64_t job = 100; job < 400; job++)
		begin(p, job, 0, seq);
	for (unsigned most = 0; p->done_count < 300;) {
		assert_int_equal(loop_turn(&p->loop, false), 0);
		int fd = open("/dev/null", O_RDONLY);
		close(fd);
		most = (unsigned)fd > most ? (unsigned)fd : most;
		assert_in_range(most, 0, 60);
	}
	for (int64_t job = 100; job < 400; job++)
		assert_true(exists(p, starter_results_path, job));
}

static void
one_that_is_forgotten_leaves_nothing(void **state)
{
	struct place *p = *state;
	int64_t seq = end_child(p, "a", "", 0);
	char path[PATH_MAX];

	assert_int_equal(starter_result_path(&p->paths, 1, path), 0);
	assert_int_equal(truncate(path, 256 * 1024 * 1024), 0);
	begin(p, 100, 0, seq);
	assert_int_equal(loop_turn(&p->loop, false), 0);
	assert_true(exists(p, starter_results_part, 100));
	results_forget(p->results, 100);
	assert_false(exists(p, starter_results_part, 100));
	begin(p, 200, seq, seq);
	run(p, 1);
	assert_int_equal(p->job, 200);
	assert_false(exists(p, starter_results_path, 100));
}

static void
an_order_replaces_the_one_before(void **state)
{
	struct place *p = *state;
	int64_t first = end_child(p, "a", "a", 1), second = end_child(p, "b", "b", 1);
	json_t *lines;

	begin(p, 100, 0, first);
	begin(p, 100, first, second);
	run(p, 1);
	assert_int_equal(loop_turn(&p->loop, true), 0);
	assert_int_equal(p->done_count, 1);
	lines = read_lines(p, 100);
	assert_int_equal(json_array_size(lines), 1);
	assert_string_equal(text_of(lines, 0, "result_text"), "b");
	json_decref(lines);
}

static void
what_cannot_be_written_says_why_and_leaves_nothing(void **state)
{
	struct place *p = *state;
	int64_t seq = end_child(p, "a", NULL, 0);
	char path[PATH_MAX];

	/* A directory stands there. */
	assert_int_equal(starter_results_path(&p->paths, 100, path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	begin(p, 100, 0, seq);
	run(p, 1);
	assert_int_equal(p->error, -EISDIR);
	assert_non_null(strstr(p->text, path));
	assert_false(exists(p, starter_results_part, 100));
}

static void
what_an_earlier_server_left_is_begun_anew(void **state)
{
	struct place *p = *state;
	int64_t seq = end_child(p, "a", "a", 1);
	char path[PATH_MAX];
	json_t *lines;
	FILE *f;

	assert_int_equal(starter_results_part(&p->paths, 100, path), 0);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs("{\"half\":", f);
	fclose(f);
	begin(p, 100, 0, seq);
	run(p, 1);
	lines = read_lines(p, 100);
	assert_int_equal(json_array_size(lines), 1);
	json_decref(lines);
}

static void
without_a_store_orders_are_forgotten(void **state)
{
	struct place *p = *state;
	struct store *store = p->store->store;
	int64_t seq = end_child(p, "a", "a", 1);

	begin(p, 100, 0, seq);
	p->store->store = NULL;
	assert_int_equal(loop_turn(&p->loop, false), 0);
	p->store->store = store;
	assert_int_equal(loop_turn(&p->loop, true), 0);
	assert_int_equal(p->done_count + p->failed_count, 0);
	assert_false(exists(p, starter_results_path, 100));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, remove_all)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_line_for_each_child_with_its_result),
	    TEST(only_what_ended_between_the_two_numbers),
	    TEST(nobody_has_ended_and_the_file_is_empty),
	    TEST(what_is_no_file_is_not_opened),
	    TEST(a_large_result_is_read_in_many_turns),
	    TEST(of_a_huge_result_the_end_alone_is_read),
	    TEST(a_short_one_does_not_wait_for_a_large_one),
	    TEST(hundreds_are_made_with_few_descriptors),
	    TEST(one_that_is_forgotten_leaves_nothing),
	    TEST(an_order_replaces_the_one_before),
	    TEST(what_cannot_be_written_says_why_and_leaves_nothing),
	    TEST(what_an_earlier_server_left_is_begun_anew),
	    TEST(without_a_store_orders_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

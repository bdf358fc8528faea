/*
 * test_outlet: when a record is taken for read, though the kernel tells of reads late, or of too many at once.
 * Readers are descriptors of this process; what inotify has to tell is handed on when a test says so.
 */
#include "tests/unit/store_fixture.h"

#include "server/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#define PARENT "p"

static struct outlet_world world;
static struct outlet *outlet;
static char fifo[128];
static int told; /* so many events are told when it is asked for them next; -1: all */

static void
hear(void *arg)
{
	char buffer[sizeof(struct inotify_event)]
	    __attribute__((aligned(__alignof__(struct inotify_event))));
	const struct inotify_event *event = (const struct inotify_event *)buffer;

	(void)arg;
	/* Its events are about no directory, so none has a name: one at a time. */
	while (told != 0 && read(world.inotify_fd, buffer, sizeof(buffer)) == sizeof(buffer)) {
		told -= told > 0;
		if (event->wd == outlet->watch)
			outlet_note(outlet, event->mask);
	}
	told = -1;
}

/* What inotify has to tell is told to nobody. */
static void
lose(void)
{
	char buffer[4096];

	while (read(world.inotify_fd, buffer, sizeof(buffer)) > 0)
		continue;
}

static size_t
unfinished(void *arg, const char *parent)
{
	(void)arg, (void)parent;
	return 1;
}

static void
hold(void *arg, uint64_t index, int fd)
{
	(void)arg, (void)index, (void)fd;
}

static void
release(void *arg, uint64_t index)
{
	(void)arg, (void)index;
}

static void
settled(void *arg)
{
	(void)arg;
}

static void
trouble(void *arg, const char *text)
{
	(void)arg;
	fail_msg("%s", text);
}

static int
check(void *arg, int result)
{
	(void)arg;
	assert_true(result >= 0);
	return result;
}

static int
opened(void *arg, struct outlet *o, struct fault *f)
{
	(void)arg, (void)o, (void)f;
	return 0;
}

static void
closed(void *arg, struct outlet *o)
{
	(void)arg, (void)o;
}

static int
set_up(void **state)
{
	static size_t open_count;
	struct fixture *x;

	if (fixture_make_open(state) != 0)
		return -1;
	x = *state;
	open_count = 0;
	world = (struct outlet_world){.store = x->store,
	    .holds = holds_new(),
	    .inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC),
	    .unfinished = unfinished,
	    .hold = hold,
	    .release = release,
	    .settled = settled,
	    .trouble = trouble,
	    .check = check,
	    .max_open = 10,
	    .open_count = &open_count,
	    .opened = opened,
	    .closed = closed,
	    .hear = hear};
	snprintf(world.parents_dir, sizeof(world.parents_dir), "%s", x->dir);
	snprintf(fifo, sizeof(fifo), "%s/" PARENT, x->dir);
	told = -1;
	outlet = outlet_new(&world, PARENT);
	return outlet == NULL;
}

static int
tear_down(void **state)
{
	outlet_free(outlet);
	holds_free(world.holds);
	close(world.inotify_fd);
	unlink(fifo);
	return fixture_remove(state);
}

static int
come(int flags)
{
	int fd = open(fifo, flags | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Reads so many bytes, or all there are. Returns how many. */
static ssize_t
take(int fd, size_t len)
{
	char buffer[4096];

	return read(fd, buffer, len < sizeof(buffer) ? len : sizeof(buffer));
}

/* Which also goes on after an acknowledgement, as the next turn does. */
static enum outlet_state
pump(void)
{
	enum outlet_state state;

	while ((state = outlet_pump(outlet)) == OUTLET_AGAIN)
		continue;
	return state;
}

static int
count_one(void *arg, const struct store_record *r)
{
	(void)r;
	++*(int *)arg;
	return 0;
}

static int
pending(void)
{
	int count = 0;

	assert_int_equal(store_each_pending(world.store, PARENT, 0, -1, count_one, &count), 0);
	return count;
}

/* A reader has come, and a record is in the pipe. Returns the reader. */
static int
begin(struct fixture *x, int flags)
{
	int reader;

	assert_int_equal(pump(), OUTLET_OPEN);
	reader = come(flags);
	fixture_end(x, fixture_add(x, PARENT, "c"));
	assert_int_equal(pump(), OUTLET_OPEN);
	hear(NULL);
	return reader;
}

/* Whoever is here gets the record, whole, and that is then known. */
static void
expect_anew(int reader)
{
	assert_int_equal(pending(), 1);
	pump();
	assert_int_equal(take(reader, 4096), sizeof(RECORD));
	pump();
	assert_int_equal(pending(), 0);
	close(reader);
}

static void
a_record_of_which_two_read_a_half_is_written_anew(void **state)
{
	int reader = begin(*state, O_RDONLY);

	take(reader, 10);
	close(reader);
	reader = come(O_RDONLY);
	assert_int_equal(take(reader, 4096), sizeof(RECORD) - 10);
	expect_anew(reader);
}

static void
the_second_half_is_not_taken_for_the_record_before_its_reading_is_told(void **state)
{
	int reader = begin(*state, O_RDONLY);

	take(reader, 10);
	close(reader);
	reader = come(O_RDONLY);
	assert_int_equal(take(reader, 4096), sizeof(RECORD) - 10);
	told = 3; /* of IN_ACCESS, IN_CLOSE_NOWRITE, IN_OPEN, IN_ACCESS */
	assert_int_equal(pump(), OUTLET_HALF_READ);
	expect_anew(reader);
}

static void
the_second_half_is_not_taken_for_the_record_when_its_reader_has_gone(void **state)
{
	int reader = begin(*state, O_RDONLY);

	take(reader, 10);
	close(reader);
	reader = come(O_RDONLY);
	take(reader, 4096);
	close(reader);
	told = 3;
	pump();
	assert_int_equal(pending(), 1);
	reader = come(O_RDONLY);
	expect_anew(reader);
}

static void
half_of_it_read_by_one_who_might_have_written_is_half_of_it(void **state)
{
	int reader = begin(*state, O_RDWR);

	take(reader, 10);
	close(reader);
	reader = come(O_RDONLY);
	take(reader, 4096);
	expect_anew(reader);
}

static void
who_comes_in_the_middle_may_have_read_the_rest(void **state)
{
	int first = begin(*state, O_RDONLY), reader;

	take(first, 10);
	reader = come(O_RDONLY);
	take(reader, 4096);
	pump();
	close(first);
	expect_anew(reader);
}

static void
where_events_were_lost_a_record_is_rather_written_twice(void **state)
{
	int reader = begin(*state, O_RDONLY);

	take(reader, 10);
	close(reader);
	reader = come(O_RDONLY);
	take(reader, 4096);
	lose();
	outlet_note(outlet, UINT32_MAX);
	pump();
	expect_anew(reader);
}

static void
who_reads_it_whole_and_goes_has_it(void **state)
{
	int reader = begin(*state, O_RDONLY);

	assert_int_equal(take(reader, 4096), sizeof(RECORD));
	close(reader);
	assert_int_equal(pump(), OUTLET_OPEN);
	assert_int_equal(pending(), 0);
}

static void
who_reads_it_whole_and_comes_again_at_once_has_it(void **state)
{
	int reader = begin(*state, O_RDONLY), looks = 0;

	assert_int_equal(take(reader, 4096), sizeof(RECORD));
	close(reader);
	reader = come(O_RDONLY);
	while (pump() == OUTLET_HALF_READ) {
		assert_in_range(++looks, 1, 10000);
		usleep(1000);
	}
	assert_int_equal(pending(), 0);
	assert_int_equal(take(reader, 4096), -1);
	assert_int_equal(errno, EAGAIN);
	close(reader);
}

static void
who_stays_has_it_at_once(void **state)
{
	int reader = begin(*state, O_RDONLY);

	take(reader, 10);
	pump();
	take(reader, 4096);
	assert_int_equal(pump(), OUTLET_OPEN);
	assert_int_equal(pending(), 0);
	close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_record_of_which_two_read_a_half_is_written_anew),
	    TEST(the_second_half_is_not_taken_for_the_record_before_its_reading_is_told),
	    TEST(the_second_half_is_not_taken_for_the_record_when_its_reader_has_gone),
	    TEST(half_of_it_read_by_one_who_might_have_written_is_half_of_it),
	    TEST(who_comes_in_the_middle_may_have_read_the_rest),
	    TEST(where_events_were_lost_a_record_is_rather_written_twice),
	    TEST(who_reads_it_whole_and_goes_has_it),
	    TEST(who_reads_it_whole_and_comes_again_at_once_has_it),
	    TEST(who_stays_has_it_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * testjob: the child that tests let spawnd run. Its arguments are words, carried out one after the
 * other: `testjob beat hello output text exit 3`. Run by tests only, as a job or on its own; it links
 * nothing but libc, and must never leave a process behind on its own account.
 *
 * `child WORD... parent` lets a forked process carry out the words between the two; it exits 0
 * behind the last of them, if no word has ended it before.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A word that waits for something gives up after this, so that a broken test leaves nothing. */
#define PATIENCE_MS 120000

struct word {
	const char *name;
	int arguments; /* how many follow it */
	void (*run)(char **argument);
	const char *help;
};

static void
sleep_ms(long ms)
{
	struct timespec left = {ms / 1000, ms % 1000 * 1000000};

	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

static long
number(const char *text)
{
	char *end;
	long n;

	n = strtol(text, &end, 10);
	if (end == text || *end != '\0' || n < 0)
		errx(64, "%s: not a number", text);
	return n;
}

static int
signal_number(const char *text)
{
	static const struct {
		const char *name;
		int number;
	} names[] = {{"HUP", SIGHUP}, {"INT", SIGINT}, {"TERM", SIGTERM}, {"USR1", SIGUSR1},
	    {"KILL", SIGKILL}, {"SEGV", SIGSEGV}, {"ABRT", SIGABRT}};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i].name) == 0)
			return names[i].number;
	}
	return (int)number(text);
}

static void
write_all(int fd, const char *data, size_t size)
{
	ssize_t n;

	while (size > 0) {
		n = write(fd, data, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err(71, "write to descriptor %d", fd);
		data += n;
		size -= (size_t)n;
	}
}

/* The text and a newline in one write(2), as a beat must be. */
static void
write_line(int fd, const char *text)
{
	char line[8192];
	int n;

	n = snprintf(line, sizeof(line), "%s\n", text);
	if (n < 0 || (size_t)n >= sizeof(line))
		errx(64, "a line of over %zu bytes", sizeof(line) - 2);
	write_all(fd, line, (size_t)n);
}

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		errx(70, "%s is not in the environment", name);
	return value;
}

static void
word_beat(char **argument)
{
	write_line((int)number(environment("SPAWND_HEARTBEAT_FD")), argument[0]);
}

static void
word_beat_path(char **argument)
{
	const char *path = environment("SPAWND_HEARTBEAT");
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		err(71, "%s", path);
	write_line(fd, argument[0]);
	close(fd);
}

static void
word_beats(char **argument)
{
	static char text[] = "beat";
	char *words[] = {text};
	long i;

	for (i = number(argument[1]); i > 0; i--) {
		sleep_ms(number(argument[0]));
		word_beat(words);
	}
}

static void
word_beats_path(char **argument)
{
	static char text[] = "beat";
	char *words[] = {text};
	long i;

	for (i = number(argument[1]); i > 0; i--) {
		sleep_ms(number(argument[0]));
		word_beat_path(words);
	}
}

static void
word_flood(char **argument)
{
	int fd = (int)number(environment("SPAWND_HEARTBEAT_FD"));
	static char block[4096];
	long left;

	memset(block, 'x', sizeof(block));
	block[sizeof(block) - 1] = '\n';
	for (left = number(argument[0]); left > 0; left -= (long)sizeof(block))
		write_all(fd, block, sizeof(block));
}

static void
word_output(char **argument)
{
	write_line(STDOUT_FILENO, argument[0]);
}

static void
word_error(char **argument)
{
	write_line(STDERR_FILENO, argument[0]);
}

static void
word_outputs(char **argument)
{
	long i;

	for (i = number(argument[1]); i > 0; i--) {
		sleep_ms(number(argument[0]));
		write_line(STDOUT_FILENO, "output");
	}
}

static void
word_fill(char **argument)
{
	static char block[65536];
	long left;

	memset(block, 'x', sizeof(block));
	block[sizeof(block) - 1] = '\n';
	for (left = number(argument[0]); left > 0; left -= (long)sizeof(block))
		write_all(STDOUT_FILENO, block, sizeof(block));
}

static void
word_result(char **argument)
{
	const char *path = environment("SPAWND_RESULT");
	int fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		err(71, "%s", path);
	write_line(fd, argument[0]);
	close(fd);
}

static void
word_copy_input(char **argument)
{
	char block[4096];
	ssize_t n;

	(void)argument;
	while ((n = read(STDIN_FILENO, block, sizeof(block))) > 0)
		write_all(STDOUT_FILENO, block, (size_t)n);
	if (n < 0)
		err(71, "standard input");
}

static void
word_stall(char **argument)
{
	(void)argument;
	for (;;)
		pause();
}

static void
word_sleep(char **argument)
{
	sleep_ms(number(argument[0]));
}

static void
word_ignore(char **argument)
{
	if (signal(signal_number(argument[0]), SIG_IGN) == SIG_ERR)
		err(71, "ignore %s", argument[0]);
}

static volatile sig_atomic_t code_on_term;

static void
on_term(int number_of_signal)
{
	(void)number_of_signal;
	_exit(code_on_term);
}

static void
word_on_term(char **argument)
{
	code_on_term = (sig_atomic_t)number(argument[0]);
	signal(SIGTERM, on_term);
}

static void
word_die(char **argument)
{
	raise(signal_number(argument[0]));
	errx(70, "signal %s did not end this process", argument[0]);
}

static void
word_stop(char **argument)
{
	(void)argument;
	raise(SIGSTOP);
}

static void
word_exit(char **argument)
{
	exit((int)number(argument[0]));
}

static void
word_setsid(char **argument)
{
	(void)argument;
	if (setsid() < 0)
		err(71, "setsid");
}

static void
word_close_all(char **argument)
{
	(void)argument;
	closefrom(0);
}

static void
word_wait_children(char **argument)
{
	(void)argument;
	while (wait(NULL) > 0)
		;
}

/* Whole or not at all, so that who waits for the file may read it at once. */
static void
write_file(const char *path, const char *text)
{
	char scratch[4096];
	int fd, n;

	n = snprintf(scratch, sizeof(scratch), "%s.%d", path, (int)getpid());
	if (n < 0 || (size_t)n >= sizeof(scratch))
		errx(64, "%s: too long", path);
	fd = open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		err(71, "%s", scratch);
	write_line(fd, text);
	close(fd);
	if (rename(scratch, path) < 0)
		err(71, "%s", path);
}

static void
word_pid(char **argument)
{
	char text[32];

	snprintf(text, sizeof(text), "%d", (int)getpid());
	write_file(argument[0], text);
}

static void
word_touch(char **argument)
{
	write_file(argument[0], "");
}

static void
word_append(char **argument)
{
	int fd;

	fd = open(argument[0], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		err(71, "%s", argument[0]);
	write_line(fd, argument[1]);
	close(fd);
}

static void
word_wait_for(char **argument)
{
	long waited;

	for (waited = 0; access(argument[0], F_OK) < 0; waited += 5) {
		if (waited > PATIENCE_MS)
			errx(70, "%s did not appear", argument[0]);
		sleep_ms(5);
	}
}

static void
print_descriptors(void)
{
	char link[64], target[4096];
	struct dirent *entry;
	ssize_t n;
	DIR *dir;

	dir = opendir("/proc/self/fd");
	if (dir == NULL)
		err(71, "/proc/self/fd");
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(dir))
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%.20s", entry->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("descriptor %s %s\n", entry->d_name, target);
	}
	closedir(dir);
}

static void
print_signals(void)
{
	struct sigaction action;
	sigset_t blocked;
	int n;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (n = 1; n < NSIG; n++) {
		if (sigismember(&blocked, n) == 1)
			printf("blocked %d\n", n);
		if (sigaction(n, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
			printf("not-default %d\n", n);
	}
}

static void
word_state(char **argument)
{
	char cwd[4096];
	mode_t mask;

	(void)argument;
	mask = umask(0);
	umask(mask);
	printf("directory %s\n", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "?");
	printf("umask %03o\n", (unsigned)mask);
	printf("leads-session %s\n", getsid(0) == getpid() ? "yes" : "no");
	print_signals();
	print_descriptors();
	fflush(stdout);
}

static const struct word words[] = {
    {"beat", 1, word_beat, "TEXT, one line to $SPAWND_HEARTBEAT_FD"},
    {"beat-path", 1, word_beat_path, "TEXT, the same to $SPAWND_HEARTBEAT"},
    {"beats", 2, word_beats, "MS N, beat N times, MS apart"},
    {"beats-path", 2, word_beats_path, "MS N, the same to $SPAWND_HEARTBEAT"},
    {"flood", 1, word_flood, "BYTES to $SPAWND_HEARTBEAT_FD, as fast as it takes them"},
    {"output", 1, word_output, "TEXT, one line to standard output"},
    {"error", 1, word_error, "TEXT, one line to standard error"},
    {"outputs", 2, word_outputs, "MS N, N lines to standard output, MS apart"},
    {"fill", 1, word_fill, "BYTES to standard output"},
    {"result", 1, word_result, "TEXT into $SPAWND_RESULT"},
    {"copy-input", 0, word_copy_input, "standard input to standard output"},
    {"state", 0, word_state, "print directory, umask, signals, descriptors"},
    {"sleep", 1, word_sleep, "MS"},
    {"stall", 0, word_stall, "do nothing for ever"},
    {"ignore", 1, word_ignore, "SIGNAL"},
    {"on-term", 1, word_on_term, "CODE, exit with it at SIGTERM"},
    {"die", 1, word_die, "SIGNAL, by it"},
    {"stop", 0, word_stop, "stop itself (SIGSTOP)"},
    {"exit", 1, word_exit, "CODE"},
    {"setsid", 0, word_setsid, "leave the process group"},
    {"close-all", 0, word_close_all, "close every descriptor"},
    {"wait-children", 0, word_wait_children, "until none is left"},
    {"pid", 1, word_pid, "FILE, write the process's number into it"},
    {"touch", 1, word_touch, "FILE, make it"},
    {"append", 2, word_append, "FILE TEXT, add one line"},
    {"wait-for", 1, word_wait_for, "FILE, until it exists"},
};

static _Noreturn void
usage(void)
{
	size_t i;

	fprintf(stderr, "usage: testjob WORD...\n");
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		fprintf(stderr, "  %-14s %s\n", words[i].name, words[i].help);
	fprintf(stderr, "  %-14s %s\n", "child", "WORD... parent, let a child carry them out");
	exit(64);
}

static const struct word *
find_word(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(name, words[i].name) == 0)
			return &words[i];
	}
	warnx("%s: no such word", name);
	usage();
}

/* Forks at `child`: true in the child; in the parent *i moves to the matching `parent`. */
static bool
fork_at(char **argv, int *i)
{
	pid_t pid;

	pid = fork();
	if (pid < 0)
		err(71, "fork");
	if (pid == 0)
		return true;
	while (argv[*i] != NULL && strcmp(argv[*i], "parent") != 0)
		(*i)++;
	if (argv[*i] == NULL)
		errx(64, "child without parent");
	return false;
}

int
main(int argc, char **argv)
{
	const struct word *word;
	bool is_child = false;
	int i;

	if (argc < 2)
		usage();
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "child") == 0) {
			is_child = fork_at(argv, &i);
			continue;
		}
		if (strcmp(argv[i], "parent") == 0) {
			if (is_child)
				exit(0);
			continue;
		}
		word = find_word(argv[i]);
		if (word->arguments > argc - 1 - i)
			errx(64, "%s: %s", word->name, word->help);
		word->run(&argv[i + 1]);
		i += word->arguments;
	}
	return 0;
}

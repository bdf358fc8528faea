# What only root can try: to leave a cgroup, or to have a number that a stranger had. Run by root alone.

# shellcheck disable=SC2030,SC2031,SC2154 # `run` sets $output and $stderr, in each test
load ../common
load ../contain

setup_file() {
	setup_contain_file
}

setup() {
	setup_contain
	CGROUPS=$(cgroup_mount)
	export CGROUPS
}

teardown() {
	teardown_contain
	[[ ! -d $CGROUPS/spawnd-escaped ]] || rmdir "$CGROUPS/spawnd-escaped"
}

need_cgroups() {
	[[ $WAYS == *cgroup* ]] || skip "no cgroup can be made here"
}

check_own_cgroups() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=1 "
	assert_line --regexp "^ended 2 ran=1 .* cause=total killed=1 "
}

@test "a job that makes cgroups below its own, and moves processes there, leaves neither" {
	need_cgroups
	everywhere check_own_cgroups <<-'EOT'
		spawn 1 grace=60000 : begin; own=$CGROUPS$(cat $DIR/cgroup); [ $own = $CGROUPS/ ] || mkdir -p $own/a/b $own/c; setsid testjob pid $W.1 stall & want 1; [ $own = $CGROUPS/ ] || cat $W.1 >$own/a/b/cgroup.procs; exit 1
		ended 1
		spawn 2 total=1000 grace=200 : begin; own=$CGROUPS$(cat $DIR/cgroup); [ $own = $CGROUPS/ ] || mkdir -p $own/a/b; setsid testjob ignore TERM pid $W.2 stall & want 2; [ $own = $CGROUPS/ ] || cat $W.2 >$own/a/b/cgroup.procs; [ $own = $CGROUPS/ ] || echo 1 >$own/a/cgroup.freeze; exec testjob stall
		ended 2
	EOT
}

check_moved() {
	assert_line --regexp "^ended 1 ran=1 .* cause=cancel killed=1 signal=15 "
	assert_line --regexp "^ended 2 ran=1 .* cause=none killed=0 exit=2 "
}

@test "a job that moves a process to another cgroup is not rid of it" {
	need_cgroups
	mkdir -p "$CGROUPS/spawnd-escaped"
	everywhere check_moved <<-'EOT'
		spawn 1 grace=200 : begin; setsid testjob ignore TERM pid $W.1 stall & want 1; cat $W.1 >$CGROUPS/spawnd-escaped/cgroup.procs; echo >$DIR/one; exec testjob stall
		file @DIR@/one
		cancel 1
		ended 1
		spawn 2 grace=60000 : begin; setsid testjob pid $W.2 stall & want 2; cat $W.2 >$CGROUPS/spawnd-escaped/cgroup.procs; exit 2
		ended 2
	EOT
}

check_raised() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=0 exit=1 "
}

@test "a job that raises its limit of locks is found all the same" {
	run escape limit 2000000 3000000 escape limit 2000000 4000000 true
	if ((status != 0)); then
		# This root may not, and so no job of its may: then there is nothing to find.
		assert_output --partial 'Operation not permitted'
		return
	fi
	everywhere check_raised <<-'EOT'
		spawn 1 grace=60000 : begin; mark=$(cat $DIR/marks); setsid escape limit $mark 4611686018427387999 testjob pid $W.1 stall & setsid escape limit 9 $mark testjob pid $W.2 stall & want 1 2; exit 1
		ended 1
	EOT
}

check_namespaces() {
	assert_line --regexp "^ended 1 ran=1 .* cause=none killed=1 exit=1 "
}

@test "who went into a namespace of processes of its own is ended" {
	everywhere check_namespaces <<-'EOT'
		spawn 1 grace=300 : begin; setsid unshare --pid --fork --mount-proc sh -c 'trap "" TERM; echo >$W.1; setsid testjob stall & testjob stall' & want 1; exit 1
		ended 1
	EOT
}

# The next number to be given away is the wanted one: another process may be quicker, so again.
start_with_number() {
	local try

	for try in {1..200}; do
		echo $(($1 - 1)) >/proc/sys/kernel/ns_last_pid
		setsid testjob stall >/dev/null 2>&1 3>&- &
		disown
		[[ $! == "$1" ]] && return
		kill -KILL $!
	done
	return 1
}

# The leader is reaped while one that has left its group ignores TERM. A stranger then gets the leader's number, as
# its own and its group's, before SIGKILL comes.
@test "a stranger that gets the number of a leader that was reaped is not signalled" {
	local leader way driver

	for way in $WAYS; do
		# There the leader is kept until the end, and with it its number.
		[[ $way != old ]] || continue
		drive "$way" >"$TEST_DIR/report" 2>&1 3>&- <<-'EOT' &
			spawn 1 grace=3000 : begin; echo $$ >$DIR/leader; setsid testjob ignore TERM pid $W.1 stall & want 1; exit 1
			ended 1
		EOT
		driver=$!
		leader=$(pid_in "$TEST_DIR/$way/leader")
		wait_until not test -e "/proc/$leader"
		start_with_number "$leader"
		wait_until test -s "$TEST_DIR/$way/99.out"
		is_alive "$leader"
		kill -KILL "$leader"
		wait "$driver"
	done
}

@test "the cgroups of a daemon that was killed are removed by the next, and its own when it ends" {
	local pid supervisor base

	need_cgroups
	enqueue c -- testjob pid "$TEST_DIR/a" stall
	pid=$(pid_in "$TEST_DIR/a")
	base=$(cgroup_mount)$(sed -n 's|^0::\(.*/spawnd-[^/]*\)/job-.*|\1|p' "/proc/$pid/cgroup")
	supervisor=$(daemon_field pid)
	[[ $base == */spawnd-"$supervisor"-* ]]
	kill -KILL "$pid"
	wait_until has_ended c
	assert_dir_exists "$base"
	kill -KILL "$supervisor"
	wait_until not test -e "/proc/$supervisor"
	finish d -- true
	wait_until not test -e "$base"
	supervisor=$(daemon_field pid)
	assert_equal "$(compgen -G "${base%/*}/spawnd-$supervisor-*" | wc -l)" 1
	spawnd stop
	wait_until not test -e "/proc/$supervisor"
	assert_equal "$(compgen -G "${base%/*}/spawnd-$supervisor-*" | wc -l)" 0
}

# base_of PID: the base of the daemon that runs the job which this process belongs to.
base_of() {
	echo "$CGROUPS$(sed -n 's|^0::\(.*/spawnd-[^/]*\)/job-.*|\1|p' "/proc/$1/cgroup")"
}

@test "a daemon in another namespace of processes leaves the cgroups of one that lives alone" {
	local base

	need_cgroups
	finish a -- testjob pid "$TEST_DIR/a" exit 0
	enqueue b -- testjob pid "$TEST_DIR/b" stall
	base=$(base_of "$(pid_in "$TEST_DIR/b")")
	spawnd cancel b
	wait_until has_ended b
	assert_dir_exists "$base"
	SPAWND_HOME=$TEST_DIR/other unshare --pid --fork --mount-proc "$SPAWND" run -- true
	assert_dir_exists "$base"
	finish c -- true
	assert_record .containment cgroup
	SPAWND_HOME=$TEST_DIR/other unshare --pid --fork --mount-proc "$SPAWND" stop --now || :
	spawnd stop
	wait_until not test -e "$base"
}

# How many cgroups there are below it.
cgroup_count() {
	find "$1" -mindepth 1 -type d | wc -l
}

has_no_cgroups() {
	(($(cgroup_count "$1") == 0))
}

@test "hundreds of cgroups that a job has made go, and a chain of them, before the daemon ends" {
	local base make

	need_cgroups
	# shellcheck disable=SC2016 # it is the job's shell that expands it
	make='own=$CGROUPS$(sed -n s/^0:://p /proc/self/cgroup); echo $own >$TEST_DIR/own; '
	# shellcheck disable=SC2016
	finish many -- sh -c "$make"'i=0; while [ $i -lt 600 ]; do mkdir $own/$i; i=$((i + 1)); done'
	base=$(dirname "$(cat "$TEST_DIR/own")")
	wait_until has_no_cgroups "$base"
	# shellcheck disable=SC2016
	finish deep -- sh -c "$make"'i=0; while [ $i -lt 60 ]; do own=$own/d; mkdir $own; i=$((i + 1)); done'
	wait_until has_no_cgroups "$base"
	spawnd stop
}

@test "leftovers = leave: the cgroup goes when they have gone" {
	local base pid

	need_cgroups
	configure "[spawnd]" "leftovers = leave"
	finish c -- sh -c 'setsid testjob pid "$1" stall & testjob wait-for "$1"' sh "$TEST_DIR/a"
	pid=$(pid_in "$TEST_DIR/a")
	base=$(base_of "$pid")
	(($(cgroup_count "$base") == 1))
	kill -KILL "$pid"
	wait_until has_no_cgroups "$base"
	spawnd stop
}

has_other_supervisor() {
	local now

	now=$(daemon_field pid 2>/dev/null)
	[[ -n $now && $now != "$1" ]]
}

# Its mark and its group it has changed, and its leader is reaped: only the cgroup is left to tell whose it is.
@test "who never left a job's cgroup ends with it, though the supervisor dies after the job's first process" {
	local supervisor left base other

	need_cgroups
	# Another daemon's job of the same number, in a cgroup beside it.
	SPAWND_HOME=$TEST_DIR/other enqueue c -- testjob pid "$TEST_DIR/bystander-job" stall
	other=$(pid_in "$TEST_DIR/bystander-job")
	enqueue c --kill-grace 1s --leftovers wait -- sh -c \
		'setsid escape limit 9 9 testjob ignore TERM pid "$1" stall & testjob wait-for "$1"' sh "$TEST_DIR/a"
	left=$(pid_in "$TEST_DIR/a")
	base=$(base_of "$left")
	supervisor=$(daemon_field pid)
	wait_until not is_alive "$(sqlite3 "$SPAWND_HOME/state/spawnd.db" 'SELECT pid FROM job')"
	kill -KILL "$supervisor"
	wait_until has_other_supervisor "$supervisor"
	assert_equal "$(job_field c .status)" running
	assert is_alive "$left"
	spawnd cancel c
	await_record c
	assert_record '[.status, .containment] | tojson' '["cancelled","cgroup"]'
	assert not is_alive "$left"
	assert is_alive "$other"
	spawnd stop
	wait_until not test -e "$base"
	SPAWND_HOME=$TEST_DIR/other spawnd stop --now
	wait_until not is_alive "$other"
}

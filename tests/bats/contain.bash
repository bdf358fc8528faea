# For tests of containment: the supervisor alone, driven by tests/harness/supervisor_harness.c, once for each
# containment that can be had here and once as on an old kernel; the same script, the same expectations. Loaded
# after common.bash.
#
# What a job starts has $W, a word of this job's directory that nobody else has, in its arguments or its
# environment, and the job's mark. After the script nothing with either may be there; a bystander, who
# runs the same program in a session of its own, must be.

setup_contain_file() {
	setup_contain
	mkdir "$TEST_DIR/probe"
	printf '%s\n' 'contain auto' 'spawn 1 : true' 'ended 1' 'kind 1' quit >"$TEST_DIR/probe.script"
	WAYS="subreaper old"
	! can_make_cgroups || WAYS+=" cgroup"
	export WAYS
	run timeout -k 5 "$PATIENCE" "$HARNESS" "$TEST_DIR/probe.script" "$TEST_DIR/probe"
	if [[ $WAYS == *cgroup* ]]; then
		assert_line "kind 1 cgroup"
	else
		assert_line "kind 1 subreaper"
	fi
	teardown_contain
}

# Whether there may be cgroups below our own, as far as one can tell without the supervisor.
can_make_cgroups() {
	local own probe result=1

	own=$(cgroup_mount)$(sed -n 's/^0:://p' /proc/self/cgroup)
	probe=$own/test-$$
	mkdir "$probe" 2>/dev/null || return
	[[ -w $own/cgroup.procs && -w $probe/cgroup.procs && -w $probe/cgroup.kill ]] && result=0
	rmdir "$probe"
	return "$result"
}

setup_contain() {
	unset "${!SPAWND_@}" "${!XDG_@}" NOTIFY_SOCKET
	TEST_DIR=$(mktemp -d /tmp/spawnd-test.XXXXXX) || return
	export TEST_DIR SPAWND_HOME=$TEST_DIR/home HOME=$TEST_DIR
	HARNESS=${TEST_HARNESS:-${TEST_HELPERS%/helper}/harness}/supervisor_harness
	[[ -x $HARNESS ]] || fail "no $HARNESS: make supervisor-only"
	PATH=$TEST_HELPERS:$PATH
	cd "$TEST_DIR" || return
	start_bystander
}

teardown_contain() {
	local result=0 left

	if ! is_alive "$BYSTANDER"; then
		echo "the bystander is gone" >&2
		result=1
	fi
	kill -KILL "$BYSTANDER" || :
	if ! PATIENCE=10 wait_until is_empty_of_processes; then
		left=$(processes_left)
		describe_processes "$left" >&2
		# shellcheck disable=SC2086 # one word for each process
		kill -KILL $left || :
		result=1
	fi
	cd / && rm -rf "$TEST_DIR"
	return "$result"
}

# A stranger with the same name, in a session and a group of its own.
start_bystander() {
	setsid testjob pid "$TEST_DIR/bystander" stall >/dev/null 2>&1 3>&- &
	disown
	BYSTANDER=$(pid_in "$TEST_DIR/bystander")
}

# What the jobs of a script know. `begin` is the first word of one that is to leave nothing.
write_prelude() {
	cat >"$DIR/prelude" <<-'EOF'
		begin() {
			W=$DIR/w
			export W
			sed -n 's/^Max file locks *\([0-9a-z]*\) .*/\1/p' /proc/self/limits >>"$DIR/marks"
			sed -n 's/^0:://p' /proc/self/cgroup >"$DIR/cgroup"
		}
		# Waits for these files, whose names begin with $W.
		want() {
			for name; do
				testjob wait-for "$W.$name"
			done
		}
		# Names all that is left of the jobs that have begun. No word of what looks is what is looked for.
		scan() {
			printf '%s/w\n' "$DIR" | grep -alsFf - /proc/[0-9]*/cmdline /proc/[0-9]*/environ
			sed 's/.*/locks .* & /' "$DIR/marks" | grep -lsEf - /proc/[0-9]*/limits
			echo scanned
		}
	EOF
}

# drive WAY: the script on standard input; what it printed is in $output. DIR is the directory of this run.
drive() {
	local option='' kind=$1

	[[ $1 == old ]] && option=-o kind=subreaper
	DIR=$TEST_DIR/$1
	mkdir "$DIR"
	write_prelude
	{
		echo "contain $kind"
		sed "s|@DIR@|$DIR|g; s|@KIND@|$kind|g; s|: begin\\>|: . \$DIR/prelude; begin|"
		printf '%s\n' "spawn 99 : . \$DIR/prelude; scan" 'ended 99' zombies quit
	} >"$DIR.script"
	# shellcheck disable=SC2086 # none, or one word
	run --separate-stderr timeout -k 5 "$PATIENCE" "$HARNESS" $option "$DIR.script" "$DIR"
	assert_success
	assert_equal "$(<"$DIR/99.out")" scanned
	assert_line "zombies 0"
	assert_no_cgroup
}

# The cgroups of the last supervisor, as far as its jobs ran in one, have gone with it.
assert_no_cgroup() {
	local path

	path=$(sed -n 's|/job-.*||p' "$DIR/cgroup")
	[[ $DIR == */cgroup ]] || return 0
	[[ $path == */spawnd-* ]] || fail "not in a cgroup: $path"
	assert_not_exists "$(cgroup_mount)$path"
}

cgroup_mount() {
	findmnt -n -t cgroup2 -o TARGET | head -n 1
}

# everywhere FUNCTION: reads the script once, runs it for each containment, and lets the function check
# what came of it.
everywhere() {
	local script way

	script=$(cat)
	for way in $WAYS; do
		drive "$way" <<<"$script"
		"$1"
	done
}

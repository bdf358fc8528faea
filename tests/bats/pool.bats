# Pools: what there is only so much of, and who waits for it.
load common

# hold CHILD [OPTION...]: a job that runs until the file CHILD.go is there.
hold() {
	local child=$1

	shift
	enqueue "$child" "$@" -- testjob wait-for "$TEST_DIR/$child.go"
}

let_go() {
	touch "$TEST_DIR/$1.go"
	await_record "$1"
}

waits_for() {
	[[ $(job_field "$1" .waits_for) == "$2" ]]
}

@test "no more jobs of a pool run at once than it has room, and others go past those that wait" {
	configure '[pool gpu]' 'max_running = 1'
	hold a --pool gpu
	hold b --pool gpu
	hold c --pool gpu
	wait_until is_status a running
	finish free -- true
	waits_for b 'room in pool gpu, 0 ahead'
	waits_for c 'room in pool gpu, 1 ahead'
	run -0 spawnd list --status queued
	assert_line --regexp ' c .*\(waits for room in pool gpu\)$'
	assert_equal "$(job_field c .pool)" gpu
	assert_equal "$(job_field free .pool)" null
	let_go a
	wait_until is_status b running
	let_go b
	let_go c
}

@test "within a pool the higher priority is first, and parents take turns" {
	configure '[spawnd]' 'max_running = 20' '[pool gpu]' 'max_running = 1'
	hold first --pool gpu
	wait_until is_status first running
	enqueue p1 --pool gpu -- true
	enqueue p2 --pool gpu -- true
	spawnd enqueue --parent Q --child q1 --pool gpu -- true
	spawnd enqueue --parent Q --child q2 --pool gpu --priority 1 -- true
	waits_for p2 'room in pool gpu, 3 ahead'
	let_go first
	for c in p1 p2 q1 q2; do
		await_record "$c"
	done
	run -0 spawnd results
	assert_equal "$(jq -r .child <<<"$output" | tr '\n' ' ')" 'first q2 p1 q1 p2 '
}

@test "the limits of all, of the parent and of the pool hold together" {
	configure '[spawnd]' 'max_running = 3' 'max_running_per_parent = 2' '[pool gpu]' 'max_running = 2'
	hold a --pool gpu
	hold b
	hold c --pool gpu
	spawnd enqueue --parent Q --child d --pool gpu -- testjob wait-for "$TEST_DIR/d.go"
	spawnd enqueue --parent Q --child e --pool gpu -- testjob wait-for "$TEST_DIR/e.go"
	spawnd enqueue --parent R --child f -- testjob wait-for "$TEST_DIR/f.go"
	for c in a b d; do
		wait_until is_status "$c" running
	done
	waits_for c 'room for its parent (max_running_per_parent 2), 0 ahead'
	waits_for e 'room in pool gpu, 0 ahead'
	waits_for f 'room, 0 ahead'
	let_go b
	wait_until is_status f running
	assert_equal "$(job_field c .status)" queued
	for c in a d f c e; do
		let_go "$c"
	done
}

@test "a pool that does not exist is refused, naming those that do" {
	configure '[pool gpu]' 'max_running = 1' '[pool licence]' 'max_running = 2'
	run -64 --separate-stderr enqueue c --pool cpu -- true
	[[ $stderr == *"there is no pool 'cpu'; there are gpu, licence"* ]]
	run -64 --separate-stderr enqueue c --pool '' -- true
	run -64 --separate-stderr enqueue c --pool 'a b' -- true
	configure
	spawnd reload
	run -64 --separate-stderr enqueue c --pool gpu -- true
	[[ $stderr == *"there is no pool 'gpu', nor any other; write [pool NAME] and max_running into the configuration"* ]]
}

@test "when a pool is gone from the configuration, its jobs wait until it is back" {
	configure '[pool gpu]' 'max_running = 1'
	hold a --pool gpu
	hold b --pool gpu
	enqueue never --pool gpu -- true
	wait_until is_status a running
	configure '[pool other]' 'max_running = 1'
	spawnd reload
	run -64 enqueue c --pool gpu -- true
	let_go a
	finish free -- true
	waits_for b 'pool gpu, which the configuration does not have any more'
	kill -KILL "$(daemon_field server_pid)"
	wait_until waits_for b 'pool gpu, which the configuration does not have any more'
	spawnd cancel never
	configure '[pool gpu]' 'max_running = 1'
	spawnd reload
	wait_until is_status b running
	let_go b
}

@test "more room in a pool is used at once" {
	configure '[pool gpu]' 'max_running = 1'
	hold a --pool gpu
	hold b --pool gpu
	wait_until is_status a running
	configure '[pool gpu]' 'max_running = 2'
	spawnd reload
	wait_until is_status b running
	# Less room stops nobody.
	configure '[pool gpu]' 'max_running = 1'
	spawnd reload
	hold c --pool gpu
	let_go a
	waits_for c 'room in pool gpu, 0 ahead'
	let_go b
	let_go c
}

@test "a crash of the server lets nobody in beyond the room of a pool" {
	configure '[pool gpu]' 'max_running = 1'
	hold a --pool gpu
	hold b --pool gpu
	wait_until is_status a running
	kill -KILL "$(daemon_field server_pid)"
	finish free -- true
	waits_for b 'room in pool gpu, 0 ahead'
	let_go a
	wait_until is_status b running
	let_go b
}

@test "a profile may have a pool and a priority, and options go over them" {
	configure '[pool gpu]' 'max_running = 1' '[pool net]' 'max_running = 1' \
		'[profile heavy]' 'pool = gpu' 'priority = -3'
	finish a --profile heavy -- true
	assert_equal "$(job_field a '[.pool, .priority] | tojson')" '["gpu",-3]'
	finish b --profile heavy --pool net --priority 0 -- true
	assert_equal "$(job_field b '[.pool, .priority] | tojson')" '["net",0]'
}

@test "config check names what is wrong with a pool, and show shows it" {
	configure '[pool gpu]' 'max_running = 0' '[pool net]' '[pool a b]' 'max_running = 1' \
		'[pool tpu]' 'max_runing = 1' 'max_running = many' '[profile p]' 'pool = cpu' 'priority = 101'
	run -78 spawnd config check
	assert_line --partial ':2: [pool gpu] max_running = 0: too small; write a whole number from 1 to 32768'
	assert_line --partial ':3: [pool net]: a pool without max_running; say how many of its jobs may run at once'
	assert_line --partial ':4: [pool a b]'
	assert_line --partial ':7: [pool tpu] max_runing = 1: unknown key; did you mean max_running?'
	assert_line --partial ':8: [pool tpu] max_running = many: not a whole number; write'
	assert_line --partial ':10: [profile p] pool = cpu: there is no such pool; there are gpu, net'
	assert_line --partial ':11: [profile p] priority = 101: too large; write a whole number from -100 to 100'
	configure '[pool gpu]' 'max_running = 3'
	run -0 spawnd config check
	run -0 spawnd config show
	assert_line --regexp '^max_running +3 +.*spawnd.ini:2$'
	assert_line '[pool gpu]'
}

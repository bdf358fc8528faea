# The control interface: Varlink for those who speak it; who talks nonsense is dropped, and harms nobody.
load common

setup_file() {
	export NONSENSE='{"method":"org.spawnd.Info","parameters":'
}

socket_path() {
	printf %s "$SPAWND_HOME/run/socket"
}

# Others are served as if nothing were.
assert_serving() {
	run -0 spawnd status --no-autostart
	spawnd run -- true
}

call() {
	rawclient "$(socket_path)" send "$1" nul reply
}

@test "a method call is answered" {
	spawnd fifo P
	run -0 call '{"method":"org.spawnd.Info"}'
	assert_equal "$(jq -r '.parameters.pid | type' <<<"$output")" number
}

@test "the service describes itself" {
	spawnd fifo P
	run -0 call '{"method":"org.varlink.service.GetInfo"}'
	assert_equal "$(jq -r '.parameters.interfaces | index("org.spawnd") != null' <<<"$output")" true
	run -0 call '{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"org.spawnd"}}'
	assert_regex "$(jq -r .parameters.description <<<"$output")" 'method Enqueue'
}

@test "unknown methods and interfaces are refused by name, and the connection goes on" {
	spawnd fifo P
	run -0 rawclient "$(socket_path)" send '{"method":"org.spawnd.Nonsense"}' nul reply \
		send '{"method":"org.nobody.Nonsense"}' nul reply send '{"method":"org.spawnd.Info"}' nul reply
	assert_equal "$(jq -r '.error // "ok"' <<<"$output")" \
		$'org.varlink.service.MethodNotFound\norg.varlink.service.InterfaceNotFound\nok'
}

@test "parameters that are missing, unknown or of the wrong type are refused" {
	local parameters

	spawnd fifo P
	for parameters in '{"parent":5}' '{"parent":"../x","argv":["true"],"env":[],"cwd":"/","umask":18}' \
		'{"argv":"true"}' '{"argv":[1]}' '{"argv":[""]}' '{"nonsense":1,"argv":["true"]}' \
		'{"argv":["true"],"env":["A"],"cwd":"relative","umask":-1}' '{"launch":7}' \
		'{"argv":["true"],"max_idle":"1x"}' '{"argv":["true"],"umask":99999}'; do
		run -0 call "{\"method\":\"org.spawnd.Enqueue\",\"parameters\":$parameters}"
		assert_regex "$(jq -r '.error' <<<"$output")" 'InvalidArgument|InvalidParameter'
	done
	run -0 spawnd list --json
	assert_output ''
	assert_serving
}

@test "variables without a name, and a priority below all numbers, are refused by name" {
	local field parameters

	spawnd fifo P
	while read -r field parameters; do
		run -0 call "{\"method\":\"org.spawnd.Enqueue\",\"parameters\":{\"argv\":[\"true\"],$parameters}}"
		assert_equal "$(jq -r '.error' <<<"$output")" org.spawnd.InvalidArgument
		assert_equal "$(jq -r '.parameters.field' <<<"$output")" "$field"
	done <<-'END'
		env "env":["A=b","=","C=d"]
		env "env":["noeq"]
		env "env":[""]
		priority "priority":-9223372036854775808
	END
	assert_equal "$(spawnd list --json)" ''
	run -0 call '{"method":"org.spawnd.Enqueue","parameters":{"argv":["true"],"env":["A==","B="]}}'
	assert_equal "$(jq -r '.parameters.is_new' <<<"$output")" true
	wait_until is_done
}

is_done() {
	[[ $(spawnd list --status completed --json | wc -l) == 1 ]]
}

@test "ids are checked at the server too" {
	spawnd fifo P
	run -0 call '{"method":"org.spawnd.Fifo","parameters":{"parent":"../../evil"}}'
	assert_regex "$(jq -r '.error' <<<"$output")" 'InvalidArgument|InvalidParameter'
	run -0 call '{"method":"org.spawnd.Fifo","parameters":{"parent":"a\nb"}}'
	assert_regex "$(jq -r '.error' <<<"$output")" 'InvalidArgument|InvalidParameter'
}

@test "nonsense is dropped" {
	local text

	spawnd fifo P
	for text in nonsense '{' '[]' '"x"' '{}' '{"method":1}' '{"method":"org.spawnd.Info"}}' '{"method":""}' \
		$'\xff\xfe' '{"method":"org.spawnd.Info","more":1}' \
		'{"method":"org.spawnd.Info","parameters":[]}' '{"method":"org.spawnd.Info","parameters":7}' \
		'{"method":"org.spawnd.Fifo","parameters":{"parent":"a\u0000b"}}'; do
		run -0 rawclient "$(socket_path)" send "$text" nul shutdown closed
	done
	head -c 100000 /dev/urandom >"$TEST_DIR/noise"
	run -0 rawclient "$(socket_path)" file "$TEST_DIR/noise" nul shutdown closed
	assert_serving
}

@test "half a message is dropped when its sender goes" {
	spawnd fifo P
	run -0 rawclient "$(socket_path)" send "$NONSENSE" shutdown closed
	run -0 rawclient "$(socket_path)" send "$NONSENSE"
	assert_serving
}

@test "endless bytes without NUL are dropped" {
	spawnd fifo P
	run -0 rawclient "$(socket_path)" fill 20000000 x closed
	run -0 rawclient "$(socket_path)" fill 20000000 '[' closed
	assert_serving
}

@test "silence harms nobody" {
	local i pids=()

	spawnd fifo P
	for i in {1..20}; do
		rawclient "$(socket_path)" touch "$TEST_DIR/silent$i" stay 3>&- &
		pids+=($!)
		wait_until test -e "$TEST_DIR/silent$i"
	done
	assert_serving
	spawnd stop --now
	kill "${pids[@]}"
}

@test "clients are limited in number, and there is room again when they go" {
	local crowd

	spawnd fifo P
	# A shell of its own: what bats would do in one that is killed before it has become a client is not wanted.
	sh -c 'for i in $(seq 600); do rawclient "$1" stay 2>/dev/null & echo $!; done >pids; : >all; wait' \
		sh "$(socket_path)" 3>&- &
	crowd=$!
	wait_until test -e all
	enqueue c -- true || :
	xargs kill <pids 2>/dev/null || :
	wait "$crowd" || :
	is_served() {
		spawnd status --no-autostart >/dev/null 2>&1
	}
	wait_until is_served
	assert_serving
}

@test "descriptors that nobody asked for are closed" {
	local before server

	spawnd fifo P
	server=$(daemon_field server_pid)
	before=$(find "/proc/$server/fd" -mindepth 1 | wc -l)
	run -0 rawclient "$(socket_path)" descriptors 60 send '}' nul shutdown closed
	run -0 rawclient "$(socket_path)" descriptors 1 shutdown closed
	same_as_before() {
		(($(find "/proc/$server/fd" -mindepth 1 | wc -l) <= before))
	}
	wait_until same_as_before
	assert_serving
	assert_equal "$(daemon_field server_pid)" "$server"
}

@test "a client that asks for everything and reads nothing holds up nobody" {
	local i

	for i in {1..50}; do
		enqueue "c$i" -- true
	done >/dev/null
	wait_until has_records P 50
	{
		for i in {1..2000}; do
			printf '{"method":"org.spawnd.List","more":true}\0'
		done
	} >"$TEST_DIR/calls"
	rawclient "$(socket_path)" file "$TEST_DIR/calls" stay 3>&- &
	local pid=$!
	assert_serving
	kill "$pid"
}

@test "a repeated token answers with the job that its first use made" {
	local message='{"method":"org.spawnd.Enqueue","parameters":{"parent":"P","argv":["true"],"env":[],"cwd":"/","umask":18,"token":"00000000000000010000000000000001"}}'

	spawnd fifo P
	run -0 call "$message"
	assert_equal "$(jq -r '[.parameters.job, .parameters.is_new] | tojson' <<<"$output")" '[1,true]'
	run -0 call "$message"
	assert_equal "$(jq -r '[.parameters.job, .parameters.is_new] | tojson' <<<"$output")" '[1,false]'
	wait_until has_records P 1
}

@test "a repeated token answers so also when its job has ended and the queue is full by now" {
	local message='{"method":"org.spawnd.Enqueue","parameters":{"parent":"P","argv":["true"],"env":[],"cwd":"/","umask":18,"token":"00000000000000010000000000000002","no_wait":true}}'

	configure '[spawnd]' 'max_running = 1' 'queue_limit = 1'
	spawnd fifo P
	run -0 call "$message"
	wait_until has_records P 1
	enqueue busy -- testjob stall
	wait_until is_status busy running
	enqueue queued -- true
	run -0 call "$message"
	assert_equal "$(jq -r '[.parameters.job, .parameters.is_new] | tojson' <<<"$output")" '[1,false]'
	spawnd cancel --parent P
}

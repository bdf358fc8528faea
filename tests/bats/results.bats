#!/usr/bin/env bats
# What a child writes into SPAWND_RESULT, and how `results --with-results` tells it.

load common

# The line of a child, and a field of it.
line_of() {
	spawnd results --parent P --with-results | jq -c "select(.child == \"$1\")"
}

field_of() {
	line_of "$1" | jq -r "$2"
}

# finish_script CHILD SCRIPT
finish_script() {
	finish "$1" -- sh -c "$2"
}

@test "a result that is text is in the record, whole" {
	finish_script c 'printf "caf\303\251\n42" >"$SPAWND_RESULT"'
	assert_equal "$(field_of c .result_bytes)" 8
	assert_equal "$(field_of c .result_text)" $'café\n42'
	assert_equal "$(field_of c 'has("result_base64") or has("result_sha256")')" false
	# And the record itself is as it always is.
	assert_equal "$(spawnd results --parent P | jq -c 'has("result_text")')" false
	assert_equal "$(line_of c | jq -c '{seq, job, child, status, exit_code}')" \
		"$(jq -c '{seq, job, child, status, exit_code}' <<<"$RECORD")"
}

@test "no result is null, an empty one is empty" {
	finish none -- true
	finish_script empty ': >"$SPAWND_RESULT"'
	assert_equal "$(field_of none .result_text)" null
	assert_equal "$(line_of empty | jq .result_text)" '""'
}

@test "bytes that are no text come in base64" {
	finish_script c 'printf "\377\0x" >"$SPAWND_RESULT"'
	assert_equal "$(field_of c .result_base64)" "$(printf '\377\0x' | base64)"
	assert_equal "$(field_of c 'has("result_text")')" false
}

@test "48 KiB are whole; beyond that there are size, SHA-256 and the last 8 KiB" {
	finish_script whole 'head -c 49152 /dev/zero | tr "\0" a >"$SPAWND_RESULT"'
	assert_equal "$(field_of whole '.result_text | length')" 49152
	finish_script long 'seq 100000 >"$SPAWND_RESULT"'
	assert_equal "$(field_of long .result_bytes)" "$(seq 100000 | wc -c)"
	assert_equal "$(field_of long .result_sha256)" "$(seq 100000 | sha256sum | cut -d' ' -f1)"
	line_of long | jq -j .result_tail >"$TEST_DIR/tail"
	seq 100000 | tail -c 8192 | cmp - "$TEST_DIR/tail"
	assert_equal "$(field_of long 'has("result_text")')" false
}

@test "of more than 1 GiB the end alone is read, and there is no SHA-256" {
	finish_script huge 'truncate -s 1T "$SPAWND_RESULT"; printf "the end" >>"$SPAWND_RESULT"'
	assert_equal "$(field_of huge .result_bytes)" $(((1 << 40) + 7))
	assert_equal "$(line_of huge | jq -c '[has("result_sha256"), .result_sha256]')" '[true,null]'
	assert_equal "$(field_of huge .result_error)" 'longer than 1 GiB: no SHA-256 was made of it'
	assert_equal "$(field_of huge .result_tail_base64 | base64 -d | tail -c 7)" 'the end'
}

@test "a result that others might read is closed to them when the job ends" {
	finish_script c 'umask 0; echo 42 >"$SPAWND_RESULT"'
	assert_equal "$(stat -c %a "$(jq -r .result <<<"$RECORD")")" 600
}

@test "a link in its place is not followed" {
	echo secret >"$TEST_DIR/secret"
	chmod 644 "$TEST_DIR/secret"
	finish_script c 'ln -s "$TEST_DIR/secret" "$SPAWND_RESULT"'
	assert_record .result_bytes 0
	assert_equal "$(stat -c %a "$TEST_DIR/secret")" 644
	assert_equal "$(field_of c .result_error)" 'no regular file'
	assert_equal "$(field_of c .result_text)" null
}

@test "a FIFO in its place is not opened, and nobody waits for it" {
	finish_script c 'mkfifo "$SPAWND_RESULT"'
	assert_record .status completed
	assert_record .result_bytes 0
	assert_equal "$(field_of c .result_error)" 'no regular file'
	run -0 spawnd status c
}

@test "a result goes with its job" {
	local result

	finish_script c 'echo 42 >"$SPAWND_RESULT"'
	result=$(jq -r .result <<<"$RECORD")
	assert [ -e "$result" ]
	spawnd wait c >/dev/null
	sqlite3 "$SPAWND_HOME/state/spawnd.db" 'UPDATE job SET ended_ms = ended_ms - 3600000'
	configure '[spawnd]' 'keep_jobs = 0'
	spawnd reload
	wait_until not test -e "$result"
}

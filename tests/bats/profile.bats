# Profiles: what a job has from its profile, and what its children inherit of it.
load common

# The variable $2 as child $1 found it; empty where there was none.
variable_of() {
	tr '\0' '\n' <"$(job_field "$1" .output)" | sed -n "s/^$2=//p"
}

@test "the child finds its model, and nothing of what its caller had" {
	export SPAWND_MODEL=mine SPAWND_PROFILE=mine SPAWND_DISABLED_TOOLS=mine
	finish c --model 'big model/3.5' -- env -0
	assert_equal "$(variable_of c SPAWND_MODEL)" 'big model/3.5'
	assert_equal "$(variable_of c SPAWND_PROFILE)" ''
	assert_equal "$(variable_of c SPAWND_DISABLED_TOOLS)" ''
	assert_equal "$(job_field c .model)" 'big model/3.5'
	finish d -- env -0
	run grep -z '^SPAWND_\(MODEL\|PROFILE\|DISABLED_TOOLS\)' "$(job_field d .output)"
	assert_failure
	assert_equal "$(job_field d .model)" null
}

@test "a model that is no word is refused" {
	local model

	for model in '' -x $'a\nb' $'\xff'; do
		run -64 --separate-stderr spawnd enqueue --parent P --child c --model "$model" -- true
		assert [ -n "$stderr" ]
	done
}

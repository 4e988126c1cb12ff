package steps_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// A small itinerary has everything that can happen to a step: a flag that is decided on the way, a
// step that is left and entered again, and a phase that rides.
const (
	volumes phases.Flags = 1 << iota
	hook
)

var vocabulary = phases.MustVocabulary([]phases.FlagDef{{Flag: volumes, Name: "Volumes"}, {Flag: hook, Name: "Hook"}})

var set = machine.MustCompileSet(
	phases.Itinerary{Name: "Move", Vocabulary: vocabulary, Phases: []phases.Phase{
		{Name: "Created", Step: "Prepare"},
		{Name: "Refresh", Step: "Prepare", Decides: volumes, Description: "Refreshing the plan"},
		{Name: "Hook", Step: "Hook", Guard: phases.Guard{All: hook}},
		{Name: "Quiesce", Step: "Data", Rides: true},
		{Name: "Copy", Step: "Data", Guard: phases.Guard{All: volumes}, Description: "Copying volumes"},
		{Name: "Attach", Step: "Restore"},
		{Name: "Release", Step: "Data", Guard: phases.Guard{All: volumes}},
		{Name: "Finish", Step: "Cleanup"},
	}},
	phases.Itinerary{Name: "Undo", Vocabulary: vocabulary, Cleanup: true, Phases: []phases.Phase{
		{Name: "Detach", Step: "Data", Guard: phases.Guard{All: volumes}, Description: "Detaching volumes"},
		{Name: "Remove", Step: "Helpers"},
		{Name: "Finish", Step: "Cleanup"},
	}},
)

// moment is an event in the life of a pipeline, and how the pipeline then reads. A second passes
// with each moment, counted from 1. A step reads:
//
//	Prepare              not started
//	Prepare[1 text]      started at second 1, and its message
//	Prepare[1-4]         Completed at second 4
//	Prepare[1-4 text]    completed with another message
//	Prepare[1!...        failed
//
// The event is one of:
//
//	start ITINERARY      at the start of an itinerary
//	fail ITINERARY       a phase failed; at the start of that itinerary
//	cancel ITINERARY     a cancel or a rollback; at the start of that itinerary
//	PHASE                the phase is entered
//	wait TEXT            the phase waits, with that message and progress
//	pass                 the phase failed, and the run continues
//	FLAG yes|no|unknown  the flag changes, and the run is replanned
//	done                 the itinerary has reached its end
type moment struct{ happens, reads string }

var lives = []struct {
	about string
	facts phases.Facts
	life  []moment
}{
	{"a migration without volumes, from start to end", phases.NewFacts(0, volumes|hook), []moment{
		{"start Move", "Prepare Restore Cleanup"},
		{"Created", "Prepare[2 Created] Restore Cleanup"},
		{"Refresh", "Prepare[2 Refreshing the plan] Restore Cleanup"},
		{"Quiesce", "Prepare[2 Quiesce] Restore Cleanup"},
		{"Attach", "Prepare[2-5] Restore[5 Attach] Cleanup"},
		{"Finish", "Prepare[2-5] Restore[5-6] Cleanup[6 Finish]"},
		{"done", "Prepare[2-5] Restore[5-6] Cleanup[6-7]"},
	}},
	{"a step that is left and entered again is not shown completed in between", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Refresh", "Prepare[2 Refreshing the plan] Data Restore Cleanup"},
		{"Quiesce", "Prepare[2-3] Data[3 Quiesce] Restore Cleanup"},
		{"Copy", "Prepare[2-3] Data[3 Copying volumes] Restore Cleanup"},
		{"Attach", "Prepare[2-3] Data[3 Continues later] Restore[5 Attach] Cleanup"},
		{"Release", "Prepare[2-3] Data[3 Release] Restore[5-6] Cleanup"},
		{"Finish", "Prepare[2-3] Data[3-7] Restore[5-6] Cleanup[7 Finish]"},
		{"done", "Prepare[2-3] Data[3-7] Restore[5-6] Cleanup[7-8]"},
	}},
	{"a step keeps its last progress until one of its phases reports another", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Copy", "Data[2 Copying volumes] Restore Cleanup"},
		{"wait 2 of 7 volumes", "Data[2 2 of 7 volumes (2 of 7 volumes)] Restore Cleanup"},
		{"wait 5 of 7 volumes", "Data[2 5 of 7 volumes (5 of 7 volumes)] Restore Cleanup"},
		{"Attach", "Data[2 Continues later (5 of 7 volumes)] Restore[5 Attach] Cleanup"},
		{"Release", "Data[2 Release (5 of 7 volumes)] Restore[5-6] Cleanup"},
		{"wait 1 released", "Data[2 1 released (1 released)] Restore[5-6] Cleanup"},
		{"Finish", "Data[2-8 (1 released)] Restore[5-6] Cleanup[8 Finish]"},
		{"done", "Data[2-8 (1 released)] Restore[5-6] Cleanup[8-9]"},
	}},
	{"an interrupted step keeps its progress, even if the cleanup enters it again", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Copy", "Data[2 Copying volumes] Restore Cleanup"},
		{"wait 2 of 7 volumes", "Data[2 2 of 7 volumes (2 of 7 volumes)] Restore Cleanup"},
		{"cancel Undo", "Data[2-4 Canceled (2 of 7 volumes)] Helpers Cleanup"},
		{"Detach", "Data[2 Detaching volumes (2 of 7 volumes)] Helpers Cleanup"},
		{"wait 1 detached", "Data[2 1 detached (1 detached)] Helpers Cleanup"},
		{"Remove", "Data[2-7 (1 detached)] Helpers[7 Remove] Cleanup"},
	}},
	{"a step that failed keeps its progress", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Copy", "Data[2 Copying volumes] Restore Cleanup"},
		{"wait 2 of 7 volumes", "Data[2 2 of 7 volumes (2 of 7 volumes)] Restore Cleanup"},
		{"fail Undo", "Data[2!-4 (2 of 7 volumes)] Helpers Cleanup"},
	}},
	{"a step whose phase waits with the text of another state reads Completed at its end", phases.NewFacts(0, volumes|hook), []moment{
		{"start Move", "Prepare Restore Cleanup"},
		{"Created", "Prepare[2 Created] Restore Cleanup"},
		{"wait Canceled", "Prepare[2 Canceled (Canceled)] Restore Cleanup"},
		{"Attach", "Prepare[2-4 (Canceled)] Restore[4 Attach] Cleanup"},
	}},
	{"volumes appear while the plan is refreshed: the step is inserted in its place", phases.NewFacts(0, volumes|hook), []moment{
		{"start Move", "Prepare Restore Cleanup"},
		{"Refresh", "Prepare[2 Refreshing the plan] Restore Cleanup"},
		{"Volumes yes", "Prepare[2 Refreshing the plan] Data Restore Cleanup"},
		{"Quiesce", "Prepare[2-4] Data[4 Quiesce] Restore Cleanup"},
		{"Copy", "Prepare[2-4] Data[4 Copying volumes] Restore Cleanup"},
		{"Attach", "Prepare[2-4] Data[4 Continues later] Restore[6 Attach] Cleanup"},
		{"Release", "Prepare[2-4] Data[4 Release] Restore[6-7] Cleanup"},
		{"Finish", "Prepare[2-4] Data[4-8] Restore[6-7] Cleanup[8 Finish]"},
		{"done", "Prepare[2-4] Data[4-8] Restore[6-7] Cleanup[8-9]"},
	}},
	{"volumes vanish: the step is removed, and never marked skipped", phases.NewFacts(volumes|hook, 0), []moment{
		{"start Move", "Prepare Hook Data Restore Cleanup"},
		{"Refresh", "Prepare[2 Refreshing the plan] Hook Data Restore Cleanup"},
		{"Volumes no", "Prepare[2 Refreshing the plan] Hook Restore Cleanup"},
		{"Hook", "Prepare[2-4] Hook[4 Hook] Restore Cleanup"},
		{"Quiesce", "Prepare[2-4] Hook[4 Quiesce] Restore Cleanup"},
		{"Attach", "Prepare[2-4] Hook[4-6] Restore[6 Attach] Cleanup"},
	}},
	{"a step that has run stays, whatever the flags become", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Copy", "Data[2 Copying volumes] Restore Cleanup"},
		{"Volumes no", "Data[2 Copying volumes] Restore Cleanup"},
		{"Attach", "Data[2-4] Restore[4 Attach] Cleanup"},
		{"Finish", "Data[2-4] Restore[4-5] Cleanup[5 Finish]"},
	}},
	{"a failure marks the step it happened in and no other", phases.NewFacts(volumes|hook, 0), []moment{
		{"start Move", "Prepare Hook Data Restore Cleanup"},
		{"Created", "Prepare[2 Created] Hook Data Restore Cleanup"},
		{"Hook", "Prepare[2-3] Hook[3 Hook] Data Restore Cleanup"},
		{"fail Undo", "Prepare[2-3] Hook[3!-4] Data Helpers Cleanup"},
		{"Detach", "Prepare[2-3] Hook[3!-4] Data[5 Detaching volumes] Helpers Cleanup"},
		{"Remove", "Prepare[2-3] Hook[3!-4] Data[5-6] Helpers[6 Remove] Cleanup"},
		{"Finish", "Prepare[2-3] Hook[3!-4] Data[5-6] Helpers[6-7] Cleanup[7 Finish]"},
		{"done", "Prepare[2-3] Hook[3!-4] Data[5-6] Helpers[6-7] Cleanup[7-8]"},
	}},
	{"a cancel interrupts one step; the cleanup runs and is shown", phases.NewFacts(0, volumes|hook), []moment{
		{"start Move", "Prepare Restore Cleanup"},
		{"Attach", "Restore[2 Attach] Cleanup"},
		{"cancel Undo", "Restore[2-3 Canceled] Helpers Cleanup"},
		{"Remove", "Restore[2-3 Canceled] Helpers[4 Remove] Cleanup"},
		{"Finish", "Restore[2-3 Canceled] Helpers[4-5] Cleanup[5 Finish]"},
		{"done", "Restore[2-3 Canceled] Helpers[4-5] Cleanup[5-6]"},
	}},
	{"a failure while another step waits to be entered again: only one has failed", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Copy", "Data[2 Copying volumes] Restore Cleanup"},
		{"Attach", "Data[2 Continues later] Restore[3 Attach] Cleanup"},
		{"fail Undo", "Data[2-4] Restore[3!-4] Helpers Cleanup"},
		{"Detach", "Data[2 Detaching volumes] Restore[3!-4] Helpers Cleanup"},
		{"Remove", "Data[2-6] Restore[3!-4] Helpers[6 Remove] Cleanup"},
	}},
	{"a failed step is entered again: it keeps its place, its start and its mark", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Copy", "Data[2 Copying volumes] Restore Cleanup"},
		{"fail Undo", "Data[2!-3] Helpers Cleanup"},
		{"Detach", "Data[2! Detaching volumes] Helpers Cleanup"},
		{"Remove", "Data[2!-5] Helpers[5 Remove] Cleanup"},
		{"Finish", "Data[2!-5] Helpers[5-6] Cleanup[6 Finish]"},
		{"done", "Data[2!-5] Helpers[5-6] Cleanup[6-7]"},
	}},
	{"a cancel while another step waits to be entered again interrupts both", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Copy", "Data[2 Copying volumes] Restore Cleanup"},
		{"Attach", "Data[2 Continues later] Restore[3 Attach] Cleanup"},
		{"cancel Undo", "Data[2-4 Canceled] Restore[3-4 Canceled] Helpers Cleanup"},
	}},
	{"a step in which a phase failed reads Failed, even if a cancel interrupts it", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Created", "Prepare[2 Created] Data Restore Cleanup"},
		{"pass", "Prepare[2! Created] Data Restore Cleanup"},
		{"Refresh", "Prepare[2! Refreshing the plan] Data Restore Cleanup"},
		{"cancel Undo", "Prepare[2!-5] Data Helpers Cleanup"},
	}},
	{"a failure in a cleanup itinerary does not stop it", phases.NewFacts(0, volumes|hook), []moment{
		{"start Undo", "Helpers Cleanup"},
		{"Remove", "Helpers[2 Remove] Cleanup"},
		{"pass", "Helpers[2! Remove] Cleanup"},
		{"Finish", "Helpers[2!-4] Cleanup[4 Finish]"},
		{"done", "Helpers[2!-4] Cleanup[4-5]"},
	}},
	{"a rollback of a run that had reached its last step", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Release", "Data[2 Release] Cleanup"},
		{"Finish", "Data[2-3] Cleanup[3 Finish]"},
		{"cancel Undo", "Data[2-3] Cleanup[3-4 Canceled] Helpers"},
		{"Detach", "Data[2 Detaching volumes] Cleanup[3-4 Canceled] Helpers"},
		{"Remove", "Data[2-6] Cleanup[3-4 Canceled] Helpers[6 Remove]"},
		{"Finish", "Data[2-6] Cleanup[3 Finish] Helpers[6-7]"},
		{"done", "Data[2-6] Cleanup[3-8] Helpers[6-7]"},
	}},
	{"whether there are volumes is unknown: a listed step stays, an unlisted one waits", phases.NewFacts(volumes, hook), []moment{
		{"start Move", "Prepare Data Restore Cleanup"},
		{"Refresh", "Prepare[2 Refreshing the plan] Data Restore Cleanup"},
		{"Volumes unknown", "Prepare[2 Refreshing the plan] Data Restore Cleanup"},
		{"Hook unknown", "Prepare[2 Refreshing the plan] Data Restore Cleanup"},
		{"Volumes no", "Prepare[2 Refreshing the plan] Restore Cleanup"},
		{"Hook yes", "Prepare[2 Refreshing the plan] Hook Restore Cleanup"},
	}},
	{"a cleanup itinerary shows the unknown steps that it runs", phases.NewFacts(0, hook), []moment{
		{"start Undo", "Data Helpers Cleanup"},
		{"Detach", "Data[2 Detaching volumes] Helpers Cleanup"},
	}},
}

func TestSync(t *testing.T) {
	for _, l := range lives {
		t.Run(l.about, func(t *testing.T) {
			facts := l.facts
			var (
				g  *machine.Graph
				at machine.Position
				p  steps.Pipeline
			)
			for second, m := range l.life {
				now := time.Unix(int64(second+1), 999)
				var moment steps.Snapshot
				event, arg, _ := strings.Cut(m.happens, " ")
				flag, isFlag := vocabulary.Lookup(event)
				switch {
				case event == "start", event == "fail", event == "cancel":
					var err error
					g, err = set.Graph(arg)
					require.NoError(t, err)
					at = machine.Position{}
					moment.Failed = event == "fail"
				case event == "wait":
					moment.Message, moment.Progress = arg, []string{arg}
				case event == "pass":
					moment.Failed = true
				case event == "done":
					at = machine.Position{Done: true}
				case isFlag && arg != "":
					truths := map[string]phases.Truth{"yes": phases.True, "no": phases.False, "unknown": phases.Unknown}
					facts = facts.Set(flag, truths[arg])
				default:
					at = machine.Position{Phase: event}
				}
				plan, err := g.PlanFrom(at, facts)
				require.NoError(t, err)
				moment.Plan = plan

				before := p.DeepCopy()
				next := steps.Sync(p, moment, now)
				if diff := cmp.Diff(m.reads, read(next)); diff != "" {
					t.Fatalf("second %d, %s: -want +got\n%s", second+1, m.happens, diff)
				}
				require.Empty(t, cmp.Diff(before, p), "the argument has changed")
				requireKept(t, p, next)
				again := steps.Sync(next, moment, now)
				require.Equal(t, bytes(t, next), bytes(t, again), "%s: a second call changes nothing", m.happens)
				p = next
			}
		})
	}
}

func bytes(t *testing.T, p steps.Pipeline) string {
	t.Helper()
	b, err := json.Marshal(p)
	require.NoError(t, err)
	return string(b)
}

// read returns a pipeline in the notation of moment.
func read(p steps.Pipeline) string {
	var all []string
	for _, s := range p {
		text := s.Name
		if s.Ran() {
			text += "["
			if s.Started != nil {
				text += fmt.Sprint(s.Started.Unix())
			}
			if s.Failed {
				text += "!"
			}
			message := s.Message
			if s.Completed != nil {
				text += fmt.Sprintf("-%d", s.Completed.Unix())
				if !s.Failed && message == steps.MessageCompleted || s.Failed && message == steps.MessageFailed {
					message = ""
				}
			}
			if message != "" {
				text += " " + message
			}
			if s.Progress != nil {
				text += " (" + strings.Join(s.Progress, ", ") + ")"
			}
			text += "]"
		} else if s.Message != steps.MessageNotStarted {
			text += "<" + s.Message + ">"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

// requireKept checks, for consecutive versions of a pipeline, that no step that ran is removed or moved.
func requireKept(t *testing.T, old, next steps.Pipeline) {
	t.Helper()
	var ran, order []string
	for _, s := range old {
		if !s.Ran() {
			continue
		}
		ran = append(ran, s.Name)
		now, _ := next.Lookup(s.Name)
		require.NotNil(t, now, "a step that ran is never removed")
		require.Equal(t, s.Started, now.Started, "started never changes once set")
		require.False(t, s.Failed && !now.Failed, "failed is never cleared")
	}
	seen := map[string]bool{}
	behind := false
	for _, s := range next {
		require.False(t, s.Skipped, "skipped is never written")
		require.False(t, seen[s.Name], "names are unique")
		seen[s.Name] = true
		require.False(t, s.Ran() && behind, "steps that have started come first")
		behind = behind || !s.Ran()
		if s.Started != nil {
			require.Zero(t, s.Started.Nanosecond(), "times are whole seconds")
		}
		if was, ok := old.Lookup(s.Name); ok && was.Ran() {
			order = append(order, s.Name)
		}
	}
	require.Equal(t, ran, order, "steps that have started keep their order")
}

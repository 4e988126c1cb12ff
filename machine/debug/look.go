package debug

import (
	"fmt"
	"slices"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// look describes how something is shown: an icon, a tone and words. The tone never stands
// alone.
type look struct {
	// Icon is the name of a symbol of the page, Tone a class of the style sheet.
	Icon, Tone, Text string
}

// activityShown describes how an activity is shown.
type activityShown struct {
	activity runner.Activity
	look     look
}

// looks are the looks of the activities, in listing order: those that need attention come
// first.
var looks = []activityShown{
	{runner.ActivityStopped, look{"stopped", "bad", "Stopped"}},
	{runner.ActivityRetrying, look{"retrying", "warn", "Retrying"}},
	{runner.ActivityFlagsUnknown, look{"unknown", "warn", "Flags unknown"}},
	{runner.ActivityWaiting, look{"waiting", "calm", "Waiting"}},
	{runner.ActivityPaused, look{"paused", "calm", "Paused"}},
	{runner.ActivityWorking, look{"working", "go", "Working"}},
	{runner.ActivityNotBegun, look{"notbegun", "calm", "Not begun"}},
	{runner.ActivityDone, look{"done", "calm", "Done"}},
}

var resultLooks = map[phases.Result]look{
	phases.Succeeded:  {"succeeded", "good", "Succeeded"},
	phases.Failed:     {"failed", "bad", "Failed"},
	phases.Canceled:   {"canceled", "calm", "Canceled"},
	phases.RolledBack: {"rolledback", "calm", "Rolled back"},
}

func activityNames() []string {
	var names []string
	for _, l := range looks {
		names = append(names, string(l.activity))
	}
	return names
}

// activityLook returns the look of an activity.
func activityLook(name string) look {
	for _, l := range looks {
		if string(l.activity) == name {
			return l.look
		}
	}
	return look{"unknown", "calm", name}
}

// lookOf returns the look of what a run does.
func lookOf(s runner.Status) look {
	l := activityLook(string(s.Activity))
	switch {
	case s.Activity == runner.ActivityDone:
		if known, ok := resultLooks[s.Result]; ok {
			return known
		}
		return look{"done", "calm", "Done"}
	case s.Overdue:
		if l.Tone = "bad"; s.Activity != runner.ActivityStopped {
			l.Icon = "overdue"
		}
		l.Text += ", overdue"
	case s.Activity == runner.ActivityRetrying && s.Attempts > 0:
		l.Text += fmt.Sprintf(", attempt %d failed", s.Attempts)
	}
	return l
}

// attention ranks a run in the default order of the list: runs that need attention come
// first. The rank is that of its activity, with extra ranks for overdue and for failed
// runs.
func attention(s runner.Status) int {
	place := func(activity runner.Activity) int {
		return 2 * slices.IndexFunc(looks, func(l activityShown) bool { return l.activity == activity })
	}
	switch {
	case s.Activity == runner.ActivityDone && s.Result == phases.Failed:
		return place(runner.ActivityFlagsUnknown) + 1
	case s.Overdue && s.Activity != runner.ActivityStopped:
		return place(runner.ActivityStopped) + 1
	}
	return place(s.Activity)
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

package controllertest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/controller"
	"github.com/konveyor/dynamic-pipeline/machine/machinetest"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// CheckStates checks two consecutive versions of an object against the promises of
// [machinetest.CheckStates], for each run: no state goes back or is lost, and each is
// bounded and can be planned. before may be nil. It returns what is broken, one text
// each.
func CheckStates[T client.Object](ctx context.Context, set *machine.Set, states States[T], before, after T) (broken []string) {
	is, err := states(ctx, after)
	if err != nil {
		return []string{"the state that was written cannot be read: " + err.Error()}
	}
	var was map[string]runner.State
	if any(before) != any(*new(T)) {
		if was, err = states(ctx, before); err != nil {
			was = nil // it was reported when it was written
		}
	}
	for _, item := range slices.Sorted(maps.Keys(is)) {
		for _, b := range machinetest.CheckStates(set, was[item], is[item]) {
			broken = append(broken, named(item, b.String()))
		}
	}
	for _, item := range slices.Sorted(maps.Keys(was)) {
		if s, ok := is[item]; was[item].Itinerary != "" && (!ok || s.Itinerary == "") {
			broken = append(broken, named(item, "the state is lost"))
		}
	}
	return broken
}

func named(item, text string) string {
	if item == "" {
		return text
	}
	return fmt.Sprintf("item %q: %s", item, text)
}

// CheckConditions compares the conditions that a reconciler of machine/controller
// writes with the states of the runs. It returns what is broken, one text each.
func CheckConditions(states map[string]runner.State, conditions []metav1.Condition) (broken []string) {
	add := func(format string, args ...any) { broken = append(broken, fmt.Sprintf(format, args...)) }
	of := map[string]metav1.Condition{}
	for _, c := range conditions {
		if _, twice := of[c.Type]; twice {
			add("condition %s is listed twice", c.Type)
		}
		of[c.Type] = c
	}
	is := func(kind string, status metav1.ConditionStatus) bool { return of[kind].Status == status }
	done := len(states) > 0
	for _, s := range states {
		done = done && s.Done
	}
	if done && is(controller.ConditionRunning, metav1.ConditionTrue) {
		add("condition Running is true, but the run is done")
	}
	if is(controller.ConditionPaused, metav1.ConditionTrue) && is(controller.ConditionRunning, metav1.ConditionTrue) {
		add("conditions Running and Paused are both true")
	}
	s, one := states[""]
	if !one || of[controller.ConditionSucceeded].Type == "" {
		return broken
	}
	want := metav1.ConditionUnknown
	switch {
	case s.Done && s.Result == phases.Succeeded:
		want = metav1.ConditionTrue
	case s.Done && s.Result != "":
		want = metav1.ConditionFalse
	}
	if got := of[controller.ConditionSucceeded].Status; got != want {
		add("condition Succeeded is %s, but the state requires %s (done %t, result %q)", got, want, s.Done, s.Result)
	}
	if failed := s.Result == phases.Failed; failed != is(controller.ConditionFailed, metav1.ConditionTrue) {
		add("condition Failed is %s, but the result is %q", of[controller.ConditionFailed].Status, s.Result)
	}
	return broken
}

// changing are the fields that differ from one life to another.
var changing = map[string]bool{
	"resourceVersion": true, "uid": true, "generation": true, "observedGeneration": true,
	"creationTimestamp": true, "managedFields": true, "attempts": true, "selfLink": true,
}

// anyTime matches a time in JSON, also inside a text.
var anyTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)`)

// normalized returns a value as JSON without what differs from one life to another:
// times, versions, counts of retries, namespaces, and the label of other clients.
func normalized(v any) (any, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var plain any
	if err := json.Unmarshal(text, &plain); err != nil {
		return nil, err
	}
	return timeless(plain), nil
}

func timeless(v any) any {
	switch v := v.(type) {
	case string:
		return anyTime.ReplaceAllString(v, "TIME")
	case []any:
		for i := range v {
			v[i] = timeless(v[i])
		}
	case map[string]any:
		for name, value := range v {
			if changing[name] || name == Touched {
				delete(v, name)
				continue
			}
			v[name] = timeless(value)
			if metadata, ok := value.(map[string]any); ok && name == "metadata" {
				delete(metadata, "namespace")
			}
		}
		if labels, ok := v["labels"].(map[string]any); ok && len(labels) == 0 {
			delete(v, "labels")
		}
	}
	return v
}

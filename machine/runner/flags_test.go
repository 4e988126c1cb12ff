package runner_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
)

// scans returns a world whose source of Volumes returns answer(w). Refresh decides Volumes,
// and Copy depends on it.
func scans(t *testing.T, answer func(w *world) (phases.Truth, error)) *world {
	w := newWorld(t)
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		return phases.NewSources(vocabulary,
			phases.Source{Flag: volumes, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				w.asked = append(w.asked, "Volumes")
				return answer(w)
			}},
			phases.Source{Flag: images, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) { return phases.False, nil }})
	}
	return w
}

// A flag that a phase ahead decides does not hold the start of a run, whether its
// source returns "not yet" or fails until then.
func TestFlagThatPhaseAheadDecidesDoesNotHoldStart(t *testing.T) {
	scanned := func(w *world) bool { return strings.Contains(strings.Join(w.called, " "), "Refresh") }
	for about, before := range map[string]func() (phases.Truth, error){
		"not yet":  func() (phases.Truth, error) { return phases.Unknown, nil },
		"an error": func() (phases.Truth, error) { return phases.Unknown, errors.New("no report yet") },
		"a panic":  func() (phases.Truth, error) { panic("no report yet") },
	} {
		t.Run(about, func(t *testing.T) {
			w := scans(t, func(w *world) (phases.Truth, error) {
				if !scanned(w) {
					return before()
				}
				return phases.True, nil
			})
			w.end()
			assert.Equal(t, []string{"Refresh", "Copy", "Attach"}, w.called)
		})
	}
}

// Once the deciding phase is done, the next transition waits.
func TestTransitionWaitsForUnknownFlag(t *testing.T) {
	known := phases.Unknown
	w := scans(t, func(*world) (phases.Truth, error) { return known, nil })
	_, err := w.reconcile()
	require.NoError(t, err)
	for range 3 {
		_, err := w.reconcile()
		var unknown *machine.UnknownFlagsError
		require.ErrorAs(t, err, &unknown)
		assert.Equal(t, []string{"Volumes"}, unknown.Flags)
		assert.Equal(t, `itinerary "Move" at Refresh: the next phase depends on Volumes, which is not known yet`, err.Error())
		assert.True(t, w.m.State.WorkDone)
	}
	known = phases.False
	w.end()
	assert.Equal(t, []string{"Refresh", "Attach"}, w.called)
}

// A flag without a source is like one that is not known yet, as long as a phase ahead
// decides it. Otherwise the run is stopped.
func TestFlagWithoutSource(t *testing.T) {
	w := newWorld(t)
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		return phases.NewSources(vocabulary, phases.Source{Flag: images,
			Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) { return phases.False, nil }})
	}
	_, err := w.reconcile()
	require.NoError(t, err)
	assert.Equal(t, "Refresh", w.m.State.Phase)
	_, err = w.reconcile()
	var without *machine.NoSourceError
	require.ErrorAs(t, err, &without)
	assert.Equal(t, []string{"Volumes"}, without.Flags)
	assert.Equal(t, machine.Position{Phase: "Refresh"}, without.At)
	assert.True(t, runner.IsTerminal(err))
	assert.Equal(t, err.Error(), w.m.State.Stopped.Error)

	w.options.SourceFlags = images
	_, err = runner.New(w.options)
	assert.EqualError(t, err, `runner options: SourceFlags: itinerary "CleanUp" reads Volumes, which no source evaluates; add a `+
		`source, or remove the flag; SourceFlags: itinerary "Move" reads Volumes, which no source evaluates; add a source, or `+
		`remove the flag`)
	w.options.SourceFlags = images | volumes
	_, err = runner.New(w.options)
	assert.NoError(t, err)
}

// A flag that could not be known is evaluated again before each transition that depends
// on it, after each phase that decides it, and otherwise at most once a minute.
func TestUnknownFlagIsEvaluatedSparingly(t *testing.T) {
	const more phases.Flags = 1
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: more, Name: "More"}})
	w := newWorld(t)
	w.options.Itineraries = machine.MustCompileSet(phases.Itinerary{Name: "Move", Vocabulary: v, Phases: []phases.Phase{
		{Name: "One", Step: "S"}, {Name: "Two", Step: "S"}, {Name: "Three", Step: "S"}, {Name: "Decide", Step: "S", Decides: more},
		{Name: "Maybe", Step: "S", Guard: phases.Guard{All: more}}, {Name: "Last", Step: "S"},
	}})
	w.options.Phases = map[string]runner.Phase[*migration]{}
	w.options.PassThrough = true
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		return phases.NewSources(v, phases.Source{Flag: more, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
			w.asked = append(w.asked, w.m.State.Phase)
			return phases.Unknown, errors.New("no")
		}})
	}
	for w.m.State.Phase != "Decide" {
		_, err := w.reconcile()
		require.NoError(t, err)
	}
	assert.Equal(t, []string{""}, w.asked, "a second apart, it is not evaluated again")
	for range 3 {
		_, err := w.reconcile()
		require.Error(t, err)
	}
	assert.Equal(t, []string{"", "Decide", "Decide", "Decide"}, w.asked)

	w.m, w.asked = &migration{}, nil
	for w.m.State.Phase != "Decide" {
		_, err := w.reconcile()
		require.NoError(t, err)
		w.now = w.now.Add(29 * time.Second)
	}
	assert.Equal(t, []string{"", "Two"}, w.asked, "a minute apart, it is")
}

// Sources that cannot be used count as flags that cannot be evaluated: a cleanup
// itinerary reaches its end, any other waits.
func TestSourcesThatCannotBeUsed(t *testing.T) {
	other := phases.MustVocabulary([]phases.FlagDef{{Flag: volumes, Name: "Images"}, {Flag: images, Name: "Volumes"}})
	for _, tt := range []struct {
		about   string
		sources func(context.Context, *migration) (*phases.Sources, error)
		want    string
	}{
		{"an error", func(context.Context, *migration) (*phases.Sources, error) { return nil, errors.New("no client") }, "no client"},
		{"a panic", func(context.Context, *migration) (*phases.Sources, error) { panic("nil map") }, "panic: nil map"},
		{"nil", func(context.Context, *migration) (*phases.Sources, error) { return nil, nil }, "Sources returned nil"},
		{"another vocabulary", func(context.Context, *migration) (*phases.Sources, error) {
			yes := func(context.Context, phases.Facts) (phases.Truth, error) { return phases.True, nil }
			return phases.NewSources(other, phases.Source{Flag: volumes, Evaluate: yes}, phases.Source{Flag: images, Evaluate: yes})
		}, "Sources returned sources over another vocabulary"},
	} {
		t.Run(tt.about, func(t *testing.T) {
			w := newWorld(t)
			w.options.Sources = tt.sources
			w.m.Canceled = true
			w.end()
			assert.Equal(t, []string{"Detach", "Report", "Last"}, w.called)

			w = newWorld(t)
			w.options.Sources = tt.sources
			for range 3 {
				out, err := w.reconcile()
				require.ErrorContains(t, err, "sources of flags: ")
				require.ErrorContains(t, err, tt.want)
				assert.True(t, out.Requeue)
				assert.Contains(t, w.m.State.Retry.Error, tt.want)
			}
			assert.Empty(t, w.called)
		})
	}
}

// The time for evaluating flags is that of the whole reconcile.
func TestEvaluationTimeoutBoundsReconcile(t *testing.T) {
	const more phases.Flags = 1
	v := phases.MustVocabulary([]phases.FlagDef{{Flag: more, Name: "More"}})
	it := phases.Itinerary{Name: "Move", Vocabulary: v, Cleanup: true}
	for i := range 8 {
		it.Phases = append(it.Phases,
			phases.Phase{Name: fmt.Sprint("Decide", i), Step: "S", Decides: more},
			phases.Phase{Name: fmt.Sprint("Depend", i), Step: "S", Guard: phases.Guard{All: more}})
	}
	w := newWorld(t)
	w.options.Itineraries = machine.MustCompileSet(it)
	w.options.Phases, w.options.PassThrough = nil, true
	w.options.MaxPhases = 50
	w.options.EvaluationTimeout = 10 * time.Second
	var timeouts []time.Duration
	w.options.WithTimeout = func(parent context.Context, d time.Duration) (context.Context, context.CancelFunc) {
		timeouts = append(timeouts, d)
		return context.WithCancel(parent)
	}
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		w.now = w.now.Add(4 * time.Second)
		return nil, errors.New("slow")
	}
	out, err := w.reconcile()
	require.NoError(t, err)
	assert.True(t, out.Done)
	assert.Equal(t, []time.Duration{10 * time.Second, 6 * time.Second, 2 * time.Second}, timeouts)
}

// A source that ignores its context does not hold the run. It is left behind once for
// each run, and not called again until it has returned. A source that ends its
// goroutine is an error.
func TestSourceIgnoresContext(t *testing.T) {
	w := newWorld(t)
	w.options.EvaluationTimeout = time.Millisecond
	w.options.Key = func(m *migration) string { return strings.Join(m.Errors, " ") }
	w.options.OnFail = nil
	w.options.Select = func(context.Context, *migration) (string, error) { return "CleanUp", nil }
	var mu sync.Mutex
	calls := 0
	release := make(chan struct{})
	defer close(release)
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		return phases.NewSources(vocabulary, phases.Source{Flag: volumes,
			Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				mu.Lock()
				calls++
				mu.Unlock()
				<-release
				return phases.True, nil
			}})
	}
	left := listen[runner.FlagEvaluated](w)
	r := w.runner()
	for _, run := range []string{"one", "two"} {
		m := &migration{Errors: []string{run}}
		for !m.State.Done {
			_, err := r.Reconcile(context.Background(), m)
			require.NoError(t, err)
			w.now = w.now.Add(2 * time.Minute)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, 2, calls, "once for each run")
	n := 0
	for _, e := range *left {
		if e.LeftBehind {
			n++
			assert.ErrorAs(t, e.Err, new(*phases.LeftBehindError))
		}
	}
	assert.Equal(t, 2, n)

	w = newWorld(t)
	w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
		return phases.NewSources(vocabulary, phases.Source{Flag: volumes,
			Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
				runtime.Goexit()
				return phases.True, nil
			}})
	}
	w.m.Canceled = true
	w.end()
	assert.Equal(t, []string{"Detach", "Report", "Last"}, w.called)
}

// The flags that a phase decides are unknown once the phase is left in the middle, for
// whatever reason. The next itinerary evaluates them. So it does with flags that were
// decided while its itinerary did not read them.
func TestPhaseLeftInTheMiddle(t *testing.T) {
	for _, left := range []string{"canceled", "failed", "deadline", "attempts", "done"} {
		t.Run(left, func(t *testing.T) {
			w := newWorld(t)
			w.values[volumes] = false
			its := itineraries()
			if left == "done" { // only the cleanup reads the flag
				its[0].Phases[1].Guard = phases.Guard{All: images}
			}
			w.options.Itineraries = machine.MustCompileSet(its...)
			w.options.Phases["Refresh"] = runner.Phase[*migration]{MaxAttempts: 1, Deadline: time.Minute,
				Handler: w.options.Phases["Refresh"].Handler}
			w.handlers["Refresh"] = func(context.Context, *migration) (runner.Result, error) {
				w.values[volumes] = true // it has begun to change
				switch left {
				case "failed":
					return runner.Fail("no"), nil
				case "attempts":
					return errs()
				case "done":
					return done()
				}
				return waits()
			}
			for range 2 {
				_, err := w.reconcile()
				require.NoError(t, err)
			}
			w.m.Canceled = left == "canceled" || left == "done"
			w.now = w.now.Add(time.Hour)
			w.end()
			assert.Contains(t, w.called, "Detach", "it depends on what Refresh decides")
		})
	}
}

// If a user changes the object while a phase waits, a flag that is not live keeps its
// value. A live flag is evaluated once the phase is done, and not before.
func TestLiveFlagIsEvaluatedWhenPhaseIsDone(t *testing.T) {
	for _, live := range []bool{false, true} {
		w := newWorld(t)
		v := phases.MustVocabulary([]phases.FlagDef{{Flag: volumes, Name: "Volumes"}, {Flag: images, Name: "Images", Live: live}})
		all := itineraries()
		for i := range all {
			all[i].Vocabulary = v
		}
		w.options.Itineraries = machine.MustCompileSet(all...)
		w.options.Sources = func(context.Context, *migration) (*phases.Sources, error) {
			source := func(flag phases.Flags, name string) phases.Source {
				return phases.Source{Flag: flag, Evaluate: func(context.Context, phases.Facts) (phases.Truth, error) {
					w.asked = append(w.asked, name)
					return phases.TruthOf(w.values[flag]), nil
				}}
			}
			s, err := phases.NewSources(v, source(volumes, "Volumes"), source(images, "Images"))
			return s.Sequential(), err
		}
		waiting := true
		w.handlers["Copy"] = func(context.Context, *migration) (runner.Result, error) {
			if waiting {
				return runner.Wait(time.Minute, "copying"), nil
			}
			return runner.Done(), nil
		}
		for w.m.State.WaitingSince == nil {
			_, err := w.reconcile()
			require.NoError(t, err)
		}
		w.asked = nil
		w.values[images] = true
		for range 3 {
			_, err := w.reconcile()
			require.NoError(t, err)
		}
		assert.Empty(t, w.asked, "not while it waits")
		waiting = false
		w.end()
		assert.Equal(t, live, slices.Contains(w.called, "Images"), "live: %v", live)
		assert.Equal(t, live, slices.Contains(w.asked, "Images"))
	}
}

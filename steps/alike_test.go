package steps_test

import (
	"encoding/json"
	"errors"
	"math/rand"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// Timed is embedded, as times are in mig-controller's step.
type Timed struct {
	Started   *metav1.Time `json:"started,omitempty"`
	Completed *metav1.Time `json:"completed,omitempty"`
}

// embedded is a step as in mig-controller, with fields that Step lacks.
type embedded struct {
	Timed    `json:",inline"`
	Name     string         `json:"name"`
	Phase    string         `json:"phase,omitempty"`
	Message  string         `json:"message,omitempty"`
	Progress []string       `json:"progress,omitempty"`
	Failed   bool           `json:"failed,omitempty"`
	Skipped  bool           `json:"skipped,omitempty"`
	Owner    string         `json:"owner,omitempty"`
	Labels   map[string]int `json:"labels,omitempty"`
	private  string
}

// byPointer embeds Timed by pointer.
type byPointer struct {
	*Timed
	Name     string   `json:"name"`
	Phase    string   `json:"phase"`
	Message  string   `json:"message"`
	Progress []string `json:"progress"`
	Failed   bool     `json:"failed"`
	Skipped  bool     `json:"skipped"`
	Owner    string   `json:"owner"`
	private  string
}

// other has a phase with another meaning, and neither progress nor message.
type other struct {
	Title      string
	Began, End time.Time
	Broken     bool
	Phase      int
	secret     string
}

var others = steps.Accessor[*other]{
	Get: func(o *other) steps.Step {
		s := steps.Step{Name: o.Title, Failed: o.Broken}
		if !o.Began.IsZero() {
			s.Started = &metav1.Time{Time: o.Began}
		}
		if !o.End.IsZero() {
			s.Completed = &metav1.Time{Time: o.End}
		}
		return s
	},
	Set: func(o *other, to steps.Step) *other {
		c := other{}
		if o != nil {
			c = *o
		}
		c.Title, c.Broken, c.Began, c.End = to.Name, to.Failed, time.Time{}, time.Time{}
		if to.Started != nil {
			c.Began = to.Started.Time
		}
		if to.Completed != nil {
			c.End = to.Completed.Time
		}
		return &c
	},
}

var timesByInstant = cmp.Comparer(func(a, b metav1.Time) bool { return a.Equal(&b) })

// anyLike returns random steps of two embedder's types that hold the same pipeline, with additional
// content.
func anyLike(t *testing.T, r *rand.Rand) (list []embedded, pointers []*byPointer) {
	p := anyPipeline(r)
	list, err := steps.ToAlike[embedded](p, nil)
	require.NoError(t, err)
	pointers, err = steps.ToAlike[*byPointer](p, nil)
	require.NoError(t, err)
	for i := range list {
		list[i].Owner, list[i].private, list[i].Labels = pick(r, "", "a", "b"), pick(r, "", "x"), map[string]int{"n": i}
		pointers[i].Owner, pointers[i].private = list[i].Owner, list[i].private
	}
	return list, pointers
}

// Any pipeline converts to a type with the same JSON and back. Fields that Step does not have
// survive a sync, and the arguments do not change.
func TestToAlikeKeepsOtherFields(t *testing.T) {
	private := cmp.AllowUnexported(embedded{}, byPointer{})
	kept := 0
	for seed := range int64(testscale.Of(500, 100)) {
		r := rand.New(rand.NewSource(seed))
		list, pointers := anyLike(t, r)
		wasList, wasPointers := deepCopy(list), deepCopy(pointers)
		p, err := steps.FromAlike(list)
		require.NoError(t, err)
		q, err := steps.FromAlike(pointers)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(p, q, timesByInstant, cmpopts.EquateEmpty()))

		m, now := anyMoment(t, r, anySet(r, true)), time.Unix(100, 0)
		want := steps.Sync(p, m, now)
		gotList, err := steps.ToAlike(want, list)
		require.NoError(t, err)
		gotPointers, err := steps.ToAlike(want, pointers)
		require.NoError(t, err)
		back, err := steps.FromAlike(gotList)
		require.NoError(t, err)
		require.Equal(t, bytes(t, want), bytes(t, back), "seed %d", seed)
		back, err = steps.FromAlike(gotPointers)
		require.NoError(t, err)
		require.Equal(t, bytes(t, want), bytes(t, back), "seed %d", seed)

		first := map[string]embedded{}
		for _, s := range list {
			if was, ok := first[s.Name]; !ok || !ran(was) && ran(s) {
				first[s.Name] = s
			}
		}
		for i, s := range gotList {
			was := first[s.Name]
			require.Equal(t, []any{was.Owner, was.private, was.Labels}, []any{s.Owner, s.private, s.Labels}, "seed %d: %s", seed, s.Name)
			require.Equal(t, []any{was.Owner, was.private}, []any{gotPointers[i].Owner, gotPointers[i].private})
			if was.private != "" {
				kept++
			}
		}
		require.Empty(t, cmp.Diff(wasList, list, private), "seed %d: the argument has changed", seed)
		require.Empty(t, cmp.Diff(wasPointers, pointers, private), "seed %d: the argument has changed", seed)
	}
	assert.Positive(t, kept)
}

func ran(s embedded) bool {
	step := steps.Step{Started: s.Started, Completed: s.Completed, Failed: s.Failed}
	return step.Ran()
}

// deepCopy copies a list of test steps through their fields.
func deepCopy[S any](list []S) []S {
	out := append([]S(nil), list...)
	for i := range out {
		if p, ok := any(out[i]).(*byPointer); ok {
			c := *p
			timed := *p.Timed
			c.Timed, c.Progress = &timed, append([]string(nil), p.Progress...)
			if p.Progress == nil {
				c.Progress = nil
			}
			out[i] = any(&c).(S)
		}
	}
	return out
}

// With an accessor, a type need not resemble a step.
func TestSyncOfThroughAnAccessor(t *testing.T) {
	set := anySet(rand.New(rand.NewSource(3)), false)
	m, err := set.Resume(machine.Checkpoint{}, "Move")
	require.NoError(t, err)
	g := m.Graph()
	first := g.Phase(0)
	at, err := g.PlanFrom(machine.Position{Phase: first.Name}, anyFacts(rand.New(rand.NewSource(1))))
	require.NoError(t, err)
	old := []*other{
		{Title: "Retired", Began: time.Unix(1, 0), Phase: 7, secret: "r"}, {Title: "Waits", Phase: 8}, {Title: first.Step, Phase: 9, secret: "s"},
	}
	before := []other{*old[0], *old[1], *old[2]}

	now := time.Unix(50, 0)
	got := steps.SyncOf(old, others, steps.Snapshot{Plan: at}, now)
	assert.Empty(t, cmp.Diff(before, []other{*old[0], *old[1], *old[2]}, cmp.AllowUnexported(other{})), "the argument has changed")
	by := map[string]*other{}
	for _, o := range got {
		by[o.Title] = o
	}
	assert.Equal(t, other{Title: "Retired", Began: time.Unix(1, 0), End: now.UTC(), Phase: 7, secret: "r"}, *by["Retired"], "completed")
	assert.Equal(t, other{Title: first.Step, Began: now.UTC(), Phase: 9, secret: "s"}, *by[first.Step], "started")
	assert.NotContains(t, by, "Waits", "the itinerary has no such step")
	again := steps.SyncOf(got, others, steps.Snapshot{Plan: at}, now)
	assert.Empty(t, cmp.Diff(got, again, cmp.AllowUnexported(other{})), "idempotent")

	// To gives the same for a pipeline that was synced separately.
	p := steps.Sync(others.From(old), steps.Snapshot{Plan: at}, now)
	assert.Empty(t, cmp.Diff(got, others.To(p, old), cmp.AllowUnexported(other{})))
	assert.Nil(t, others.From(nil))
	assert.Nil(t, others.To(nil, old))
}

// unreadable is a step type that cannot be read back.
type unreadable struct{}

func (u *unreadable) UnmarshalJSON([]byte) error  { return nil }
func (u unreadable) MarshalJSON() ([]byte, error) { return nil, errors.New("no room") }

// refusing is a step type that keeps what it reads, but refuses some of it.
type refusing steps.Step

func (r *refusing) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, (*steps.Step)(r)); err != nil {
		return err
	}
	if r.Name == "B" {
		return errors.New("B is not a valid step")
	}
	return nil
}

func (r refusing) MarshalJSON() ([]byte, error) { return json.Marshal(steps.Step(r)) }

func TestToAlikeReturnsTheErrorOfTheType(t *testing.T) {
	_, err := steps.ToAlike[refusing](steps.Pipeline{{Name: "A"}, {Name: "B"}}, nil)
	var refused *steps.AlikeError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "B", refused.Step)
	assert.ErrorContains(t, err, "B is not a valid step")
}

func TestToAlikeRefusesUnreadableSteps(t *testing.T) {
	_, err := steps.ToAlike[unreadable](steps.Pipeline{{Name: "A"}}, nil)
	assert.ErrorContains(t, err, "no room")
	_, err = steps.ToAlike(steps.Pipeline{}, []unreadable{{}})
	assert.ErrorContains(t, err, "no room", "the error of a previous entry")
}

// A type whose JSON differs from a step is refused, and the error names the step.
func TestAlikeErrorNamesTheStep(t *testing.T) {
	type wrongPhase struct {
		Name  string         `json:"name"`
		Phase map[string]int `json:"phase"`
	}
	_, err := steps.FromAlike([]wrongPhase{{Name: "A", Phase: map[string]int{"x": 1}}})
	var refused *steps.AlikeError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, 0, refused.Index)
	require.ErrorAs(t, err, new(*json.UnmarshalTypeError))

	type tooFew struct {
		Name string `json:"name"`
	}
	_, err = steps.ToAlike[tooFew](steps.Pipeline{{Name: "A"}, {Name: "B", Message: "Not started"}}, nil)
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, []any{1, "B"}, []any{refused.Index, refused.Step})
	assert.EqualError(t, err, `step number 2 "B" does not convert to a pipeline step through JSON: `+
		`it reads back as {"name":"B"} after writing {"name":"B","message":"Not started"}; use SyncOf with an accessor for its type`)

	type wrongTime struct {
		Name    string `json:"name"`
		Started int    `json:"started"`
	}
	now := metav1.Now()
	_, err = steps.ToAlike[wrongTime](steps.Pipeline{{Name: "A", Started: &now}}, nil)
	var wrong *json.UnmarshalTypeError
	require.ErrorAs(t, err, &wrong, "the error is that of writing, not of reading back")
	assert.Equal(t, "started", wrong.Field)

	none, err := steps.FromAlike[tooFew](nil)
	require.NoError(t, err)
	assert.Nil(t, none)
	list, err := steps.ToAlike[tooFew](nil, nil)
	require.NoError(t, err)
	assert.True(t, reflect.ValueOf(list).IsNil())
}

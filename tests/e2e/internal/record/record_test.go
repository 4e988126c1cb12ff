package record

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// Entered moves when any migration appears or enters a phase, and not for
// other changes.
func TestEntered(t *testing.T) {
	r := &Recorder{
		rules:   Rules{Itineraries: machine.MustCompileSet(mtc.Itineraries()...), Forbidden: func(string) []string { return nil }},
		changed: make(chan struct{}), versions: map[string][]Version{},
	}
	for _, v := range []struct {
		name, phase string
		entered     int64 // in seconds
		message     string
		moves       bool
	}{
		{name: "a", moves: true},
		{name: "a", phase: "Started", entered: 1, moves: true},
		{name: "a", phase: "Started", entered: 1, message: "it waits"},
		{name: "b", moves: true},
		{name: "b", message: "it is retried"},
		{name: "a", phase: "StartRefresh", entered: 1, moves: true},
		{name: "a", phase: "StartRefresh", entered: 2, moves: true}, // by a jump to itself
	} {
		m := api.Migration{ObjectMeta: metav1.ObjectMeta{Name: v.name}}
		m.SetGroupVersionKind(api.Variant.WithKind("Migration"))
		m.Status.Itinerary, m.Status.Phase = mtc.Stage, v.phase
		if v.entered > 0 {
			m.Status.Entered = &metav1.Time{Time: time.Unix(v.entered, 0)}
		}
		m.Status.Errors = []string{v.message}
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&m)
		require.NoError(t, err)
		before := r.Entered()

		r.add(&unstructured.Unstructured{Object: content})

		assert.Equal(t, v.moves, r.Entered().After(before), "%+v", v)
	}
	assert.Len(t, r.Versions("a"), 5)
}

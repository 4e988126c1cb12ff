package machinetest

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

type deep struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	At                metav1.Time
	Took              time.Duration
	Port              *intstr.IntOrString
	Self              []*deep
	ByName            map[string]deep
}

// What JSON does not keep is refused, by its place.
func TestWhatJSONKeeps(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    any
		want string
	}{
		{"a custom resource", &deep{}, ""},
		{"a type without anything", struct{}{}, ""},
		{"a time", time.Time{}, ""},
		{"a field that is not exported", struct{ pods int }{}, "pods is not exported, and would be lost from one reconcile to the next; export it, or let the type implement json.Marshaler and json.Unmarshaler"},
		{"a field deep inside", struct {
			Pods map[string][]struct{ name string }
		}{}, "Pods.name is not exported"},
		{"a field without a name in JSON", struct {
			Pods int `json:"-"`
		}{}, "Pods is kept out of JSON by its tag"},
		{"a type that only writes itself", struct{ At halfway }{}, "At writes itself as JSON and does not read itself back; let it implement json.Unmarshaler too"},
		{"a function", struct{ Create func() }{}, "Create is a func, which cannot be kept as JSON"},
		{"a channel", struct{ Done chan int }{}, "Done is a chan, which cannot be kept as JSON"},
		{"an interface", struct{ Any any }{}, "Any is an interface, which cannot be read back from JSON"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := checkPlain(reflect.TypeOf(tt.v))
			if tt.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.want)
		})
	}
}

type halfway struct{ Name string }

func (halfway) MarshalJSON() ([]byte, error) { return []byte("1"), nil }

// shallow has a DeepCopy that is none.
type shallow struct{ Pods map[string]bool }

func (s *shallow) DeepCopy() *shallow { out := *s; return &out }

func TestADeepCopyIsNotTrusted(t *testing.T) {
	a := &shallow{Pods: map[string]bool{"a": true}}
	b, err := copyOf(a)
	require.NoError(t, err)
	delete(b.Pods, "a")
	assert.True(t, a.Pods["a"])
}

func TestCopiesShareNothing(t *testing.T) {
	a := &deep{Self: []*deep{{Took: time.Second}}}
	b, err := copyOf(a)
	require.NoError(t, err)
	assert.Equal(t, a, b)
	b.Self[0].Took = 0
	assert.Equal(t, time.Second, a.Self[0].Took)
}

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

// Types that JSON does not keep are refused, with the place of the problem.
func TestCheckPlain(t *testing.T) {
	for _, tt := range []struct {
		name string
		v    any
		want string
	}{
		{"a custom resource", &deep{}, ""},
		{"an empty type", struct{}{}, ""},
		{"a time", time.Time{}, ""},
		{"a field that is not exported", struct{ pods int }{},
			"pods is not exported and would be lost between reconciles; " +
				"export it, or implement json.Marshaler and json.Unmarshaler on the type"},
		{"a field deep inside", struct {
			Pods map[string][]struct{ name string }
		}{}, "Pods.name is not exported"},
		{"a field without a name in JSON", struct {
			Pods int `json:"-"`
		}{}, "Pods is excluded from JSON by its tag"},
		{"a type that only writes itself", struct{ At halfway }{},
			"At writes itself as JSON but cannot be read back; implement json.Unmarshaler too"},
		{"a function", struct{ Create func() }{}, "Create is a func, which JSON cannot represent"},
		{"a channel", struct{ Done chan int }{}, "Done is a chan, which JSON cannot represent"},
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

// shallow has a DeepCopy that shares its map.
type shallow struct{ Pods map[string]bool }

func (s *shallow) DeepCopy() *shallow { out := *s; return &out }

func TestCopyOfIgnoresDeepCopy(t *testing.T) {
	a := &shallow{Pods: map[string]bool{"a": true}}
	b, err := copyOf(a)
	require.NoError(t, err)
	delete(b.Pods, "a")
	assert.True(t, a.Pods["a"])
}

func TestCopyOfSharesNothing(t *testing.T) {
	a := &deep{Self: []*deep{{Took: time.Second}}}
	b, err := copyOf(a)
	require.NoError(t, err)
	assert.Equal(t, a, b)
	b.Self[0].Took = 0
	assert.Equal(t, time.Second, a.Self[0].Took)
}

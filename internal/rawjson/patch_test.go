package rawjson_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
)

func TestAppendMergePatch(t *testing.T) {
	for _, tt := range []struct{ name, before, after, want string }{
		{"a value that changes", `{"a":1,"b":2}`, `{"a":1,"b":"x"}`, `{"b":"x"}`},
		{"a member that is new", `{}`, `{"a":{"b":[]}}`, `{"a":{"b":[]}}`},
		{"a member that is gone", `{"a":1,"b":{"c":1}}`, `{"a":1}`, `{"b":null}`},
		{"inside an object", `{"o":{"a":1,"b":2,"c":3}}`, `{"o":{"a":1,"b":3}}`, `{"o":{"b":3,"c":null}}`},
		{"an object that becomes empty", `{"o":{"a":1}}`, `{"o":{}}`, `{"o":{"a":null}}`},
		{"a list is written as a whole", `{"l":[{"a":1},2]}`, `{"l":[{"a":2},2]}`, `{"l":[{"a":2},2]}`},
		{"an object replaces a value", `{"a":1}`, `{"a":{"b":1}}`, `{"a":{"b":1}}`},
		{"a value replaces an object", `{"a":{"b":1}}`, `{"a":1}`, `{"a":1}`},
		{"a number beyond a float", `{"n":9007199254740993}`, `{"n":9007199254740995}`, `{"n":9007199254740995}`},
		{"another order, and a change", `{"o":{"a":1,"b":2},"z":1}`, `{"o":{"b":2,"a":1},"z":2}`, `{"z":2}`},
		{"only another order", `{"o":{"a":1,"b":2}}`, `{"o":{"b":2,"a":1}}`, ``},
		{"no change", `{"a":{"b":[1]}}`, `{"a":{"b":[1]}}`, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := rawjson.AppendMergePatch([]byte("x"), rawjson.ParseObject([]byte(tt.before)), rawjson.ParseObject([]byte(tt.after)))
			require.Equal(t, "x"+tt.want, string(got))
		})
	}
}

// Applied to one of two random objects, small or large, the patch gives the other, and it contains
// only changes.
func TestAppendMergePatchOfRandomObjects(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var object func(depth int) map[string]any
	object = func(depth int) map[string]any {
		o := map[string]any{}
		for range r.IntN(40) {
			key := fmt.Sprint("k", r.IntN(40))
			if o[key] = float64(r.IntN(2)); depth > 0 && r.IntN(4) == 0 {
				o[key] = object(depth - 1)
			}
		}
		return o
	}
	text := func(o map[string]any) []byte {
		b, err := json.Marshal(o)
		require.NoError(t, err)
		return b
	}
	for range 200 {
		before, after := object(2), object(2)
		patch := rawjson.AppendMergePatch(nil, rawjson.ParseObject(text(before)), rawjson.ParseObject(text(after)))
		var p map[string]any
		require.NoError(t, json.Unmarshal(patch, &p))
		apply(t, before, p)
		require.Empty(t, cmp.Diff(after, before))
	}
}

// apply applies a merge patch. Each of its members must change something.
func apply(t *testing.T, to, patch map[string]any) {
	for key, value := range patch {
		was, had := to[key]
		inner, isObject := value.(map[string]any)
		of, wasObject := was.(map[string]any)
		switch {
		case value == nil:
			require.True(t, had)
			delete(to, key)
		case isObject && wasObject:
			require.NotEmpty(t, inner)
			apply(t, of, inner)
		default:
			require.NotEqual(t, was, value)
			to[key] = value
		}
	}
}

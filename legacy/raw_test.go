package legacy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

// TestUnquoteReadsAsEncodingJSON holds unquote against encoding/json, on strings
// put together from all that is special in one.
func TestUnquoteReadsAsEncodingJSON(t *testing.T) {
	parts := []string{
		"a", "é", "\u2028", "😀", "\xff", "\xe2\x80", " ", "<", `\"`, `\\`, `\/`, `\b`, `\f`, `\n`, `\r`, `\t`,
		`\u0041`, `\u00e9`, `\uD83D`, `\ude00`, `\ud83d\ude00`, `\uFFFD`, `\u0000`, `u0041`,
	}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 20_000 {
		var b strings.Builder
		b.WriteByte('"')
		for range i % 6 {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		b.WriteByte('"')
		var want string
		require.NoError(t, json.Unmarshal([]byte(b.String()), &want))
		require.Equal(t, want, unquote([]byte(b.String())), "%q", b.String())
	}
}

func TestMembersAndElements(t *testing.T) {
	const object = `{"a":{"b":[1,{"c":"}],"}]},"\"":"\\","":[],"n":-1.5e3,"t":true,"z":null}`
	var got []string
	for key, value := range members([]byte(object)) {
		got = append(got, string(key)+" "+string(value))
	}
	require.Empty(t, cmp.Diff([]string{`"a" {"b":[1,{"c":"}],"}]}`, `"\"" "\\"`, `"" []`, `"n" -1.5e3`, `"t" true`, `"z" null`}, got))
	got = nil
	for element := range elements([]byte(`[1,[2,3],{"a":[4]},"5,6",[],{}]`)) {
		got = append(got, string(element))
	}
	require.Empty(t, cmp.Diff([]string{`1`, `[2,3]`, `{"a":[4]}`, `"5,6"`, `[]`, `{}`}, got))
	for range members([]byte(`{}`)) {
		t.Fatal("an empty object has no member")
	}
	for range elements([]byte(`[]`)) {
		t.Fatal("an empty array has no element")
	}
}

func TestSplice(t *testing.T) {
	phase := change{"phase", []byte(`"B"`), []string{"itinerary", "pipeline"}}
	for _, tt := range []struct {
		name, object, want string
		changes            []change
	}{
		{"in its place, in its spelling", `{"a":1,"ph\u0061se":"A","z":2}`, `{"a":1,"ph\u0061se":"B","z":2}`, []change{phase}},
		{"in front of the first", `{"a":1,"pipeline":[],"itinerary":"X"}`, `{"a":1,"phase":"B","pipeline":[],"itinerary":"X"}`, []change{phase}},
		{"at the end", `{"a":1}`, `{"a":1,"phase":"B"}`, []change{phase}},
		{"alone", `{}`, `{"phase":"B"}`, []change{phase}},
		{"removed", `{"skipped":true,"a":1,"skipped":false}`, `{"a":1}`, []change{{name: "skipped"}}},
		{"removed, and nothing is left", `{"skipped":true}`, `{}`, []change{{name: "skipped"}}},
		{"several", `{"name":"A","skipped":true}`, `{"phase":"B","name":"C"}`, []change{{name: "skipped"}, {name: "name", value: []byte(`"C"`)}, {"phase", []byte(`"B"`), []string{"name"}}}},
		{"nothing", `{"a":1}`, `{"a":1}`, nil},
		{"a key that is not one of ours", `{"phas":1,"phase\u0000":2,"` + strings.Repeat(`\u0070`, 12) + `":3}`, `{"phas":1,"phase\u0000":2,"` + strings.Repeat(`\u0070`, 12) + `":3,"phase":"B"}`, []change{phase}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := splice([]byte(tt.object), tt.changes...)
			require.Equal(t, tt.want, string(got))
		})
	}
	for _, name := range names {
		var spelled strings.Builder
		for _, c := range name {
			fmt.Fprintf(&spelled, `\u%04X`, c)
		}
		require.Equal(t, name, known([]byte(`"`+name+`"`)))
		require.Equal(t, name, known([]byte(`"`+spelled.String()+`"`)))
		require.Empty(t, known([]byte(`"`+name+`s"`)))
	}
}

// TestSumsTellValuesApart: two values have one sum if an API server could have
// made one of the other, and else they have two.
func TestSumsTellValuesApart(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":[2]}`, `{"b":[2],"a":1}`, true},
		{`{"a":{"x":1,"y":2}}`, `{"a":{"y":2,"x":1}}`, true},
		{`"\u0041\u00e9\ud83d\ude00\/"`, `"Aé😀/"`, true},
		{`{"\u0061":1}`, `{"a":1}`, true},
		{`"\ud800"`, `"\ufffd"`, true},
		{`"<"`, `"\u003c"`, true},
		{`{"a":1,"a":2}`, `{"a":2,"a":1}`, false},
		{`{"a":1,"b":2}`, `{"a":2,"b":1}`, false},
		{`[1,2]`, `[2,1]`, false},
		{`[1,2]`, `[12]`, false},
		{`[[],[]]`, `[[[]]]`, false},
		{`[]`, `{}`, false},
		{`[{}]`, `{}`, false},
		{`{"a":[]}`, `{"a":{}}`, false},
		{`{"a":{"b":1}}`, `{"a":1,"b":1}`, false},
		{`["a","b"]`, `["a\",\"b"]`, false},
		{`["a"]`, `"a"`, false},
		{`{"ab":"c"}`, `{"a":"bc"}`, false},
		{`1`, `1.0`, false},
		{`1`, `"1"`, false},
		{`-0`, `0`, false},
		{`null`, `"null"`, false},
		{"\"\xff\"", "\"\xfe\"", false},
		{"\"\xff\"", `"\ufffd"`, false},
		{"\"\xff\\n\"", "\"\xff\n\"", false},
		{`""`, `" "`, false},
	} {
		require.Equal(t, tt.same, sumOf([]byte(tt.a)) == sumOf([]byte(tt.b)), "%s and %s", tt.a, tt.b)
	}
	many := func(at int) []byte { // members of one key, so many that an unstable sort would mix them
		b := []byte(`{"c":0`)
		for i := range 100 {
			if i == at {
				b = append(b, `,"a":0`...)
			}
			b = fmt.Appendf(b, `,"b":%d`, i)
		}
		return append(b, '}')
	}
	for at := range 100 {
		require.Equal(t, sumOf(many(0)), sumOf(many(at)))
	}
	require.NotEqual(t, sumOf([]byte(`1`), []byte(`2`)), sumOf([]byte(`12`), nil))
	require.NotEqual(t, sumOf([]byte(`1`), nil), sumOf(nil, []byte(`1`)))
	for _, tt := range [][2]string{{`{}`, `{"pipeline":[]}`}, {`{}`, `{"pipeline":null}`}, {`{}`, `{"phase":""}`}, {`{}`, `{"itinerary":""}`}, {`{"phase":"A"}`, `{"itinerary":"A"}`}} {
		require.NotEqual(t, Sum([]byte(tt[0])), Sum([]byte(tt[1])), tt)
	}
}

// TestSumsOfRandomValues changes the order and spelling of values, as an API
// server does, and then one thing in them.
func TestSumsOfRandomValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3_000 {
		v := random(r, 4)
		text, err := json.Marshal(v) // sorts keys
		require.NoError(t, err)
		spelled := shuffled(r, v)
		require.Equal(t, sumOf(text), sumOf(spelled), "%s and %s", text, spelled)
		if other, _ := json.Marshal(random(r, 4)); !bytes.Equal(other, text) {
			require.NotEqual(t, sumOf(text), sumOf(other), "%s and %s", text, other)
		}
	}
}

func random(r *rand.Rand, depth int) any {
	switch n := r.IntN(7); {
	case n < 2 && depth > 0:
		list := []any{}
		for range r.IntN(4) {
			list = append(list, random(r, depth-1))
		}
		return list
	case n < 5 && depth > 0:
		object := map[string]any{}
		for range r.IntN(5) {
			object[string(rune('a'+r.IntN(4)))+"é"] = random(r, depth-1)
		}
		return object
	case n == 5:
		return []any{nil, true, false}[r.IntN(3)]
	}
	return strings.Repeat("\n<x", r.IntN(3)) + string(rune('a'+r.IntN(3)))
}

// shuffled writes a value with its keys in another order and its strings in
// another spelling.
func shuffled(r *rand.Rand, v any) []byte {
	switch v := v.(type) {
	case map[string]any: // its order is random
		b := []byte{'{'}
		for key, value := range v {
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(append(append(b, escaped(key)...), ':'), shuffled(r, value)...)
		}
		return append(b, '}')
	case []any:
		b := []byte{'['}
		for i, value := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, shuffled(r, value)...)
		}
		return append(b, ']')
	case string:
		return escaped(v)
	}
	b, _ := json.Marshal(v)
	return b
}

func escaped(text string) []byte {
	b := []byte{'"'}
	for _, c := range text {
		b = fmt.Appendf(b, `\u%04x`, c)
	}
	return append(b, '"')
}

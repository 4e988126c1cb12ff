package rawjson_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/konveyor/dynamic-pipeline/internal/rawjson"
)

// Unquote is compared with encoding/json on strings composed of all special sequences.
func TestUnquoteAgreesWithEncodingJSON(t *testing.T) {
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
		require.Equal(t, want, rawjson.Unquote([]byte(b.String())), "%q", b.String())
	}
}

// Quote agrees with encoding/json without HTML escapes.
func TestQuote(t *testing.T) {
	for s, want := range map[string]string{
		"": `""`, "Prepare ~": `"Prepare ~"`, `a"b\c`: `"a\"b\\c"`, "<&>": `"<&>"`, "é": `"é"`,
		"\n\x01": `"\n\u0001"`, "\u2028": `"\u2028"`, "\xff": `"\ufffd"`, "\x7f": "\"\x7f\"",
	} {
		require.Equal(t, want, string(rawjson.Quote(s)))
		require.Equal(t, `[`+want, string(rawjson.AppendQuote([]byte("["), s)))
	}
}

func TestParseObjectAndElements(t *testing.T) {
	spaced := strings.NewReplacer(
		"{", "\n{ ", "}", "\t} ", "[", " [ ", "]", " ]\r", ",", " , ", ":", " :\n", "-1.5e3", " -1.5e3 ",
	).Replace
	for _, form := range []func(string) string{func(s string) string { return s }, spaced} {
		var got []string
		object := form(`{"a":{"b":[1,{"c":2}]},"\"":"\\","":[],"n":-1.5e3,"t":true,"z":null}`)
		for _, m := range rawjson.ParseObject([]byte(object)) {
			value, err := rawjson.Compact(m.Value)
			require.NoError(t, err)
			got = append(got, string(m.Key)+" "+string(value))
			require.Equal(t, strings.TrimSpace(string(m.Value)), string(m.Value))
		}
		require.Empty(t, cmp.Diff([]string{`"a" {"b":[1,{"c":2}]}`, `"\"" "\\"`, `"" []`, `"n" -1.5e3`, `"t" true`, `"z" null`}, got))
		got = nil
		for element := range rawjson.Elements([]byte(form(`[1,[2,3],{"a":[4]},"5",[],{}]`))) {
			value, err := rawjson.Compact(element)
			require.NoError(t, err)
			got = append(got, string(value))
		}
		require.Empty(t, cmp.Diff([]string{`1`, `[2,3]`, `{"a":[4]}`, `"5"`, `[]`, `{}`}, got))
		for range rawjson.Elements([]byte(form(`[]`))) {
			t.Fatal("an empty array has no element")
		}
		require.Equal(t, rawjson.Object{}, rawjson.ParseObject([]byte(form(`{}`))))
	}
	brackets := rawjson.ParseObject([]byte(`{"a":"}],","b":["]}\""]}`))
	require.Equal(t, `["]}\""]`, string(brackets.Get("b")))
	for _, text := range []string{``, ` `, `null`, `[{"a":1}]`, `"{"`, `7`} {
		require.Nil(t, rawjson.ParseObject([]byte(text)), text)
	}
}

// Unchanged members keep their text and position.
func TestSetAndRemove(t *testing.T) {
	phase := func(o *rawjson.Object) { o.Set("phase", []byte(`"B"`), "itinerary", "pipeline") }
	skipped := func(o *rawjson.Object) { o.Remove("skipped") }
	for _, tt := range []struct {
		name, object, want string
		change             func(o *rawjson.Object)
	}{
		{"in its position, with its spelling", `{"a":1,"ph\u0061se":"A","z":2}`, `{"a":1,"ph\u0061se":"B","z":2}`, phase},
		{"before the first", `{"a":1,"pipeline":[],"itinerary":"X"}`, `{"a":1,"phase":"B","pipeline":[],"itinerary":"X"}`, phase},
		{"at the end", `{"a":1}`, `{"a":1,"phase":"B"}`, phase},
		{"alone", `{}`, `{"phase":"B"}`, phase},
		{"the last of two", `{"phase":"A","b":1,"phase":"A"}`, `{"phase":"A","b":1,"phase":"B"}`, phase},
		{"removed", `{"skipped":true,"a":1,"skipped":false}`, `{"a":1}`, skipped},
		{"removed, and nothing remains", `{"skipped":true}`, `{}`, skipped},
		{"several", `{"name":"A","skipped":true}`, `{"phase":"B","name":"C"}`, func(o *rawjson.Object) {
			skipped(o)
			o.Set("name", []byte(`"C"`))
			o.Set("phase", []byte(`"B"`), "name")
		}},
		{"no change", `{"a" : [ 1 ], "b":"\u0061" }`, `{"a":[ 1 ],"b":"\u0061"}`, func(*rawjson.Object) {}},
		{"a key that is another", `{"phas":1,"phase\u0000":2,"` + strings.Repeat(`\u0070`, 32) + `":3}`,
			`{"phas":1,"phase\u0000":2,"` + strings.Repeat(`\u0070`, 32) + `":3,"phase":"B"}`, phase},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := rawjson.ParseObject([]byte(tt.object))
			tt.change(&o)
			require.Equal(t, tt.want, string(o.Text()))
			require.Equal(t, len(tt.want), o.Size())
			require.Equal(t, "x"+tt.want, string(o.AppendTo([]byte("x"))))
			require.True(t, o.Equal(rawjson.ParseObject([]byte(tt.want))))
		})
	}
	var o rawjson.Object
	o.Set("<a>\"", []byte("1"))
	require.Equal(t, `{"<a>\"":1}`, string(o.Text()))
}

func TestGet(t *testing.T) {
	o := rawjson.ParseObject([]byte(`{"a":1,"\u0061":2,"b":3}`))
	require.Equal(t, 1, o.Index("a"), "the last of two counts")
	require.Equal(t, "2", string(o.Get("a")))
	require.Equal(t, -1, o.Index("c"))
	require.Nil(t, o.Get("c"))
	require.Nil(t, rawjson.Object(nil).Get("a"))
	require.False(t, o.Equal(o[1:]))
	require.False(t, o[:1].Equal(o[1:2]), "keys are compared by their spelling")
	for _, name := range []string{"name", "phaseAbsent", strings.Repeat("x", 200)} {
		var spelled strings.Builder
		for _, c := range name {
			fmt.Fprintf(&spelled, `\u%04X`, c)
		}
		require.True(t, rawjson.Member{Key: []byte(`"` + name + `"`)}.Is(name))
		require.True(t, rawjson.Member{Key: []byte(`"` + spelled.String() + `"`)}.Is(name))
		require.False(t, rawjson.Member{Key: []byte(`"` + spelled.String() + `s"`)}.Is(name))
		require.False(t, rawjson.Member{Key: []byte(`"` + name + `s"`)}.Is(name))
	}
}

func TestArray(t *testing.T) {
	require.Equal(t, `[]`, string(rawjson.Array[[]byte](nil)))
	require.Equal(t, `[1,{"a":2}]`, string(rawjson.Array([]json.RawMessage{json.RawMessage(`1`), json.RawMessage(`{"a":2}`)})))
	require.True(t, rawjson.IsNull(nil))
	require.True(t, rawjson.IsNull([]byte("null")))
	require.False(t, rawjson.IsNull([]byte(`"null"`)))
}

// An object with very many members is parsed, changed and written in memory that is a small
// multiple of its text.
func TestParseObjectIsLinear(t *testing.T) {
	const n, most = 200_000, 20
	text := []byte(`{"":0` + strings.Repeat(`,"":0`, n) + `}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	o := rawjson.ParseObject(text)
	written := o.Text()
	runtime.ReadMemStats(&after)
	require.True(t, bytes.Equal(text, written))
	require.Less(t, int(after.TotalAlloc-before.TotalAlloc), most*len(text))
}

// digest returns the digest of values, including nil ones.
func digest(values ...[]byte) uint64 {
	d := rawjson.NewDigest()
	for _, v := range values {
		d.Value(v)
	}
	return d.Sum()
}

// Two values have the same digest exactly if an API server could have made one from the other.
func TestDigestDistinguishesValues(t *testing.T) {
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
		require.Equal(t, tt.same, digest([]byte(tt.a)) == digest([]byte(tt.b)), "%s and %s", tt.a, tt.b)
	}
	many := func(at int) []byte { // so many members with one key that an unstable sort would mix them
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
		require.Equal(t, digest(many(0)), digest(many(at)))
	}
	require.NotEqual(t, digest([]byte(`1`), []byte(`2`)), digest([]byte(`12`), nil))
	require.NotEqual(t, digest([]byte(`1`), nil), digest(nil, []byte(`1`)))
	for _, text := range []string{`{}`, `{"a":1}`, `{"b":[{"d":1,"c":2}],"a":"\u0061"}`} {
		d := rawjson.NewDigest()
		d.Object(rawjson.ParseObject([]byte(text)))
		require.Equal(t, digest([]byte(text)), d.Sum(), "an object has the digest of its text")
	}
}

// A random value keeps its digest if its order and spelling change, as an API server changes them.
// Another value has another digest.
func TestDigestOfRandomValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3_000 {
		v := random(r, 4)
		text, err := json.Marshal(v) // sorts the keys
		require.NoError(t, err)
		spelled := shuffled(r, v)
		require.Equal(t, digest(text), digest(spelled), "%s and %s", text, spelled)
		if other, _ := json.Marshal(random(r, 4)); !bytes.Equal(other, text) {
			require.NotEqual(t, digest(text), digest(other), "%s and %s", text, other)
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

// shuffled returns a value with its keys in another order and its strings in another spelling.
func shuffled(r *rand.Rand, v any) []byte {
	switch v := v.(type) {
	case map[string]any: // iterated in random order
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

// Parsing and writing any object, with or without white space, gives the same text. Setting and
// then removing a member leaves no trace.
func FuzzObject(f *testing.F) {
	for _, seed := range []string{`{}`, ` { "a" : [ 1 , {"b" : "}" } ] , "\u0061":null,"a":-1e9 } `, `[{}]`, `"{"`, `{"":{"":""}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		compact, err := rawjson.Compact(text)
		if err != nil {
			return
		}
		o := rawjson.ParseObject(text)
		if (o != nil) != (compact[0] == '{') {
			t.Fatalf("%s: parsed as %v", text, o)
		}
		if o == nil {
			return
		}
		written, err := rawjson.Compact(o.Text())
		if err != nil || !bytes.Equal(compact, written) {
			t.Fatalf("%s became %s, %v", text, written, err)
		}
		const name = "an unused name"
		if o.Index(name) >= 0 {
			return
		}
		o.Set(name, []byte("1"), "a")
		if got := string(o.Get(name)); got != "1" {
			t.Fatalf("%s: set is %q", text, got)
		}
		if o.Remove(name); !o.Equal(rawjson.ParseObject(text)) {
			t.Fatalf("%s became %s", text, o.Text())
		}
	})
}

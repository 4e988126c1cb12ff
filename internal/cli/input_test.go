package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	kyaml "sigs.k8s.io/yaml"
)

// planned returns the names of the migrations that were planned from streams.
func planned(t *testing.T, r result) (names []string) {
	t.Helper()
	for _, e := range elements(t, r.out) {
		names = append(names, *e.Name)
	}
	return names
}

func TestReadEveryForm(t *testing.T) {
	parts := append([]string{planObject("p", ""), migration("a", ``, ``), migration("b", `"stage": true`, ``)}, cluster...)
	asYAML := func(text string) string {
		out, err := kyaml.JSONToYAML([]byte(text))
		require.NoError(t, err)
		return string(out)
	}
	var documents []string
	for _, part := range parts {
		documents = append(documents, asYAML(part))
	}
	withoutKinds := func(kind string, list ...string) string {
		return strings.ReplaceAll(strings.ReplaceAll(stream(list...), `"List"`, `"`+kind+`List"`), `{"kind": "`+kind+`", `, `{`)
	}
	for _, tt := range []struct{ name, stream string }{
		{"a list", stream(parts...)},
		{"a list as YAML", asYAML(stream(parts...))},
		{"JSON objects in a row", strings.Join(parts, "")},
		{"JSON objects, one a line", strings.Join(parts, "\n")},
		{"JSON objects as YAML documents", strings.Join(parts, "\n---\n")},
		{"YAML documents", strings.Join(documents, "---\n")},
		{"YAML documents with Windows lines", strings.ReplaceAll(strings.Join(documents, "---\n"), "\n", "\r\n")},
		{"YAML documents with directives, comments, and empty ones", "%YAML 1.2\n# a\n---\n" + strings.Join(documents, "---  # b\n---\n")},
		{"YAML documents that end with dots", strings.Join(documents, "...\n")},
		{"YAML documents without a line end", "--- " + strings.Join(parts, "\n--- ")},
		{"a flow mapping", "{kind: List, items: [" + strings.Join(parts, ", ") + "]}"},
		{"flow mappings with quoted keys", strings.ReplaceAll(strings.Join(parts, "\n---\n"), `"kind": "MigMigration"`, `"kind": MigMigration`)},
		{"a flow mapping with quoted keys and a comma at the end", "# a\n--- " + strings.TrimSuffix(stream(parts...), "}") + ",}\n"},
		{"a byte order mark", "\ufeff" + stream(parts...)},
		{
			"lists of one kind whose items do not say it",
			withoutKinds("MigMigration", parts[1:3]...) + withoutKinds("MigPlan", parts[0]) + withoutKinds("MigCluster", parts[3:5]...) + withoutKinds("ImageStream", parts[5]),
		},
		{"other kinds between", stream(append(parts, `{"kind": "Pod"}`, `{"kind": "AllowList", "spec": 1}`)...)},
		{"fields in other letters", strings.ReplaceAll(stream(parts...), `"name": "a"`, `"name": "a", "Name": "x", "NAME": 1`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stream, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 0, r.code)
			assert.Empty(t, r.stderr)
			assert.Equal(t, []string{"a", "b"}, planned(t, r))
		})
	}

	t.Run("several files", func(t *testing.T) {
		one, two := write(t, "one.json", stream(parts[:3]...)), write(t, "two.yaml", strings.Join(documents[3:], "---\n"))
		r := run(t, "", "plan", "-f", one, "--file", two, "-o", "json")
		assert.Equal(t, 0, r.code)
		assert.Empty(t, r.stderr)
		assert.Equal(t, []string{"a", "b"}, planned(t, r))
	})
}

func TestReadAliases(t *testing.T) {
	r := run(t, `
kind: List
items:
- kind: MigPlan
  metadata: &p {name: p, namespace: ns}
  spec: {srcMigClusterRef: &c {name: c, namespace: ns}, destMigClusterRef: *c, indirectImageMigration: &yes true}
- {kind: MigCluster, metadata: *c}
- kind: MigMigration
  metadata: {<<: *p, name: m}
  spec: {migPlanRef: *p, stage: *yes, <<: [{verify: true}, {verify: false, quiescePods: true}]}
`, "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code, r.stderr)
	e := elements(t, r.out)[0]
	assert.Equal(t, "m", *e.Name)
	assert.Equal(t, "Stage", e.Itinerary)
	assert.Equal(t, []string{"Quiesce", "HasVerify", "IndirectImage", "EnableVolume"}, e.Flags)
}

// Nested aliases that expand beyond any memory.
func laughs(begin, of string) string {
	b := begin
	for i := range 30 {
		b += fmt.Sprintf("a%d: &a%d "+of+"\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	return b
}

func TestReadProblems(t *testing.T) {
	good := stream(append([]string{planObject("p", ""), intact, migration("m", ``, ``)}, cluster...)...)
	text := func(s string) string { return s }
	utf16Text := func(s string) string {
		b := []byte{0xff, 0xfe}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}
	for _, tt := range []struct {
		name, stream string
		want         []string // the others are still planned
	}{
		{
			"broken YAML before", text("kind: A\nb: [\n---\n" + good),
			[]string{"standard input:3: is not YAML: did not find expected node content; correct it at this line or before it"},
		},
		{
			"broken YAML behind", good + "\n---\nkind: A\n b: c\n",
			[]string{"standard input:4: is not YAML: mapping values are not allowed in this context; correct it at this line or before it"},
		},
		{"a tab", good + "\n---\nkind:\n\tA: b\n", []string{"standard input:4: is not YAML: found character that cannot start any token; correct it at this line or before it"}},
		{"an unknown alias", good + "\n---\nkind: *a\n", []string{"standard input:2: the document that begins here is not YAML: unknown anchor 'a' referenced"}},
		{"a repeated key", good + "\n---\nkind: A\nspec:\n  a: 1\n  b: 1\n  a: 2\n", []string{`standard input:7: key "a" is repeated, first on line 5; remove one`}},
		{"a key that is a list", good + "\n---\n? [a]\n: b\n", []string{"standard input:3: a key is a list or a mapping; write a string"}},
		{"no number of JSON", good + "\n---\nkind: A\na: .inf\n", []string{"standard input:4: .inf has no form in JSON, which is how Kubernetes keeps it; write another value"}},
		{"an invalid number", good + "\n---\nkind: A\na: !!int b\n", []string{`standard input:4: "b" is not a valid !!int`}},
		{"an invalid merge", good + "\n---\nkind: A\n<<: b\n", []string{"standard input:4: a merge key takes a mapping, or a list of mappings"}},
		{"an alias inside itself", good + "\n---\nkind: A\na: &a [*a]\n", []string{"standard input:4: the alias *a is part of its own value; write the value out"}},
		{"a billion laughs", good + "\n---\n" + laughs("a0: &a0 [ha]\n", "[%s]"), []string{"aliases expand to more than 1 MiB; write the values out"}},
		{"a billion laughs in merge keys", good + "\n---\n" + laughs("a0: &a0 {}\n", "{<<: [%s]}"), []string{"aliases expand to more than 1 MiB; write the values out"}},
		{
			"broken JSON before", "{\"kind\": \"A\",\n\"b\": }\n" + good,
			[]string{"standard input:2: is not JSON: invalid character '}' looking for beginning of value; correct it at this line or before it"},
		},
		{
			"JSON without its end before", "{\"kind\": \"A\",\n" + good,
			[]string{"standard input:2: is not JSON: invalid character '{' looking for beginning of object key string; correct it at this line or before it"},
		},
		{"JSON that is cut off", good + "\n{\n\"kind\": \"A", []string{"standard input:2: the JSON that begins here does not end; was the text cut off?"}},
		{
			"a comma between", good + ",\n" + `{"kind": "A"}`,
			[]string{"standard input:1: is not JSON: invalid character ',' looking for beginning of value; correct it at this line or before it"},
		},
		{
			"a repeated key in JSON",
			good + "\n" + `{"kind": "A", "l": [{"b": "b"}, "b", {"b": {"c": 1, "b": 2,` + "\n" + `"\u0062": 3}}]}`,
			[]string{`standard input:3: key "b" is repeated in one object; remove one`},
		},
		{"a repeated key in a list without a kind", good + "\n" + `[{"a": 1, "a": 2}]`, []string{`standard input:2: [0]: key "a" is repeated in one object; remove one`}},
		{
			"too deep by an alias",
			good + "\n---\na: &a " + strings.Repeat("[", 6000) + strings.Repeat("]", 6000) + "\nb: " + strings.Repeat("[", 6000) + "*a" + strings.Repeat("]", 6000) + "\n",
			[]string{"standard input:3: is nested too deeply"},
		},
		{
			"broken as JSON and as YAML", "{\"kind\": A,\n\"b\": ]}\n---\n" + good,
			[]string{"standard input:1: is not JSON: invalid character 'A' looking for beginning of value; correct it at this line or before it"},
		},
		{
			"a flow mapping with quoted keys and a repeated one", good + "\n---\n{\"kind\": A,\n\"b\": 1, \"b\": 2}\n",
			[]string{`standard input:4: key "b" is repeated, first on line 4; remove one`},
		},
		{
			"too deep", good + "\n" + strings.Repeat(`{"a":`, 10001) + "1" + strings.Repeat("}", 10001),
			[]string{"standard input:2: is not JSON: invalid character '{' exceeded max depth; correct it at this line or before it"},
		},
		{"no object", good + "\n---\n[1]\n---\ntext\n---\n3\n---\ntrue\n", []string{
			"standard input:3: [0]: holds a number where an object is needed",
			"standard input:5: holds a string where an object is needed; give what kubectl get prints",
			"standard input:7: holds a number where an object is needed; give what kubectl get prints",
			"standard input:9: holds true or false where an object is needed; give what kubectl get prints",
		}},
		{"no kind", good + "\n{}\n" + `{"kind": 3}`, []string{
			"standard input:2: has no kind; give objects as kubectl get -o yaml or -o json prints them",
			"standard input:3: has no kind; give objects as kubectl get -o yaml or -o json prints them",
		}},
		{"an invalid list", good + "\n" + `{"kind": "List", "items": {}}` + "\n" + `{"kind": "List", "items": [null, {"kind": "A"}]}`, []string{
			"standard input:2: items: holds an object where a list is needed",
			"standard input:3: items[0]: holds null where an object is needed",
		}},
		{"not UTF-8", good + "\n---\nkind: A\nb: \xe9\n", []string{"standard input:4: byte 0xe9 is not valid UTF-8; save the text as UTF-8"}},
		{"UTF-16", utf16Text(good), []string{"standard input: is UTF-16 text; save it as UTF-8"}},
		{"a binary file", "\x7fELF\x00\x00", []string{"standard input: is a binary file; give what kubectl get -o yaml or -o json prints"}},
		{"nothing", "", []string{"standard input: is empty; give what kubectl get -o yaml or -o json prints"}},
		{"nothing but empty documents", "---\n# nothing\n---\nnull\n...\n", []string{"standard input: is empty; give what kubectl get -o yaml or -o json prints"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stream, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 1, r.code)
			lines := r.lines(t)
			require.Len(t, lines, len(tt.want))
			for i, want := range tt.want {
				assert.True(t, strings.HasSuffix(lines[i], want), "%s", lines[i])
			}
			if strings.Contains(tt.stream, good) {
				assert.Equal(t, []string{"m"}, planned(t, r))
			} else {
				assert.Equal(t, "[]\n", r.out)
			}
		})
	}
}

func TestReadMissingFiles(t *testing.T) {
	file := write(t, "good.json", around("", intact, migration("m", ``, ``)))
	dir := t.TempDir()
	r := run(t, "", "plan", "-f", filepath.Join(dir, "none.yaml"), "-f", dir, "-f", file, "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{
		"cannot read: open " + filepath.Join(dir, "none.yaml") + ": no such file or directory; check the name",
		dir + ": no file in it ends in .yaml, .yml or .json, or one of these with .gz; check the name",
	}, r.lines(t))
	assert.Equal(t, []string{"m"}, planned(t, r))
}

const limit = 64 << 20

// spaces is a reader of that many spaces.
func spaces(n int64) io.Reader { return io.LimitReader(blank{}, n) }

type blank struct{}

var blanks = bytes.Repeat([]byte(" "), 1<<16)

func (blank) Read(p []byte) (int, error) {
	return copy(p, blanks), nil
}

// counting counts the bytes that are read.
type counting struct {
	io.Reader
	n int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

func TestReadSize(t *testing.T) {
	good := around("", intact, migration("m", ``, ``))
	r := runReader(t, io.MultiReader(strings.NewReader(good), spaces(int64(limit-len(good)))), "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 0, r.code, r.stderr)
	assert.Equal(t, []string{"m"}, planned(t, r))

	const want = " is larger than the limit of 64 MiB; split it, or list fewer objects"
	endless := &counting{Reader: io.MultiReader(strings.NewReader(good), blank{})}
	r = runReader(t, endless, "plan", "-f", "-", "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{"standard input" + want}, r.lines(t))
	assert.LessOrEqual(t, endless.n, int64(limit+1))

	file := write(t, "large.json", good)
	require.NoError(t, os.Truncate(file, 1<<40)) // larger than any memory
	r = run(t, "", "plan", "-f", file, "-f", write(t, "good.json", good), "-o", "json")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{file + want}, r.lines(t))
	assert.Equal(t, []string{"m"}, planned(t, r), "the other is read")
}

func TestReadErrors(t *testing.T) {
	r := runReader(t, io.MultiReader(strings.NewReader("{"), broken{}), "plan", "-f", "-")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, []string{"cannot read: unplugged"}, r.lines(t))
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, fmt.Errorf("unplugged") }

// Values that YAML can write in many ways are one value in JSON.
func TestReadYAMLValues(t *testing.T) {
	var b bytes.Buffer
	b.WriteString("kind: A\nv:\n")
	want := "["
	for i, tt := range []struct{ yaml, json string }{
		{"1.0", "1.0"}, {"12345678901234567890", "12345678901234567890"}, {"123456789012345678901234567890", "123456789012345678901234567890"},
		{"+1", "1"}, {"0x1F", "31"}, {"0o17", "15"}, {"1_000", "1000"}, {".5", "0.5"}, {"1.", "1"}, {"1e3", "1e3"}, {"-0", "-0"},
		{"true", "true"}, {"~", "null"}, {"", "null"}, {`"on"`, `"on"`}, {"2021-03-25T18:24:57Z", `"2021-03-25T18:24:57Z"`},
		{"!!str 1", `"1"`}, {"!own text", `"text"`}, {"|\n  a\n  b", `"a\nb\n"`}, {"{1: 2, true: 3, ~: 4}", `{"1": 2, "true": 3, "~": 4}`},
	} {
		b.WriteString("- " + tt.yaml + "\n")
		if i > 0 {
			want += ", "
		}
		want += tt.json
	}
	out := convert(t, b.String(), "--to", "current", "-o", "json")
	same(t, values(t, `{"kind": "A", "v": `+want+`]}`), values(t, out))
}

// One bad element of a list does not hide the others.
func TestReadListsWithBadElements(t *testing.T) {
	list := func(bad string) string {
		return "kind: List\nitems:\n" +
			"- " + planObject("p", "") + "\n" +
			bad + "\n" +
			"- " + host + "\n- " + source + "\n- " + images + "\n- " + intact + "\n- " + migration("m", ``, ``) + "\n"
	}
	inJSON := func(bad string) string {
		return `{"kind": "List", "items": [` + planObject("p", "") + ",\n" + bad + ",\n" +
			strings.Join([]string{host, source, images, intact, migration("m", ``, ``)}, ", ") + "]}"
	}
	const bad = `{"kind": "MigMigration", "metadata": {"name": "bad"},` + "\n" + `"spec": {"x": [{"a": 1, "a": 2}], "b": 1, "b": 2}}`
	for _, tt := range []struct {
		name, stream string
		want         []string
	}{
		{"a repeated key", list("- kind: MigMigration\n  spec: 1\n  spec: 2"),
			[]string{`standard input:6: items[1]: key "spec" is repeated, first on line 5; remove one`}},
		{"no number of JSON", list("- kind: MigMigration\n  spec: .inf"),
			[]string{"standard input:5: items[1]: .inf has no form in JSON, which is how Kubernetes keeps it; write another value"}},
		{"an alias inside itself", list("- &a {kind: A, b: *a}"),
			[]string{"standard input:4: items[1]: the alias *a is part of its own value; write the value out"}},
		{"several", list("- [.inf]\n- {a: 1, a: 2}\n- {? [b] : c}"), []string{
			"standard input:4: items[1]: .inf has no form in JSON, which is how Kubernetes keeps it; write another value",
			`standard input:5: items[2]: key "a" is repeated, first on line 5; remove one`,
			"standard input:6: items[3]: a key is a list or a mapping; write a string",
		}},
		{"a repeated key in JSON", inJSON(bad), []string{`standard input:3: items[1]: key "a" is repeated in one object; remove one`}},
		{"several in JSON", inJSON(bad + ",\n" + strings.Replace(bad, `"bad"`, `"worse"`, 1)), []string{
			`standard input:3: items[1]: key "a" is repeated in one object; remove one`,
			`standard input:5: items[2]: key "a" is repeated in one object; remove one`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stream, "plan", "-f", "-", "-o", "json")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, tt.want, r.lines(t))
			assert.Equal(t, []string{"m"}, planned(t, r))

			r = run(t, tt.stream, "explain", "Prepare", "-f", "-")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, tt.want, r.lines(t))
			assert.Contains(t, r.out, "\nm ")

			r = run(t, tt.stream, "convert", "--to", "legacy", "-f", "-", "-o", "json")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, tt.want, r.lines(t))
			same(t, values(t, stream(planObject("p", ""), host, source, images, intact, migration("m", ``, ``))),
				values(t, strings.Replace(r.out, "{", `{"apiVersion": "v1",`, 1)))
		})
	}
}

// A problem outside the items of a list concerns all of it. Such a document is not printed,
// and does not make the output YAML.
func TestReadBadLists(t *testing.T) {
	good := migration("m", ``, ``)
	for _, tt := range []struct{ name, stream, want string }{
		{"metadata", `{"kind": "List", "metadata": {"a": 1, "a": 2}, "items": [` + good + `]}`, `standard input:1: key "a" is repeated in one object; remove one`},
		{"items twice", `{"kind": "List", "items": [], "items": [` + good + `]}`, `standard input:1: key "items" is repeated in one object; remove one`},
		{"as YAML", "---\nkind: List\nitems: []\nitems: []\n", `standard input:4: key "items" is repeated, first on line 3; remove one`},
		{"items of a value that is not a list", `{"kind": "A", "items": [{"a": 1, "a": 2}]}`, `standard input:1: items[0]: key "a" is repeated in one object; remove one`},
		{
			"items of what is no list, as YAML", "kind: A\nitems: [{a: .inf}]\n",
			"standard input:2: items[0]: .inf has no form in JSON, which is how Kubernetes keeps it; write another value",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(t, tt.stream+"\n---\n"+good, "convert", "--to", "legacy", "-f", "-")
			assert.Equal(t, 1, r.code)
			assert.Equal(t, tt.want, strings.Replace(r.lines(t)[0], "standard input:5", "standard input:4", 1))
			require.Len(t, r.lines(t), 1)
			same(t, values(t, good), values(t, r.out))
		})
	}
}

// JSON is detected without recursion: there may be millions of brackets.
func TestReadMillionsOfBrackets(t *testing.T) {
	r := run(t, strings.Repeat("[", 8<<20), "plan", "-f", "-")
	assert.Equal(t, 1, r.code)
	assert.LessOrEqual(t, len(r.stderr), 1000)
	assert.Contains(t, r.stderr, "standard input:1")
}

// At most 20 problems of one stream are printed, of any kind; the others are counted.
func TestProblemsOfOneStream(t *testing.T) {
	repeat := func(n int, item string) string {
		return stream(strings.TrimSuffix(strings.Repeat(item+",\n", n), ",\n"))
	}
	named := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, migration(fmt.Sprint("m", i), `"stage": 3`, ``))
		}
		return stream(all...)
	}
	documents := func(n int) string { return strings.Repeat("kind: A\nb: .inf\n---\n", n) }
	for _, n := range []int{1, 19, 20, 21, 22, 1000} {
		for name, text := range map[string]string{
			"no objects": repeat(n, "1"), "keys that are repeated": repeat(n, `{"a": 1, "a": 2}`), "no kind": repeat(n, "{}"),
			"no numbers of JSON": "kind: List\nitems:\n" + strings.Repeat("- {a: .inf}\n", n),
			"documents":          documents(n),
			"fields of another type, of one object each": named(n),
		} {
			for _, args := range [][]string{{"plan"}, {"explain", "Prepare"}, {"convert", "--to", "current"}} {
				r := run(t, text, append(args, "-f", "-")...)
				assert.Equal(t, 1, r.code, name)
				lines := r.lines(t)
				if n <= 20 {
					assert.Len(t, lines, n, "%s: %d", name, n)
					continue
				}
				require.Len(t, lines, 21, "%s: %d", name, n)
				assert.Equal(t, fmt.Sprintf("standard input: and %d more", n-20), lines[20], name)
				assert.NotContains(t, strings.Join(lines[:20], ""), " more", name)
			}
		}
	}

	one, two := write(t, "one.yaml", documents(25)), write(t, "two.yaml", documents(30))
	lines := run(t, documents(3), "plan", "-f", one, "-f", "-", "-f", two).lines(t)
	require.Len(t, lines, 20+3+20+2)
	want := []string{one + ": and 5 more", two + ": and 10 more"}
	assert.ElementsMatch(t, want, lines[43:])
}

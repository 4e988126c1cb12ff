package debug

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/internal/testscale"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases/mtc"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// fill gives a value random contents; more makes it larger.
func fill(r *rand.Rand, v reflect.Value, more int) {
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Int64:
		v.SetInt(r.Int64N(1<<40) - 1<<20)
	case reflect.String:
		texts := []string{
			"", "DataBackup", steps.MessageCompleted, mtc.Final, "quiesced",
			strings.Repeat("x", r.IntN(100)), "\x00\xff", fmt.Sprint(r.Uint64()),
		}
		v.SetString(texts[r.IntN(len(texts))])
	case reflect.Struct:
		if v.Type() == timeType {
			t := time.Unix(r.Int64N(1<<33), int64(r.IntN(2)*r.IntN(1e9)))
			if r.IntN(8) == 0 {
				t = time.Time{}
			}
			v.Set(reflect.ValueOf(metav1.NewTime(t)))
			return
		}
		for i := range v.NumField() {
			fill(r, v.Field(i), more)
		}
	case reflect.Pointer:
		v.SetZero()
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), more)
		}
	case reflect.Slice:
		n := r.IntN(more + 1)
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(r, v.Index(i), more)
		}
	}
}

// places yields the values inside a value that can be changed independently, with their
// paths.
func places(v reflect.Value, path string, yield func(path string, v reflect.Value)) {
	yield(path, v)
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == timeType {
			return
		}
		for i := range v.NumField() {
			places(v.Field(i), path+"."+v.Type().Field(i).Name, yield)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			places(v.Elem(), path, yield)
		}
	case reflect.Slice:
		for i := range v.Len() {
			places(v.Index(i), fmt.Sprintf("%s[%d]", path, i), yield)
		}
	}
}

// mutate changes a state at some places, and adds or removes elements.
func mutate(r *rand.Rand, s *runner.State) {
	var all []reflect.Value
	places(reflect.ValueOf(s).Elem(), "", func(path string, v reflect.Value) {
		if path != "" {
			all = append(all, v)
		}
	})
	for range r.IntN(4) {
		v := all[r.IntN(len(all))]
		if v.Kind() != reflect.Slice || v.Len() == 0 {
			fill(r, v, 3)
			continue
		}
		at := r.IntN(v.Len())
		rest := reflect.AppendSlice(reflect.MakeSlice(v.Type(), 0, v.Len()), v.Slice(0, at))
		if r.IntN(2) == 0 { // add an element
			rest = reflect.Append(rest, reflect.New(v.Type().Elem()).Elem())
			fill(r, rest.Index(at), 3)
			at--
		}
		v.Set(reflect.AppendSlice(rest, v.Slice(at+1, v.Len())))
		return // the other places may be gone
	}
}

func weigh(w *words, s *runner.State) int {
	e := &encoder{words: w}
	e.copy(reflect.ValueOf(new(runner.State)).Elem(), reflect.ValueOf(s).Elem())
	return e.weight
}

// Every difference between two states can be undone, and the size of the copy is known at
// each step.
func TestDifferencesAreExact(t *testing.T) {
	w := newWords(itineraries(t))
	e := &encoder{words: w}
	for seed := range uint64(testscale.Of(40, 10)) {
		r := rand.New(rand.NewPCG(seed, 1))
		var is, kept runner.State
		weight := 0
		fill(r, reflect.ValueOf(&is).Elem(), 5)
		for range 20 {
			was := kept.DeepCopy()
			e.reset(1_700_000_000)
			changed := e.change(reflect.ValueOf(&kept).Elem(), reflect.ValueOf(&is).Elem())
			weight += e.weight
			require.Empty(t, cmp.Diff(is, kept, emptyIsNil))
			require.Equal(t, !cmp.Equal(*was, is, emptyIsNil), changed)
			require.Equal(t, changed, len(e.buf) > 0)
			require.Equal(t, weigh(w, &kept), weight)
			if changed {
				back := kept.DeepCopy()
				d := &decoder{words: w, base: e.base, buf: e.buf}
				d.back(reflect.ValueOf(back).Elem())
				require.Empty(t, cmp.Diff(was, back, emptyIsNil))
				require.Empty(t, d.buf)
			}
			mutate(r, &is)
		}
	}
}

var emptyIsNil = cmp.Options{
	cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type().Kind() == reflect.Slice }, cmp.FilterValues(
		func(a, b any) bool { return reflect.ValueOf(a).Len()+reflect.ValueOf(b).Len() == 0 }, cmp.Ignore())),
	cmp.Comparer(func(a, b metav1.Time) bool { return a.Equal(&b) }),
}

// No field of a state is forgotten: each alone makes a difference.
func TestEncoderSeesEachField(t *testing.T) {
	w := newWords(itineraries(t))
	e := &encoder{words: w}
	r := rand.New(rand.NewPCG(1, 2))
	full := func(v reflect.Value) { // without nil, with one element in each list
		var set func(v reflect.Value)
		set = func(v reflect.Value) {
			switch v.Kind() {
			case reflect.Pointer:
				v.Set(reflect.New(v.Type().Elem()))
				set(v.Elem())
			case reflect.Slice:
				v.Set(reflect.MakeSlice(v.Type(), 1, 1))
				set(v.Index(0))
			case reflect.Struct:
				if v.Type() == timeType {
					fill(r, v, 1)
					return
				}
				for i := range v.NumField() {
					require.True(t, v.Type().Field(i).IsExported(), v.Type().Field(i).Name)
					set(v.Field(i))
				}
			case reflect.Bool, reflect.Int64, reflect.String:
				fill(r, v, 1)
			default:
				t.Fatalf("a %s is not recorded; extend encoder.change, put and copy, and decoder.get", v.Type())
			}
		}
		set(v)
	}
	var s runner.State
	full(reflect.ValueOf(&s).Elem())
	var paths []string
	places(reflect.ValueOf(&s).Elem(), "State", func(path string, v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			if v.Type() != timeType {
				return
			}
		case reflect.Pointer, reflect.Slice:
			return
		}
		before := s.DeepCopy()
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.String:
			v.SetString(v.String() + "!")
		default:
			v.Set(reflect.ValueOf(metav1.NewTime(timeAt(v).Add(time.Second))))
		}
		e.reset(0)
		assert.True(t, e.change(reflect.ValueOf(before).Elem(), reflect.ValueOf(&s).Elem()), path)
		paths = append(paths, path)
	})
	assert.Contains(t, paths, "State.Pipeline[0].Progress[0]")
	assert.Greater(t, len(paths), 60)
}

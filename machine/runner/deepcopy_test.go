package runner_test

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine"
	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/phases"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// fill sets every field of a value, at any depth, to a value that is not zero.
func fill(v reflect.Value) {
	if v.Type() == reflect.TypeFor[metav1.Time]() {
		v.Set(reflect.ValueOf(metav1.Unix(1, 0)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int64:
		v.SetInt(7)
	default:
		panic(fmt.Sprint("a kind that no persisted type had so far: ", v.Type()))
	}
}

// spoil changes everything to which a value points.
func spoil(v reflect.Value) {
	if v.Type() == reflect.TypeFor[metav1.Time]() {
		v.Set(reflect.ValueOf(metav1.Unix(2, 0)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.String:
		v.SetString("spoiled")
	case reflect.Bool:
		v.SetBool(false)
	case reflect.Int64:
		v.SetInt(8)
	}
}

// Every persisted type can be copied, and the copy shares nothing.
func TestDeepCopiesShareNothing(t *testing.T) {
	for _, empty := range []any{
		new(runner.State), new(runner.Failure), new(runner.Retry), new(runner.Stop), new(runner.Switch), new(runner.Dropped), new(runner.FailedAt), new(runner.PastRun),
		new(machine.Checkpoint), new(phases.Record), new(steps.Step),
	} {
		t.Run(fmt.Sprintf("%T", empty), func(t *testing.T) {
			v, want := reflect.ValueOf(empty), reflect.New(reflect.TypeOf(empty).Elem())
			fill(v.Elem())
			fill(want.Elem())
			copied := v.MethodByName("DeepCopy").Call(nil)[0]
			into := reflect.New(v.Type().Elem())
			v.MethodByName("DeepCopyInto").Call([]reflect.Value{into})
			spoil(v.Elem())
			require.NotEmpty(t, cmp.Diff(want.Interface(), empty))
			assert.Empty(t, cmp.Diff(want.Interface(), copied.Interface()))
			assert.Empty(t, cmp.Diff(want.Interface(), into.Interface()))

			none := reflect.Zero(v.Type())
			assert.True(t, none.MethodByName("DeepCopy").Call(nil)[0].IsNil(), "of nil")
		})
	}
	p := steps.Pipeline{{Name: "S", Started: &metav1.Time{Time: time.Unix(1, 0)}, Progress: []string{"x"}}}
	copied := p.DeepCopy()
	spoil(reflect.ValueOf(&p).Elem())
	assert.Equal(t, steps.Pipeline{{Name: "S", Started: &metav1.Time{Time: time.Unix(1, 0)}, Progress: []string{"x"}}}, copied)
}

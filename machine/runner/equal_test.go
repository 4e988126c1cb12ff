package runner_test

import (
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/steps"
)

// eachPart calls yield for each distinguishable part of a value, which is changed
// meanwhile.
func eachPart(path string, v reflect.Value, yield func(path string)) {
	with := func(path string, other reflect.Value) {
		was := reflect.ValueOf(v.Interface())
		v.Set(other)
		yield(path)
		v.Set(was)
	}
	if v.Type() == reflect.TypeFor[metav1.Time]() {
		with(path, reflect.ValueOf(metav1.Unix(2, 0)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			eachPart(path+"."+v.Type().Field(i).Name, v.Field(i), yield)
		}
	case reflect.Pointer:
		with(path+" nil", reflect.Zero(v.Type()))
		eachPart(path, v.Elem(), yield)
	case reflect.Slice:
		with(path+" cut", v.Slice(0, 1))
		for i := range v.Len() {
			eachPart(path+"["+strconv.Itoa(i)+"]", v.Index(i), yield)
		}
	case reflect.String:
		with(path, reflect.ValueOf("other").Convert(v.Type()))
	case reflect.Bool:
		with(path, reflect.ValueOf(!v.Bool()))
	case reflect.Int64:
		with(path, reflect.ValueOf(v.Int()+1))
	}
}

// States are equal if and only if all their parts are.
func TestStatesAreEqualInEveryPart(t *testing.T) {
	a, b := new(runner.State), new(runner.State)
	fill(reflect.ValueOf(a).Elem())
	fill(reflect.ValueOf(b).Elem())
	require.True(t, a.Equal(b))
	parts := 0
	eachPart("State", reflect.ValueOf(a).Elem(), func(path string) {
		parts++
		require.False(t, a.Equal(b), path)
		require.False(t, b.Equal(a), path)
	})
	require.Greater(t, parts, 80)
	require.True(t, a.Equal(b))
}

// States that are written alike are equal.
func TestStatesAreEqualAsWritten(t *testing.T) {
	at := time.Unix(7, 0)
	a := &runner.State{Entered: &metav1.Time{Time: at}, Pipeline: steps.Pipeline{}}
	b := &runner.State{Entered: &metav1.Time{Time: at.In(time.FixedZone("", 3600))}}
	require.True(t, a.Equal(b))
	require.True(t, (*runner.State)(nil).Equal(nil))
	require.False(t, a.Equal(nil))
	require.False(t, (*runner.State)(nil).Equal(a))
}

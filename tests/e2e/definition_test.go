package e2e

import (
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	"github.com/konveyor/dynamic-pipeline/tests/e2e/example/api"
)

// The variant's definition has a place for each field of a state. The API
// server drops fields that a definition does not have.
func TestDefinitionKeepsWholeState(t *testing.T) {
	t.Parallel()
	g := newFixture(t, common, withSubresource)
	var s runner.State
	fill(t, reflect.ValueOf(&s).Elem())
	m := &api.Migration{ObjectMeta: g.meta("full")}
	g.create(m)
	require.NoError(t, m.SetState(s))
	require.NoError(t, g.client.Status().Update(g.ctx, m))
	var kept api.Migration
	require.NoError(t, g.client.Get(g.ctx, client.ObjectKeyFromObject(m), &kept))
	is, err := kept.State()
	require.NoError(t, err)
	assert.Empty(t, cmp.Diff(s, is))
}

// fill sets all fields of a value to a non-zero value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[metav1.Time]() {
		v.Set(reflect.ValueOf(metav1.NewTime(time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC).Local())))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && v.Type().Field(i).Tag.Get("json") != "-" {
				fill(t, v.Field(i))
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	default:
		t.Fatalf("a state has a %s; teach fill to set it", v.Type())
	}
}

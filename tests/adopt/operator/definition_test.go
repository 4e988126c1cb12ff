package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/konveyor/dynamic-pipeline/machine/runner"
	api "github.com/konveyor/dynamic-pipeline/tests/adopt/operator/api/v1alpha1"
)

// Regenerate the files that this test compares with:
//
//	go run sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0 object crd paths=./api/... output:crd:dir=config/crd
const controllerGen = "sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0"

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	t.Parallel()
	objects, definitions := t.TempDir(), t.TempDir()
	cmd := exec.CommandContext(t.Context(), "go", "run", controllerGen, "object", "crd", "paths=./api/...",
		"output:object:dir="+objects, "output:crd:dir="+definitions)
	output, err := cmd.CombinedOutput()
	require.NoErrorf(t, err, "%s", output)
	assertSameFiles(t, objects, "api/v1alpha1", "zz_generated.*")
	assertSameFiles(t, definitions, crds, "*")
}

// assertSameFiles compares the files of two directories.
func assertSameFiles(t *testing.T, generated, committed, pattern string) {
	t.Helper()
	read := func(dir string) map[string]string {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		require.NoError(t, err)
		require.NotEmpty(t, paths)
		files := map[string]string{}
		for _, path := range paths {
			b, err := os.ReadFile(path)
			require.NoError(t, err)
			files[filepath.Base(path)] = string(b)
		}
		return files
	}
	assert.Empty(t, cmp.Diff(read(committed), read(generated)), "-%s +generated", committed)
}

// The definition is generated from the type of a state, so the API server
// keeps every field of a state.
func TestDefinitionKeepsWholeState(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 0)
	f.stop()
	for name, fill := range map[string]func(v reflect.Value){
		"full":  func(v reflect.Value) { fill(t, v) },
		"empty": func(reflect.Value) {},
	} {
		u := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name}, Spec: api.UpgradeSpec{Version: 17}}
		require.NoError(t, f.client.Create(f.ctx, u))
		var s runner.State
		fill(reflect.ValueOf(&s).Elem())
		s.DeepCopyInto(&u.Status.State)
		require.NoError(t, f.client.Status().Update(f.ctx, u))
		var kept api.Upgrade
		require.NoError(t, f.client.Get(f.ctx, client.ObjectKeyFromObject(u), &kept))
		assert.Empty(t, cmp.Diff(s, kept.Status.State), name)
	}
}

// The target version of an upgrade is immutable.
func TestVersionCannotBeChanged(t *testing.T) {
	t.Parallel()
	f := newFixture(t, 0)
	f.stop()
	u := &api.Upgrade{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "shop"}, Spec: api.UpgradeSpec{Version: 17}}
	require.NoError(t, f.client.Create(f.ctx, u))
	u.Spec.Version = 18
	assert.ErrorContains(t, f.client.Update(f.ctx, u), "the version cannot be changed; create another Upgrade")
}

// fill sets all fields of a value to a non-zero value.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	if v.Type() == reflect.TypeFor[metav1.Time]() {
		v.Set(reflect.ValueOf(metav1.NewTime(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC).Local())))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
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
	case reflect.Int64:
		v.SetInt(1)
	default:
		require.Failf(t, "unexpected kind of field; teach fill to set it", "%s", v.Type())
	}
}

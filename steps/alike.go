package steps

import (
	"encoding/json"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
)

// AlikeError reports a step of an embedder's type that cannot be converted, because its JSON lacks
// a field of [Step] or has another type for it. Use [SyncOf] with an accessor for such a type.
type AlikeError struct {
	// Index is the position of the step in the list, from 0. Step is its name, if known.
	Index int
	Step  string
	Err   error
}

func (e *AlikeError) Error() string {
	return fmt.Sprintf("step number %d %q does not convert to a pipeline step through JSON: %v; use SyncOf with an accessor for its type",
		e.Index+1, e.Step, e.Err)
}

// Unwrap returns the error of the JSON package.
func (e *AlikeError) Unwrap() error { return e.Err }

// FromAlike converts a list of an embedder's own type, a struct or a pointer to one, to a pipeline.
// The JSON of the type must have the fields of [Step], with the names and types of MTC's
// status.pipeline. Other fields are omitted. The error is an [*AlikeError].
func FromAlike[S any](list []S) (Pipeline, error) {
	if list == nil {
		return nil, nil
	}
	p := make(Pipeline, len(list))
	for i := range list {
		text, err := json.Marshal(list[i])
		if err == nil {
			err = json.Unmarshal(text, &p[i])
		}
		if err != nil {
			return nil, &AlikeError{Index: i, Step: p[i].Name, Err: err}
		}
	}
	return p, nil
}

// ToAlike converts a pipeline to a list of an embedder's own type. It is the inverse of
// [FromAlike]. An entry of the list before whose step has not changed is reused. Any other step is
// made from a copy of its entry, so fields that Step does not have, including unexported ones, keep
// their values. Neither argument is changed. The error is an [*AlikeError], also if the type does
// not keep the content of a step.
func ToAlike[S any](p Pipeline, before []S) ([]S, error) {
	if p == nil {
		return nil, nil
	}
	was, err := FromAlike(before)
	if err != nil {
		return nil, err
	}
	var failed error
	k := -1
	out := merge(was, p, func(i int, to Step) S {
		k++
		var step S
		if i >= 0 {
			step = before[i]
			if equality.Semantic.DeepEqual(was[i], to) {
				return step // the most frequent case; it needs no JSON
			}
		}
		if err := setAlike(&step, to); err != nil && failed == nil {
			failed = &AlikeError{Index: k, Step: to.Name, Err: err}
		}
		return step
	})
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

// unshare copies the structs that v embeds by pointer, because decoding JSON would change them.
func unshare(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	for i := range v.NumField() {
		f := v.Field(i)
		if !v.Type().Field(i).Anonymous || !f.CanSet() {
			continue
		}
		if f.Kind() == reflect.Pointer && !f.IsNil() {
			c := reflect.New(f.Type().Elem())
			c.Elem().Set(f.Elem())
			f.Set(c)
			f = c.Elem()
		}
		unshare(f)
	}
}

// setAlike sets the fields of a step through JSON, and checks that the type keeps them.
func setAlike[S any](step *S, to Step) error {
	if v := reflect.ValueOf(step).Elem(); v.Kind() == reflect.Pointer {
		c := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			c.Elem().Set(v.Elem())
		}
		v.Set(c)
		unshare(c.Elem())
	} else {
		unshare(v)
	}
	// Nulls clear the fields that the step does not set, and keep JSON from decoding into a list
	// that the previous entry shares.
	none := []byte(`{"started":null,"completed":null,"name":"","phase":"","message":"","progress":null,"failed":false,"skipped":false}`)
	if err := json.Unmarshal(none, step); err != nil {
		return err
	}
	text, err := json.Marshal(to)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, step); err != nil {
		return err
	}
	kept, err := FromAlike([]S{*step})
	if err != nil {
		return err
	}
	var want Step
	if err := json.Unmarshal(text, &want); err != nil {
		return err
	}
	if !reflect.DeepEqual(kept[0], want) {
		holds, _ := json.Marshal(kept[0])
		return fmt.Errorf("it reads back as %s after writing %s", holds, text)
	}
	return nil
}

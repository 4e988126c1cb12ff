package steps

import (
	"encoding/json"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
)

// AlikeError is a step of an embedder's type that cannot be converted: its JSON
// does not have the fields of [Step], or not with their types. Use [SyncOf]
// with an accessor for such a type.
type AlikeError struct {
	// Index is the place of the step in the list, from 0, and Step its name, if
	// that is known.
	Index int
	Step  string
	Err   error
}

func (e *AlikeError) Error() string {
	return fmt.Sprintf("step number %d %q is not like a step in JSON: %v; use SyncOf with an accessor for its type", e.Index+1, e.Step, e.Err)
}

// Unwrap returns the error of the JSON package.
func (e *AlikeError) Unwrap() error { return e.Err }

// FromAlike returns the pipeline that a list of an embedder's own type holds, a
// struct or a pointer to one, if its JSON has the fields of [Step]: the names
// and types of MTC's status.pipeline. Fields that Step does not have are left
// out. The error is an [*AlikeError].
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

// ToAlike returns a pipeline as a list of an embedder's own type: the way back of
// [FromAlike]. An entry of the list before whose step has not changed is taken as
// it is. Any other step is made of a copy of its entry, so that fields which Step
// does not have, unexported ones included, stay as they are. Neither argument is
// changed. The error is an [*AlikeError], also if the
// type does not keep what a step holds.
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
				return step // as most steps in most reconciles, and without JSON
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

// unshare copies what a struct embeds by pointers, into which JSON would be
// decoded.
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

// setAlike sets the fields of a step through JSON, and checks that they are kept.
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
	// Null empties what a step does not hold, and so that a list of the entry
	// before is not written into.
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
		return fmt.Errorf("it holds %s after %s was written", holds, text)
	}
	return nil
}

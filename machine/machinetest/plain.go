package machinetest

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// The object and the world are kept as JSON, as an API server keeps an object: each reconcile
// begins with a copy of what was written. Data that does not survive JSON would be lost silently,
// so a type that contains such data is refused.

// encode returns a value as JSON.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// decode returns a new value from JSON.
func decode[V any](text []byte) (v V, err error) {
	err = json.Unmarshal(text, &v)
	return v, err
}

// copyOf copies a value through JSON, because the value's own DeepCopy would hide what JSON loses.
// [Object] belongs to this package and is copied directly.
func copyOf[V any](v V) (V, error) {
	if o, ok := any(v).(*Object); ok {
		return any(o.DeepCopy()).(V), nil
	}
	text, err := encode(v)
	if err != nil {
		return v, err
	}
	return decode[V](text)
}

var (
	marshalers   = []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()}
	unmarshalers = []reflect.Type{reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}
)

// checkPlain returns an error that names the first part of a type that JSON does not keep.
func checkPlain(t reflect.Type) error { return plainAt(t, t.String(), map[reflect.Type]bool{}) }

func plainAt(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	if seen[t] {
		return nil
	}
	seen[t] = true
	p := reflect.PointerTo(t)
	for i, marshaler := range marshalers {
		switch {
		case p.Implements(marshaler) && p.Implements(unmarshalers[i]):
			return nil
		case p.Implements(marshaler):
			return fmt.Errorf("%s writes itself as JSON but cannot be read back; implement %s too", path, unmarshalers[i])
		}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return plainAt(t.Elem(), path, seen)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return fmt.Errorf("%s is a %s, which JSON cannot represent; keep it outside the object and the world", path, t.Kind())
	case reflect.Interface:
		return fmt.Errorf("%s is an interface, which cannot be read back from JSON; give it a concrete type", path)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			at := path + "." + f.Name
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case !f.IsExported() && !f.Anonymous:
				return fmt.Errorf("%s is not exported and would be lost between reconciles; "+
					"export it, or implement json.Marshaler and json.Unmarshaler on the type", at)
			case name == "-":
				return fmt.Errorf("%s is excluded from JSON by its tag and would be lost between reconciles; give it a name in the tag", at)
			}
			if err := plainAt(f.Type, at, seen); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkHeld returns an error that names a pointer field in a world. An embedder's function could
// keep such a pointer, but each reconcile has a new world behind it.
func checkHeld(t reflect.Type) error {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(marshalers[0]) {
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type.Kind() == reflect.Pointer {
			return fmt.Errorf("%s.%s is a pointer; a function that keeps it would miss the next reconcile's world, so make it a value",
				t, f.Name)
		}
		if err := checkHeld(f.Type); err != nil {
			return err
		}
	}
	return nil
}

package debug

import (
	"cmp"
	"fmt"
	"reflect"
)

// Name names a run: its object and, if the object has many runs, the item.
type Name struct {
	// Namespace and Name are those of the object. Namespace may be empty.
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	// Item is empty unless the object has many runs.
	Item string `json:"item,omitempty"`
}

// String returns the name as the pages and the command show it: "namespace/name", or
// "name" without a namespace, followed by "[item]" if there is one.
func (n Name) String() string {
	s := n.Name
	if n.Namespace != "" {
		s = n.Namespace + "/" + s
	}
	if n.Item != "" {
		s += "[" + n.Item + "]"
	}
	return s
}

func (n Name) compare(o Name) int {
	return cmp.Or(cmp.Compare(n.Namespace, o.Namespace), cmp.Compare(n.Name, o.Name), cmp.Compare(n.Item, o.Item))
}

// named is an object that knows the name of its run, such as an item of a list.
type named interface {
	RunName() (namespace, name, item string)
}

// object has the methods by which a Kubernetes object reports its name.
type object interface {
	GetNamespace() string
	GetName() string
}

// UnnamedTypeError reports a type whose runs have no names.
type UnnamedTypeError struct {
	// Type is the name of the type.
	Type string
}

func (e *UnnamedTypeError) Error() string {
	return fmt.Sprintf("%s has neither a method RunName nor the methods GetNamespace and GetName; "+
		"give a function that returns the name of a run", e.Type)
}

// nameOf returns a function that names the runs of a type, using its methods.
func nameOf[T any]() (func(T) Name, error) {
	switch t := reflect.TypeFor[T](); {
	case t.Implements(reflect.TypeFor[named]()):
		return func(o T) (n Name) {
			n.Namespace, n.Name, n.Item = any(o).(named).RunName()
			return n
		}, nil
	case t.Implements(reflect.TypeFor[object]()):
		return func(o T) Name {
			object := any(o).(object)
			return Name{Namespace: object.GetNamespace(), Name: object.GetName()}
		}, nil
	default:
		return nil, &UnnamedTypeError{Type: t.String()}
	}
}

package controller

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions reads and writes the conditions of an object, as [NewConditions] and
// [NewConditionsOf] return it. It is immutable and safe for concurrent use, as far as
// the functions that it was made from are.
type Conditions[T any] struct {
	find   func(object T, kind string) *metav1.Condition
	set    func(object T, c metav1.Condition)
	remove func(object T, kind string)
	// merge puts the changes of other clients into before and after. Only the changes
	// of the reconcile remain between them.
	merge func(before, after, fresh T)
	// probe returns a problem that an empty object shows; empty if there is none.
	probe func(object T) string
}

// NewConditions returns conditions in a field of the status. The function field returns
// a pointer to it.
func NewConditions[T any](field func(object T) *[]metav1.Condition) *Conditions[T] {
	same := func(c metav1.Condition) metav1.Condition { return c }
	return NewConditionsOf(field, same, func(_, to metav1.Condition) metav1.Condition { return to })
}

// NewConditionsOf returns conditions of the embedder's own type C in a field of the
// status. The function get converts a C to a condition. The function set returns the C
// with the values of a condition; it receives the zero C if the condition was not
// listed. Fields of C that get does not read stay as they are. Each type of condition
// must be listed at most once.
func NewConditionsOf[T, C any](field func(object T) *[]C, get func(c C) metav1.Condition,
	set func(c C, to metav1.Condition) C) *Conditions[T] {
	index := func(all []C, kind string) int {
		return slices.IndexFunc(all, func(c C) bool { return get(c).Type == kind })
	}
	return &Conditions[T]{
		find: func(object T, kind string) *metav1.Condition {
			all := *field(object)
			i := index(all, kind)
			if i < 0 {
				return nil
			}
			c := get(all[i])
			return &c
		},
		set: func(object T, to metav1.Condition) {
			all := field(object)
			i := index(*all, to.Type)
			if i < 0 {
				var none C
				*all = append(*all, set(none, to))
				return
			}
			one := []metav1.Condition{get((*all)[i])}
			meta.SetStatusCondition(&one, to) // keeps the time of an unchanged status
			(*all)[i] = set((*all)[i], one[0])
		},
		remove: func(object T, kind string) {
			all := field(object)
			*all = slices.DeleteFunc(*all, func(c C) bool { return get(c).Type == kind })
		},
		merge: func(before, after, fresh T) {
			was, is, now := field(before), field(after), field(fresh)
			*is = merge(*was, *is, *now, func(c C) string { return get(c).Type })
			*was = *now
		},
		probe: func(object T) string {
			switch {
			case field == nil || get == nil || set == nil:
				return "lacks a function; set all of them"
			case field(object) == nil:
				return "returns nil; let it return a pointer to the object's conditions"
			}
			return ""
		},
	}
}

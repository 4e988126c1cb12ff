package controller

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Conditions is where an object has its conditions, and how they are read and
// written: what [NewConditions] and [NewConditionsOf] return.
type Conditions[T any] interface {
	find(object T, kind string) *metav1.Condition
	set(object T, c metav1.Condition)
	remove(object T, kind string)
	// merge puts what other clients have written into what was read and into
	// what was made of it, so that between these remains what the reconcile
	// changed.
	merge(before, after, fresh T)
	// probe returns what is wrong, by an empty object; empty if nothing is.
	probe(object T) string
}

// NewConditions returns the conditions in a field of the status, which field
// points to.
func NewConditions[T any](field func(object T) *[]metav1.Condition) Conditions[T] {
	same := func(c metav1.Condition) metav1.Condition { return c }
	return NewConditionsOf(field, same, func(_, to metav1.Condition) metav1.Condition { return to })
}

// NewConditionsOf returns the conditions in a field of the status that holds an
// embedder's own type. Get returns what a condition holds, and set the condition
// with what it is to hold now; for one that was not listed it is given the zero
// C. Fields of C that get does not read stay as they are. Each type is listed
// once.
func NewConditionsOf[T, C any](field func(object T) *[]C, get func(c C) metav1.Condition, set func(c C, to metav1.Condition) C) Conditions[T] {
	return &conditions[T, C]{field, get, set}
}

type conditions[T, C any] struct {
	field func(object T) *[]C
	get   func(c C) metav1.Condition
	write func(c C, to metav1.Condition) C
}

var _ Conditions[int] = (*conditions[int, int])(nil)

func (a *conditions[T, C]) index(all []C, kind string) int {
	return slices.IndexFunc(all, func(c C) bool { return a.get(c).Type == kind })
}

func (a *conditions[T, C]) find(object T, kind string) *metav1.Condition {
	all := *a.field(object)
	i := a.index(all, kind)
	if i < 0 {
		return nil
	}
	c := a.get(all[i])
	return &c
}

func (a *conditions[T, C]) set(object T, to metav1.Condition) {
	all := a.field(object)
	i := a.index(*all, to.Type)
	if i < 0 {
		var none C
		*all = append(*all, a.write(none, to))
		return
	}
	one := []metav1.Condition{a.get((*all)[i])}
	meta.SetStatusCondition(&one, to) // which keeps the time of a status that stays
	(*all)[i] = a.write((*all)[i], one[0])
}

func (a *conditions[T, C]) remove(object T, kind string) {
	all := a.field(object)
	*all = slices.DeleteFunc(*all, func(c C) bool { return a.get(c).Type == kind })
}

func (a *conditions[T, C]) merge(before, after, fresh T) {
	was, is, now := a.field(before), a.field(after), a.field(fresh)
	*is = merge(*was, *is, *now, func(c C) string { return a.get(c).Type })
	*was = *now
}

func (a *conditions[T, C]) probe(object T) string {
	switch {
	case a.field == nil || a.get == nil || a.write == nil:
		return "lacks a function; give all of them"
	case a.field(object) == nil:
		return "returns nil; let it return a pointer to the object's conditions"
	}
	return ""
}
